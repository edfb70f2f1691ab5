"""The hospital's whole traffic for what is pushed of services: each order and charge once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import Outcome
from bridge.message import Status
from bridge.remarks import RemarkCode
from tests.unit.pipeline.ward import (
    BUSY,
    REFUSED,
    SILENT,
    Ward,
    a_service,
    lines,
    told,
)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Callable[..., Ward]]:
    wards: list[Ward] = []

    def make(**site: Any) -> Ward:
        wards.append(Ward(tmp_path, **site))
        return wards[-1]

    yield make
    for ward in wards:
        await ward.bench.store.close()


@pytest.fixture
async def ward(made: Callable[..., Ward]) -> Ward:
    ward = made()
    await ward.register()
    return ward


#: what is pushed of one service, and what the hospital gets of each push
LIVES = [
    # ordered once, however often it is pushed
    [("SCHEDULED 300", "NW a CG 300"), ("SCHEDULED 300", ""), ("SCHEDULED 300.00", "")],
    [("- 300", "NW a CG 300"), ("SCHEDULED 300", ""), ("ordered 300", ""), ("- 300", "")],
    [("SCHEDULED", "NW a"), ("SCHEDULED", ""), ("- 300", "XO a CG 300"), ("-", "")],
    # another price: the first is taken back
    [
        ("SCHEDULED 250", "NW a CG 250"),
        ("SCHEDULED 300", "XO a CD 250 CG 300"),
        ("UPDATED 300", "XO a"),
        ("UPDATED 250.5", "XO a CD 300 CG 250.5"),
        ("SCHEDULED 250.50", ""),
        ("SCHEDULED 300", "XO a CD 250.5 CG 300"),
        ("CANCELLED 999", "CA a CD 300"),
        ("CANCELLED 999", ""),
    ],
    # no price, or none that can be read, changes none
    [("SCHEDULED 300", "NW a CG 300"), ("SCHEDULED", ""), ("UPDATED", "XO a")],
    [("SCHEDULED 300", "NW a CG 300"), ('SCHEDULED "on request"', ""), ("CANCELED", "CA a CD 300")],
    [("SCHEDULED", "NW a"), ("UPDATED 300", "XO a CG 300"), ("CANCELLED", "CA a CD 300")],
    [("SCHEDULED -5", "NW a"), ("CANCELLED -5", "CA a")],
    # 0 is an amount
    [
        ("SCHEDULED 0", "NW a CG 0"),
        ("SCHEDULED 0", ""),
        ("SCHEDULED 300", "XO a CD 0 CG 300"),
        ("SCHEDULED 0.0", "XO a CD 300 CG 0"),
        ("CANCELLED 0", "CA a CD 0"),
    ],
    # cancelled and completed orders are over; the next one is another
    [
        ("SCHEDULED 300", "NW a CG 300"),
        ("CANCELLED 300", "CA a CD 300"),
        ("SCHEDULED 300", "NW b CG 300"),
        ("SCHEDULED 300", ""),
        ("CANCELLED 300", "CA b CD 300"),
        ("RESCHEDULED 350", "NW c CG 350"),
    ],
    [
        ("SCHEDULED 300", "NW a CG 300"),
        ("COMPLETED 300", "SC a"),
        ("done 300", ""),
        ("SCHEDULED 300", "NW b CG 300"),
        ("COMPLETED 400", "SC b"),
        ("UPDATED 400", "XO b CD 300 CG 400"),
        ("CANCELLED 400", "CA b CD 400"),
    ],
    # a status costs nothing, and is said once
    [
        ("SCHEDULED 300", "NW a CG 300"),
        ("IN PROGRESS 350", "SC a"),
        ("in_progress 350", ""),
        ("SCHEDULED 300", ""),
        ("sample spilt 400", "SC a"),
        ("Sample  Spilt 400", ""),
        ("in-progress", "SC a"),
        ("SCHEDULED 350", "XO a CD 300 CG 350"),
    ],
    # what was never ordered here
    [("CANCELLED 300", "CA a"), ("CANCELLED 300", ""), ("SCHEDULED 300", "NW b CG 300")],
    [("COMPLETED 300", "SC a"), ("COMPLETED 300", ""), ("CANCELLED 300", "CA a")],
    [("IN PROGRESS 300", "SC a"), ("SCHEDULED 300", "NW a CG 300"), ("SCHEDULED 300", "")],
    [("UPDATED 300", "XO a CG 300"), ("SCHEDULED 300", "NW a"), ("SCHEDULED 300", "")],
    # a cancelled number stays so, whatever is said of it
    [
        ("SCHEDULED 300", "NW a CG 300"),
        ("CANCELLED", "CA a CD 300"),
        ("COMPLETED 300", "SC a"),
        ("CANCELLED", ""),
        ("SCHEDULED 300", "NW b CG 300"),
    ],
]


@pytest.mark.parametrize("minutes", [0, 11])
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("life", LIVES, ids=lambda life: " ".join(said for said, _ in life))
async def test_each_push_of_a_service_says_what_is_new(
    ward: Ward, life: Sequence[tuple[str, str]], restart: bool, minutes: int
) -> None:
    names: dict[str, str] = {}
    got, transactions = [], []
    for said, _ in life:
        ward.bench.clock.now += 60 * minutes
        sent = await ward.push(a_service(said))
        got.append((said, told(sent, names)))
        transactions += [each for line in sent for each in line.transactions]
        if restart:
            await ward.restart()
    assert got == list(life)
    assert len(set(transactions)) == len(transactions)
    assert all(0 < len(each) <= 12 for each in transactions)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: " ".join(said for said, _ in life))
async def test_without_charges_the_orders_are_the_same(
    made: Callable[..., Ward], life: Sequence[tuple[str, str]]
) -> None:
    ward = made(charges="off")
    await ward.register()
    names: dict[str, str] = {}
    got = [told(await ward.push(a_service(said)), names) for said, _ in life]
    # a change of nothing but the price is none then
    priced = {said.split()[0] for said, _ in life} & {"UPDATED"}
    wanted = [
        " ".join(sent.split()[:2]) if sent[:2] != "XO" or said.split()[0] in priced else ""
        for said, sent in life
    ]
    assert got == wanted
    assert all(b"FT1" not in body for body in ward.received)


async def test_of_several_services_those_with_something_new_are_sent(ward: Ward) -> None:
    cbc, xray = "SRV-CBC", "SRV-XRC"
    await ward.push(a_service("SCHEDULED 300"), a_service("SCHEDULED 200", cbc))
    sent = await ward.push(
        a_service("SCHEDULED 300"),
        a_service("SCHEDULED 900", xray),
        a_service("CANCELLED 200", cbc),
    )
    assert told(sent, {}) == "NW a CG 900; CA b CD 200"


async def test_a_push_of_nothing_new_ends_as_suppressed_and_says_why(ward: Ward) -> None:
    await ward.push(a_service("SCHEDULED 300"))
    message_id = await ward.keep(a_service("ordered 300"))
    await ward.settle()
    kept = ward.message(message_id)
    assert kept.status is Status.SUPPRESSED
    assert kept.cause == Cause(CauseKind.NOTHING_TO_SEND)
    assert [(each.path, each.code) for each in kept.remarks] == [
        ("line.status", RemarkCode.NOTHING_NEW)
    ]
    assert len(ward.received) == 1


async def test_a_service_named_twice_in_one_push_is_two_orders(ward: Ward) -> None:
    names: dict[str, str] = {}
    twice = [a_service("SCHEDULED 300")] * 2
    assert told(await ward.push(*twice), names) == "NW a CG 300; NW b CG 300"
    sent = await ward.push(a_service("CANCELLED"), a_service("SCHEDULED 350"))
    assert told(sent, names) == "CA a CD 300; XO b CD 300 CG 350"


async def test_services_without_an_id_are_known_by_their_names(ward: Ward) -> None:
    names: dict[str, str] = {}
    ecg, xray = {"name": "ECG", "price": 300}, {"name": "X-ray", "price": 300}
    assert told(await ward.push(ecg), names) == "NW a CG 300"
    assert told(await ward.push(xray), names) == "NW b CG 300"
    assert told(await ward.push({"name": " ecg ", "price": 300}), names) == ""


async def test_a_service_of_another_visit_is_another_order(ward: Ward) -> None:
    await ward.push(a_service("SCHEDULED 300"))
    await ward.register("V2")
    await ward.keep(a_service("SCHEDULED 300"), visit="V2")
    await ward.settle()
    orders = [line for body in ward.received for line in lines(body)]
    assert told(orders, {}) == "NW a CG 300; NW b CG 300"


@pytest.mark.parametrize("answer", [BUSY, SILENT])
async def test_a_message_that_is_sent_again_is_the_same_bytes(ward: Ward, answer: Outcome) -> None:
    ward.answers = [answer, answer]
    await ward.push(a_service("SCHEDULED 300"))
    assert len(ward.received) == 3
    assert len(set(ward.received)) == 1
    assert told(await ward.push(a_service("SCHEDULED 300"), key="K2"), {}) == ""


async def test_what_waits_for_the_hospital_counts_as_sent(ward: Ward) -> None:
    ward.answers = [BUSY]
    for said in ("SCHEDULED 300", "SCHEDULED 350", "CANCELLED", "SCHEDULED 350"):
        await ward.keep(a_service(said))
        await ward.translate()
        await ward.restart()
    await ward.settle()
    got = [line for body in ward.received[1:] for line in lines(body)]
    assert told(got, {}) == "NW a CG 300; XO a CD 300 CG 350; CA a CD 350; NW b CG 350"


async def test_what_the_hospital_refused_counts_as_not_sent(ward: Ward) -> None:
    names: dict[str, str] = {}
    ward.answers = [REFUSED]
    assert told(await ward.push(a_service("SCHEDULED 300")), names) == "NW a CG 300"
    assert told(await ward.push(a_service("SCHEDULED 350")), names) == "NW a CG 350"
    ward.answers = [REFUSED]
    assert told(await ward.push(a_service("CANCELLED")), names) == "CA a CD 350"
    assert told(await ward.push(a_service("CANCELLED 350")), names) == "CA a CD 350"
    assert told(await ward.push(a_service("CANCELLED")), names) == ""


async def test_pushes_for_a_visit_that_is_not_known_yet_are_compared_when_it_comes(
    made: Callable[..., Ward],
) -> None:
    ward = made()
    said = ["SCHEDULED 300", "SCHEDULED 350", "IN PROGRESS 350", "in_progress 350", "CANCELLED"]
    held = [await ward.keep(a_service(one)) for one in said]
    await ward.settle()
    assert {ward.message(each).status for each in held} == {Status.HELD}
    await ward.restart()
    await ward.register()
    await ward.settle()
    got = [line for body in ward.received for line in lines(body)]
    assert told(got, {}) == "NW a CG 300; XO a CD 300 CG 350; SC a; CA a CD 350"
