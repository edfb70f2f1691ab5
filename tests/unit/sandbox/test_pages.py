"""The sandbox in a browser: what its pages show, and that nobody else can use its forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
import orjson
import pytest

from bridge.errors import DoorError
from bridge.sandbox.accounts import Accounts
from bridge.sandbox.app import make_app
from bridge.sandbox.database import Database
from bridge.sandbox.limits import RequestLimits
from bridge.sandbox.parts import Options
from bridge.sandbox.push import PartnerAnswer
from bridge.sandbox.serve import TEST_CLIENT
from bridge.visible import HIDDEN
from bridge.zauto.catalogue import Catalogue

PAGES = [
    "/",
    "/records",
    "/records?of=patient-visits",
    "/records?of=patients&id=test-patient-001",
    "/records?of=nothing",
    "/requests",
    "/orders",
    "/orders?kind=services",
]
#: closed by themselves
VOID = {"meta", "link", "input"}


@dataclass
class FakePartner:
    """Takes every order, or does not answer."""

    url: str = "http://partner"
    up: bool = True
    asked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    async def push(self, kind: str, body: bytes, *, idempotency_key: str = "") -> PartnerAnswer:
        self.asked.append((kind, orjson.loads(body), idempotency_key))
        if not self.up:
            raise DoorError("the partner did not answer: ConnectError")
        return PartnerAnswer(202, b"{}", "application/json")


class Page(HTMLParser):
    """A page's elements and the text in them; fails where they are not nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split()) + " " if data.strip() else ""

    def values(self, name: str) -> list[str]:
        """Every value of the attribute."""
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]

    def filled(self) -> dict[str, str]:
        """What the page's form would send."""
        inputs = [attributes for tag, attributes in self.elements if tag == "input"]
        return {str(one["name"]): one.get("value") or "" for one in inputs}


@pytest.fixture
def partner() -> FakePartner | None:
    return FakePartner()


@pytest.fixture
def limits() -> RequestLimits | None:
    return RequestLimits()


@pytest.fixture
async def anyone(
    catalogue: Catalogue,
    state: Database,
    clock: Any,
    limits: RequestLimits | None,
    partner: FakePartner | None,
) -> AsyncIterator[httpx.AsyncClient]:
    Accounts(state).add(TEST_CLIENT)
    options = Options(limits, partner, clock=clock)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(make_app(catalogue, state, options))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox", follow_redirects=True
    ) as client:
        yield client


async def seen(browser: httpx.AsyncClient, address: str) -> Page:
    return Page((await browser.get(address)).text)


async def push(browser: httpx.AsyncClient, **typed: str) -> httpx.Response:
    form = (await seen(browser, "/orders")).filled()
    words = {name.replace("__", "-"): value for name, value in typed.items()}
    return await browser.post("/orders", data={**form, "do": "push", **words})


# Every page


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_is_nested_right_and_names_everything(
    anyone: httpx.AsyncClient, address: str
) -> None:
    page = await seen(anyone, address)
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    described = {*page.values("for"), *page.values("aria-labelledby"), *page.values("list")}
    assert described <= set(ids)
    typed = [one for tag, one in page.elements if tag == "input" and one.get("type") != "hidden"]
    assert {str(one["id"]) for one in typed} <= set(page.values("for"))
    assert [tag for tag, _ in page.elements].count("h1") == 1


#: the width of a narrow phone, and of a letter's height, in CSS pixels
PHONE, REM = 360, 16
#: what an element is at least as wide as; `max-width` is none of these
LEAST = re.compile(r"(?<![-\w])(?:min-)?(?:width|inline-size)\s*:\s*([\d.]+)(px|rem|em|ch)")
#: of columns of a grid and parts of a row, how wide they are before they give way
BASIS = re.compile(r"(?:minmax\(|flex:\s*\d\s+\d\s+|(?<=columns: ))([\d.]+)(px|rem|em|ch)")


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_is_as_wide_as_the_phone_it_is_read_on(
    anyone: httpx.AsyncClient, address: str
) -> None:
    page = await seen(anyone, address)
    meta = [one for tag, one in page.elements if tag == "meta" and one.get("name") == "viewport"]
    assert [one["content"] for one in meta] == ["width=device-width, initial-scale=1"]
    assert page.values("width") == page.values("style") == page.values("size") == []


async def test_nothing_is_wider_than_a_phone(anyone: httpx.AsyncClient) -> None:
    style = (await anyone.get("/sandbox/page.css")).text
    widths = [
        float(number) * (1 if unit == "px" else REM)
        for form in (LEAST, BASIS)
        for number, unit in form.findall(style)
    ]
    assert len(widths) > 5
    assert max(widths) <= PHONE


@pytest.mark.parametrize("address", PAGES)
async def test_on_a_phone_a_table_is_a_list_whose_cells_are_named(
    anyone: httpx.AsyncClient, address: str
) -> None:
    style = (await anyone.get("/sandbox/page.css")).text
    narrow = style.partition("@media (max-width: 52rem)")[2]
    assert "table, tbody, tr, td { display: block; }" in narrow
    assert "td::before { content: attr(data-label)" in narrow
    cells = [one for tag, one in (await seen(anyone, address)).elements if tag == "td"]
    assert [one for one in cells if not one.get("data-label")] == []


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(
    anyone: httpx.AsyncClient, address: str
) -> None:
    answer = await anyone.get(address)
    page = Page(answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "form-action 'self'" in policy
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "style", "iframe", "img", "object"}
    addresses = [*page.values("href"), *page.values("src"), *page.values("action")]
    assert all(one.startswith(("/", "#", "data:,")) for one in addresses)
    assert not [name for _, one in page.elements for name in one if name[:2] in ("on", "st")]


async def test_the_style_sheet_is_there(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/sandbox/page.css")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/css")


async def test_pages_are_not_in_the_journal(anyone: httpx.AsyncClient, state: Database) -> None:
    for address in PAGES:
        await anyone.get(address)
    assert state.journal.last(10) == []


async def test_what_was_sent_is_shown_and_never_markup(api: httpx.AsyncClient) -> None:
    name = "<script>alert(1)</script>\"'&"
    patient = {"id": "<i>", "uhid": 1, "fullName": name, "phoneNumber": "+919812345678"}
    await api.post("/zauto-api/patients", json=patient)
    for address in ("/", "/records?of=patients", "/records?of=patients&id=%3Ci%3E", "/requests"):
        page = await seen(api, address)
        assert "<i>" in page.text, address
        assert not {"i", "script"} & {tag for tag, _ in page.elements}
    found = await seen(api, "/records?of=patients&search=%22%3E%3Cb%3E")
    assert "b" not in {tag for tag, _ in found.elements}


async def test_what_cannot_be_seen_is_shown_by_its_code_point(api: httpx.AsyncClient) -> None:
    name = "Rao\u202eevil\x1b[2J\u200b"
    patient = {"id": "P\u2066", "uhid": 1, "fullName": name, "phoneNumber": "+919812345678"}
    answer = await api.post("/zauto-api/patients", json=patient)
    assert answer.status_code == 201
    pages = ["/", "/records?of=patients", "/records?of=patients&id=P%E2%81%A6", "/requests"]
    for address in pages:
        html = (await api.get(address)).text
        assert set(HIDDEN.findall(html)) <= {"\n"}, address
    assert "Rao<U+202E>evil<U+001B>[2J<U+200B>" in (await seen(api, pages[2])).text
    # what a person typed comes back as it was
    found = await api.get("/records?of=patients&search=P%E2%81%A6")
    assert 'value="P\u2066"' in found.text


# Overview


async def test_the_overview_tells_counts_limits_and_requests(api: httpx.AsyncClient) -> None:
    await api.get("/zauto-api/patients")
    text = (await seen(api, "/")).text
    assert "1 patients" in text
    assert f"{TEST_CLIENT.client_id} 2 of 1000, until 11:00 2 of 100, until 10:31" in text
    assert "GET /zauto-api/patients 200" in text
    assert "2024-01-15 10:30:00" in text


@pytest.mark.parametrize("limits", [None])
async def test_the_overview_tells_that_limits_are_off(anyone: httpx.AsyncClient) -> None:
    assert "Limits are off" in (await seen(anyone, "/")).text


async def test_a_reset_brings_the_test_records_back(
    api: httpx.AsyncClient, state: Database
) -> None:
    await api.delete("/zauto-api/patients/test-patient-001")
    form = (await seen(api, "/")).filled()
    page = Page((await api.post("/reset", data=form)).text)
    assert "test records again" in page.text
    assert (await api.get("/zauto-api/patients/test-patient-001")).status_code == 200


# Records


async def test_records_are_paged_and_searched(api: httpx.AsyncClient) -> None:
    for number in range(30):
        record = {"id": f"d{number}", "fullName": f"Dr. Khan {number}"}
        await api.post("/zauto-api/providers", json=record)
    first = await seen(api, "/records?of=providers&search=KHAN")
    assert "30 found" in first.text
    assert "Page 1 of 2" in first.text
    (following,) = [one for one in first.values("href") if "page=2" in one]
    second = await seen(api, following)
    assert "Dr. Khan 29" in second.text
    assert "Dr. Khan 2 " not in second.text
    nothing = await seen(api, "/records?of=providers&search=nobody")
    assert "Nothing holds “nobody”" in nothing.text


async def test_a_record_leads_to_what_it_refers_to(anyone: httpx.AsyncClient) -> None:
    page = await seen(anyone, "/records?of=patient-visits&id=test-visit-001")
    assert "2024-01-15T14:30:00Z" in page.text
    assert "/records?of=patients&id=test-patient-001" in page.values("href")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/records?of=wards", 404),
        ("/records?of=patients&id=nobody", 404),
        ("/records?of=patients&page=0", 400),
        ("/orders?kind=meals", 404),
    ],
)
async def test_what_is_not_there_is_said(
    anyone: httpx.AsyncClient, address: str, status: int
) -> None:
    answer = await anyone.get(address)
    assert answer.status_code == status
    assert Page(answer.text).text


# Requests


async def test_requests_are_paged_newest_first(api: httpx.AsyncClient) -> None:
    for _ in range(60):
        await api.get("/zauto-api/providers")
    first = await seen(api, "/requests")
    (older,) = [one for one in first.values("href") if "before" in one]
    second = await seen(api, older)
    numbers = [re.findall(r"\b(\d+) 2024-01-15 10:30:00", page.text) for page in (first, second)]
    assert [int(one) for one in numbers[0] + numbers[1]] == list(range(61, 0, -1))
    assert [one for one in second.values("href") if "before" in one] == []


# Orders


async def test_an_order_is_pushed_as_the_form_says(
    anyone: httpx.AsyncClient, partner: FakePartner
) -> None:
    answer = await push(
        anyone, externalVisitId="v1", line__0__name="Paracetamol", line__0__dose="500 mg"
    )
    ((kind, order, key),) = partner.asked
    blank = dict.fromkeys(["externalMedicineId", "when", "frequency", "duration", "notes"], "")
    assert kind == "prescriptions"
    assert order == {
        "externalVisitId": "v1",
        "Medications": [{**blank, "name": "Paracetamol", "dose": "500 mg"}],
    }
    assert re.fullmatch(r"[0-9a-f]{16}", key)
    assert answer.url.path == "/orders", "so that a reload pushes nothing"
    assert "Order 1 was delivered: the partner answered 202." in Page(answer.text).text


async def test_a_form_sent_twice_is_known_as_one_order(
    anyone: httpx.AsyncClient, partner: FakePartner
) -> None:
    form = (await seen(anyone, "/orders")).filled()
    typed = {"do": "push", "externalVisitId": "v1", "line-0-name": "Paracetamol"}
    for _ in range(2):
        await anyone.post("/orders", data={**form, **typed})
    assert len({key for _, _, key in partner.asked}) == 1


async def test_a_partner_that_is_down_is_told(
    anyone: httpx.AsyncClient, partner: FakePartner
) -> None:
    partner.up = False
    answer = await push(anyone, externalVisitId="v1", line__0__name="Paracetamol")
    assert "Order 1 has not arrived: the partner did not answer" in Page(answer.text).text


async def test_a_line_is_added_and_what_was_typed_stays(
    anyone: httpx.AsyncClient, partner: FakePartner
) -> None:
    page = Page((await push(anyone, do="more", line__0__name="Paracetamol")).text)
    assert page.filled()["line-0-name"] == "Paracetamol"
    assert page.filled()["line-1-name"] == ""
    assert partner.asked == []


async def test_errors_stand_beside_their_inputs_and_nothing_is_pushed(
    anyone: httpx.AsyncClient, partner: FakePartner
) -> None:
    answer = await push(anyone, kind="services", line__0__name="X-ray", line__0__price="dear")
    page = Page(answer.text)
    assert answer.status_code == 400
    assert "externalVisitId is required" in page.text
    assert "Services 1 price must be a number" in page.text
    invalid = [one["id"] for tag, one in page.elements if "aria-invalid" in one]
    assert invalid == ["externalVisitId", "line-0-price"]
    assert set(page.values("aria-describedby")) <= set(page.values("id"))
    assert page.filled()["line-0-price"] == "dear"
    assert partner.asked == []


@pytest.mark.parametrize("partner", [None])
async def test_without_a_partner_the_page_says_what_to_do(anyone: httpx.AsyncClient) -> None:
    page = await seen(anyone, "/orders")
    assert "--push-to" in page.text
    assert [one for tag, one in page.elements if tag == "button" and "disabled" in one]
    answer = await push(anyone, externalVisitId="v1", line__0__name="Paracetamol")
    assert answer.status_code == 400


async def test_ids_that_there_are_are_proposed(anyone: httpx.AsyncClient) -> None:
    page = await seen(anyone, "/orders")
    assert "test-visit-001" in [one.get("value") for tag, one in page.elements if tag == "option"]


# Forms of other sites


@pytest.mark.parametrize("address", ["/orders", "/reset"])
@pytest.mark.parametrize("token", ["", "guessed", "é"])
async def test_a_form_without_the_pages_token_does_nothing(
    anyone: httpx.AsyncClient,
    state: Database,
    partner: FakePartner,
    address: str,
    token: str,
) -> None:
    form = {"form_token": token, "kind": "prescriptions", "externalVisitId": "v1"}
    answer = await anyone.post(address, data=form | {"do": "push", "line-0-name": "X"})
    assert answer.status_code == 403
    assert partner.asked == []
    assert state.journal.last(1) == []


async def test_the_token_is_another_in_each_sandbox(catalogue: Catalogue) -> None:
    tokens = set()
    for _ in range(2):
        state = Database()
        transport = httpx.ASGITransport(make_app(catalogue, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as browser:
            tokens.add((await seen(browser, "/")).filled()["form_token"])
        state.close()
    assert len(tokens) == 2


async def test_a_form_that_is_too_large_is_not_read(anyone: httpx.AsyncClient) -> None:
    form = (await seen(anyone, "/")).filled()
    answer = await anyone.post("/reset", data=form | {"more": "x" * 300_000})
    assert answer.status_code == 403
