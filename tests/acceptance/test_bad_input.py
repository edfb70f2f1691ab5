"""Bad input is answered, counted or kept, and the service goes on as if it had not been."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from tests.acceptance.hl7 import Person, Visit, adt, message
from tests.acceptance.mllp import END, START, Sender, field
from tests.acceptance.processes import FHIR_KEY, ORDERS_KEY, Bridge, until
from tests.patience import PATIENCE

FHIR = {"Authorization": f"Bearer {FHIR_KEY}", "Content-Type": "application/fhir+json"}
MEGABYTE = 1024 * 1024
_numbers = count(81_001)


@pytest.fixture
async def bridge(one_bridge: Bridge) -> AsyncIterator[Bridge]:
    """The bridge, that must be none the worse after the test."""
    yield one_bridge
    assert await one_bridge.healthy()
    async with Sender(lambda: one_bridge.mllp) as sender:
        assert field(await sender.send(good()), "MSA", 1) == "AA"
    assert one_bridge.failures() == []


@pytest.fixture
async def sender(bridge: Bridge) -> AsyncIterator[Sender]:
    async with Sender(lambda: bridge.mllp) as sender:
        yield sender


def good(control_id: str = "") -> bytes:
    """A message nothing is wrong with, of somebody new."""
    number = str(next(_numbers))
    return adt("A04", control_id or f"G{number}", Person(number), Visit(f"V{number}"))


async def quarantined(bridge: Bridge) -> int:
    found: int = (await bridge.status())["quarantined"]
    return found


async def newest(bridge: Bridge) -> dict[str, Any]:
    return (await bridge.messages())[-1]


async def assert_quarantined(bridge: Bridge, before: int) -> None:
    async def look() -> bool:
        return await quarantined(bridge) == before + 1

    await until(look, "it is quarantined")


async def test_junk_before_a_frame_is_kept_and_the_frame_taken(
    bridge: Bridge, sender: Sender
) -> None:
    before = await quarantined(bridge)
    await sender.raw(b"GET / HTTP/1.0" + START + good() + END)
    assert field(await sender.answer(), "MSA", 1) == "AA"
    await assert_quarantined(bridge, before)


async def test_a_frame_without_an_end_is_kept_when_the_sender_hangs_up(
    bridge: Bridge, sender: Sender
) -> None:
    before = await quarantined(bridge)
    await sender.raw(START + good())
    sender.hang_up()
    await assert_quarantined(bridge, before)


async def test_a_frame_that_never_ends_is_refused_at_the_cap_and_hung_up_on(
    bridge: Bridge, sender: Sender
) -> None:
    before = await quarantined(bridge)
    await sender.raw(START + good("ENDLESS"))
    flood = asyncio.create_task(_flood(sender, 50))
    answer = await sender.answer()
    assert (field(answer, "MSA", 1), field(answer, "MSA", 2)) == ("AR", "ENDLESS")
    assert await sender.closed() == b""
    flood.cancel()
    await assert_quarantined(bridge, before)


async def _flood(sender: Sender, megabytes: int) -> None:
    for _ in range(megabytes):
        await sender.raw(b"A" * MEGABYTE)


async def test_a_frame_of_50_megabytes_is_refused(bridge: Bridge, sender: Sender) -> None:
    before = await quarantined(bridge)
    body = good("LARGE") + b"NTE|1||" + b"x" * (50 * MEGABYTE)
    await sender.raw(START)
    sending = asyncio.create_task(sender.raw(body + END))
    answer = await sender.answer()
    assert (field(answer, "MSA", 1), field(answer, "MSA", 2)) == ("AR", "LARGE")
    await sender.closed()
    sending.cancel()
    await assert_quarantined(bridge, before)


async def test_nul_bytes_between_frames_are_passed_over(bridge: Bridge, sender: Sender) -> None:
    before = await quarantined(bridge)
    await sender.raw(b"\0\0" + START + good() + END + b"\0" * 8 + START + good() + END)
    assert [field(await sender.answer(), "MSA", 1) for _ in range(2)] == ["AA", "AA"]
    assert await quarantined(bridge) == before


async def test_nul_bytes_in_a_message_are_kept_as_they_came(bridge: Bridge, sender: Sender) -> None:
    body = good("NUL").replace(b"Nair", b"Na\0ir")
    assert field(await sender.send(body), "MSA", 1) == "AA"
    found = await bridge.became("NUL", "delivered", "parked")
    assert found["body"].encode().replace(b"\n", b"\r") == body


@pytest.mark.parametrize(
    ("control_id", "body", "code", "status"),
    [
        ("CHARSET", good("CHARSET").replace(b"Nair", b"N\xe4\xffr"), "AE", "rejected"),
        ("", good("X").replace(b"|X|", b"||"), "AE", "rejected"),
        ("TYPE", good("TYPE").replace(b"ADT^A04", b"ZZZ^Z99"), "AA", "unmapped"),
        (
            "NOTYPE",
            good("NOTYPE").replace(b"ADT^A04", b"").replace(b"|A04|", b"||"),
            "AE",
            "rejected",
        ),
        ("V3", good("V3").replace(b"|2.5.1|", b"|3.0|"), "AR", "rejected"),
    ],
    ids=["undecodable", "no MSH-10", "unknown type", "no type", "version 3"],
)
async def test_what_cannot_be_taken_is_answered_and_kept(
    control_id: str, body: bytes, code: str, status: str, bridge: Bridge, sender: Sender
) -> None:
    answer = await sender.send(body)
    assert (field(answer, "MSA", 1), field(answer, "MSA", 2)) == (code, control_id)
    assert bool(field(answer, "ERR", 2)) == (code != "AA")
    await bridge.settled()
    found = await bridge.message((await newest(bridge))["id"])
    assert found["status"] == status
    assert code == "AA" or found["reason"]


async def test_what_has_no_msh_is_kept_and_hung_up_on(bridge: Bridge, sender: Sender) -> None:
    before = await quarantined(bridge)
    await sender.raw(START + b"PID|1||123\r" + END)
    assert await sender.closed() == b""
    await assert_quarantined(bridge, before)


async def test_a_second_start_before_the_end_begins_anew(bridge: Bridge, sender: Sender) -> None:
    await sender.raw(START + START + good("TWICE") + END)
    assert field(await sender.answer(), "MSA", 2) == "TWICE"


async def test_an_empty_frame_is_counted_and_hung_up_on(bridge: Bridge, sender: Sender) -> None:
    before = await quarantined(bridge)
    await sender.raw(START + END)
    assert await sender.closed() == b""
    await assert_quarantined(bridge, before)


async def test_a_message_of_too_many_segments_is_refused(bridge: Bridge, sender: Sender) -> None:
    before = await quarantined(bridge)
    answer = await sender.send(good("MANY") + b"NTE|1\r" * 6000)
    assert (field(answer, "MSA", 1), field(answer, "MSA", 2)) == ("AR", "MANY")
    await assert_quarantined(bridge, before)


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType": "Patient", "name": [',
        b"",
        b"[]",
        b'{"resourceType":"Patient","a":' + b"[" * 100_000,
        b'{"resourceType": "Patient", "multipleBirthInteger": NaN}',
        b'\xff\xfe{\x00"\x00',
        b"\0" * 100,
    ],
    ids=["cut", "empty", "a list", "deep", "NaN", "UTF-16", "NULs"],
)
async def test_broken_json_is_refused_in_fhirs_words_and_kept(body: bytes, bridge: Bridge) -> None:
    answer = await bridge.http.post("/fhir/Patient", content=body, headers=FHIR)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    kept = await newest(bridge)
    assert (kept["status"], kept["answer"]) == ("rejected", "400")


async def test_json_with_a_byte_order_mark_is_taken(bridge: Bridge) -> None:
    patient = b'{"resourceType": "Patient", "id": "bom", "name": [{"text": "Asha Pillai"}]}'
    answer = await bridge.http.put(
        "/fhir/Patient/bom", content=b"\xef\xbb\xbf" + patient, headers=FHIR
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("path", ["/fhir/Patient", "/orders/prescriptions"])
async def test_a_body_of_50_megabytes_is_refused_over_http(
    path: str, declared: bool, bridge: Bridge
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * MEGABYTE

    content = b" " * 50 * MEGABYTE if declared else chunks()
    headers = {"X-API-Key": FHIR_KEY if path.startswith("/fhir") else ORDERS_KEY}
    answer = await bridge.http.post(path, content=content, headers=FHIR | headers)
    assert answer.status_code == 413
    kept = await newest(bridge)
    assert (kept["status"], kept["answer"]) == ("rejected", "413")


async def test_two_lengths_for_one_body_are_refused(bridge: Bridge) -> None:
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\nHost: bridge\r\nX-API-Key: {FHIR_KEY}\r\n"
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    answer = await _raw_http(bridge, head.encode())
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_what_is_not_http_is_hung_up_on(bridge: Bridge) -> None:
    assert b"HTTP/1.1 400" in await _raw_http(bridge, START + good() + END + b"\r\n\r\n")


async def _raw_http(bridge: Bridge, request: bytes) -> bytes:
    url = bridge.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.readline()
    writer.close()
    return answer


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer x"}])
@pytest.mark.parametrize("path", ["/fhir/Patient", "/orders/prescriptions"])
async def test_without_the_right_key_nothing_is_taken(
    path: str, headers: dict[str, str], bridge: Bridge
) -> None:
    before = len(await bridge.messages())
    answer = await bridge.http.post(path, json={"resourceType": "Patient"}, headers=headers)
    assert answer.status_code == 401
    assert len(await bridge.messages()) == before


async def test_segments_of_any_line_end_are_one_message(bridge: Bridge, sender: Sender) -> None:
    for number, end in enumerate([b"\n", b"\r\n"]):
        body = good(f"END{number}").replace(b"\r", end)
        assert field(await sender.send(body), "MSA", 1) == "AA"
        await bridge.became(f"END{number}", "delivered")


async def test_a_message_of_nothing_but_its_header_is_parked_not_lost(
    bridge: Bridge, sender: Sender
) -> None:
    header = {3: "HIS", 4: "CITY", 9: "ADT^A04", 10: "BARE", 11: "P", 12: "2.5.1"}
    assert field(await sender.send(message([("MSH", header)])), "MSA", 1) == "AA"
    assert (await bridge.became("BARE", "parked"))["reason"]


async def test_the_same_bytes_again_get_the_stored_answer_and_make_no_new_work(
    bridge: Bridge, sender: Sender
) -> None:
    body = good("AGAIN")
    first = await sender.send(body)
    found = await bridge.became("AGAIN", "delivered")
    assert await sender.send(body) == first
    again = await bridge.message_of("AGAIN")
    assert (again["id"], again["duplicates"]) == (found["id"], 1)
    assert again["deliveries"] == found["deliveries"]


async def test_the_same_control_id_with_other_bytes_is_a_new_message(
    bridge: Bridge, sender: Sender
) -> None:
    for body in (good("REUSED"), good("REUSED")):
        assert field(await sender.send(body), "MSA", 1) == "AA"
    await bridge.settled()
    kept = [row for row in await bridge.messages() if row["control_id"] == "REUSED"]
    assert [row["status"] for row in kept] == ["delivered", "delivered"]


@pytest.mark.parametrize(
    ("accept", "application", "answered"), [("AL", "NE", "CA"), ("", "", "AA"), ("NE", "NE", "")]
)
async def test_the_acknowledgment_is_the_one_that_is_asked_for(
    accept: str, application: str, answered: str, bridge: Bridge, sender: Sender
) -> None:
    number = str(next(_numbers))
    asking = {"accept": accept, "application_acknowledgment": application}
    await sender.raw(START + adt("A04", f"M{number}", Person(number), None, **asking) + END)
    await sender.raw(START + good("NEXT" + number) + END)
    answers = [await sender.answer() for _ in range(2 if answered else 1)]
    codes = [(field(each, "MSA", 1), field(each, "MSA", 2)) for each in answers]
    assert codes == [(answered, f"M{number}")] * bool(answered) + [("AA", f"NEXT{number}")]
