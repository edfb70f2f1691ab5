"""What the hospital refuses counts as not sent, and nothing that was built upon it goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import Outcome
from bridge.message import Status
from bridge.pipeline.delivery.hospital import ToHospital
from bridge.pipeline.delivery.transitions import Transitions
from tests.unit.pipeline.ward import BUSY, REFUSED, SILENT, TAKEN, Ward, a_service, lines, told

XRAY = "SRV-XRC"


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path)
    await made.register()
    yield made
    await made.bench.store.close()


#: pushes that are queued at once, each with its services, the hospital's answers, what it got, and
#: which pushes (from 0) were parked behind a refused one
QUEUES = [
    # one that changes, cancels or reports a refused order
    (["SCHEDULED 300", "SCHEDULED 350"], [REFUSED], ["NW a CG 300"], [1]),
    (["SCHEDULED 300", "CANCELLED"], [REFUSED], ["NW a CG 300"], [1]),
    (["SCHEDULED 300", "COMPLETED"], [REFUSED], ["NW a CG 300"], [1]),
    (["SCHEDULED 300", "SCHEDULED 350", "CANCELLED"], [REFUSED], ["NW a CG 300"], [1, 2]),
    # refused at last, after it was sent again
    (["SCHEDULED 300", "SCHEDULED 350"], [BUSY, REFUSED], ["NW a CG 300"] * 2, [1]),
    (["SCHEDULED 300", "SCHEDULED 350"], [SILENT, REFUSED], ["NW a CG 300"] * 2, [1]),
    # one that orders again what was not cancelled
    (
        ["SCHEDULED 300", "CANCELLED", "SCHEDULED 300"],
        [TAKEN, REFUSED],
        ["NW a CG 300", "CA a CD 300"],
        [2],
    ),
    (
        ["SCHEDULED 300", "SCHEDULED 350", "CANCELLED"],
        [TAKEN, REFUSED],
        ["NW a CG 300", "XO a CD 300 CG 350"],
        [2],
    ),
    # the last one is refused: nothing is behind it
    (
        ["SCHEDULED 300", "SCHEDULED 350"],
        [TAKEN, REFUSED],
        ["NW a CG 300", "XO a CD 300 CG 350"],
        [],
    ),
    # another service goes out, unless it is in one message with what must not
    (["SCHEDULED 300", "x: SCHEDULED 90"], [REFUSED], ["NW a CG 300", "NW b CG 90"], []),
    (["SCHEDULED 300", "SCHEDULED 350, x: SCHEDULED 90"], [REFUSED], ["NW a CG 300"], [1]),
    (
        ["SCHEDULED 300", "SCHEDULED 350, x: SCHEDULED 90", "x: SCHEDULED 95"],
        [REFUSED],
        ["NW a CG 300"],
        [1, 2],
    ),
    (
        ["SCHEDULED 300, x: SCHEDULED 90", "x: CANCELLED"],
        [REFUSED],
        ["NW a CG 300; NW b CG 90"],
        [1],
    ),
]


def services(push: str) -> list[dict[str, object]]:
    """`SCHEDULED 300, x: SCHEDULED 90`: of two services."""
    named = [part.strip() for part in push.split(",")]
    return [
        a_service(part.removeprefix("x: "), XRAY) if part.startswith("x: ") else a_service(part)
        for part in named
    ]


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize(
    ("pushes", "answers", "got", "behind"), QUEUES, ids=lambda value: str(value)[:60]
)
async def test_what_is_queued_behind_a_refused_order_of_its_services_is_parked(
    ward: Ward,
    pushes: Sequence[str],
    answers: Sequence[Outcome],
    got: Sequence[str],
    behind: Sequence[int],
    restart: bool,
) -> None:
    kept = []
    for push in pushes:
        kept.append(await ward.keep(*services(push)))
        await ward.translate()
        if restart:
            await ward.restart()
    ward.answers = list(answers)
    await ward.settle()
    names: dict[str, str] = {}
    assert [told(lines(body), names) for body in ward.received] == list(got)
    causes = [ward.message(each).cause for each in kept]
    refused = next(
        number for number, cause in enumerate(causes) if cause and cause.kind is CauseKind.REFUSED
    )
    cause = Cause(CauseKind.BEHIND_REFUSED_ORDER, message_id=kept[refused])
    assert [number for number, each in enumerate(causes) if each == cause] == list(behind)
    parked = {kept[number] for number in (refused, *behind)}
    assert {each for each in kept if ward.message(each).status is Status.PARKED} == parked


async def test_an_order_of_another_visit_is_not_behind(ward: Ward) -> None:
    await ward.register("V2")
    ward.answers = [REFUSED]
    await ward.keep(a_service("SCHEDULED 300"))
    await ward.keep(a_service("SCHEDULED 300"), visit="V2")
    await ward.settle()
    got = [line for body in ward.received for line in lines(body)]
    assert told(got, {}) == "NW a CG 300; NW b CG 300"


async def test_each_order_that_is_parked_behind_is_counted(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Status] = []
    end = ward.bench.deliver._end
    assert isinstance(end, ToHospital)
    counting = Transitions(end.target, lambda: 1.0, lambda target, status: ended.append(status))
    monkeypatch.setattr(end, "_transitions", counting)
    ward.answers = [REFUSED]
    for said in ("SCHEDULED 300", "SCHEDULED 350", "CANCELLED"):
        await ward.keep(a_service(said))
    await ward.settle()
    assert ended == [Status.PARKED] * 3


async def test_an_order_that_fails_in_the_bridge_is_not_built_upon_either(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(body: bytes, control_id: str) -> Outcome:
        raise RuntimeError("a fault of the bridge")

    first = await ward.keep(a_service("SCHEDULED 300"))
    later = await ward.keep(a_service("SCHEDULED 350"))
    monkeypatch.setattr(ward.bench.deliver._end, "_send", fail)
    await ward.settle()
    assert ward.message(later).cause == Cause(CauseKind.BEHIND_REFUSED_ORDER, message_id=first)


#: pushes, each seen through, with the hospital's answer and what it got
LIVES = [
    # another amount, and the same one
    [
        ("SCHEDULED 300", REFUSED, "NW a CG 300"),
        ("SCHEDULED 350", TAKEN, "NW a CG 350"),
        ("SCHEDULED 400", TAKEN, "XO a CD 350 CG 400"),
    ],
    [
        ("SCHEDULED 300", REFUSED, "NW a CG 300"),
        ("SCHEDULED 300", REFUSED, "NW a CG 300"),
        ("SCHEDULED 300", TAKEN, "NW a CG 300"),
        ("SCHEDULED 300", TAKEN, ""),
    ],
    [
        ("SCHEDULED 300", TAKEN, "NW a CG 300"),
        ("UPDATED 350", REFUSED, "XO a CD 300 CG 350"),
        ("UPDATED 400", REFUSED, "XO a CD 300 CG 400"),
        ("UPDATED 400", TAKEN, "XO a CD 300 CG 400"),
    ],
    [
        ("SCHEDULED 300", TAKEN, "NW a CG 300"),
        ("CANCELLED", REFUSED, "CA a CD 300"),
        ("CANCELLED", TAKEN, "CA a CD 300"),
        ("SCHEDULED 300", REFUSED, "NW b CG 300"),
        ("SCHEDULED 350", TAKEN, "NW b CG 350"),
        ("CANCELLED", TAKEN, "CA b CD 350"),
    ],
]


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("life", LIVES, ids=lambda life: " ".join(said for said, _, _ in life))
async def test_what_was_refused_is_pushed_again_and_no_charge_has_its_number(
    ward: Ward, life: Sequence[tuple[str, Outcome, str]], restart: bool
) -> None:
    names: dict[str, str] = {}
    got, transactions = [], []
    for said, answer, _ in life:
        ward.answers = [answer]
        sent = await ward.push(a_service(said))
        got.append((said, answer, told(sent, names)))
        transactions += [each for line in sent for each in line.transactions]
        if restart:
            await ward.restart()
    assert got == list(life)
    assert len(set(transactions)) == len(transactions)


async def test_a_push_again_is_compared_with_what_was_taken_before_the_refusal(ward: Ward) -> None:
    ward.answers = [TAKEN, REFUSED]
    for said in ("SCHEDULED 300", "CANCELLED", "SCHEDULED 300"):
        await ward.keep(a_service(said))
        await ward.translate()
    await ward.settle()
    names: dict[str, str] = {}
    got = [line for body in ward.received for line in lines(body)]
    assert told(got, names) == "NW a CG 300; CA a CD 300"
    # the order stands with its charge
    assert told(await ward.push(a_service("SCHEDULED 300")), names) == ""
    assert told(await ward.push(a_service("CANCELLED")), names) == "CA a CD 300"


async def test_a_copy_with_the_key_of_a_refused_push_is_a_duplicate(ward: Ward) -> None:
    ward.answers = [REFUSED]
    first = await ward.keep(a_service("SCHEDULED 300"), key="K1")
    await ward.settle()
    assert await ward.keep(a_service("SCHEDULED 300"), key="K1") == first
    assert await ward.keep(a_service("SCHEDULED 300"), key="K2") != first
