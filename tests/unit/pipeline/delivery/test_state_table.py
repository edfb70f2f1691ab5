"""The state table of docs/how-it-works.md, row by row, through judging, settling and what follows.

A row of the document without a test fails, and so does a test without a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bridge.delivery import Call, Interaction, Kind, Outcome, Reason, Request
from bridge.message import Status
from bridge.pipeline.delivery.poison import POISON
from bridge.pipeline.delivery.second_read import AGAIN_AFTER
from bridge.pipeline.delivery.settle import LONGEST_WAIT
from bridge.zauto.answers import Answer, Failure
from tests.unit.pipeline.bench import Bench, a_call, a_patient, a_provider, a_visit
from tests.unit.pipeline.remote import QUIET, Fault, answer, refusal

ROOT = Path(__file__).parents[4]
DOCUMENT = ROOT / "docs" / "how-it-works.md"
HEADING = "### How a request to ZautoAI ended, and what follows"

#: what a request is answered with instead; None as ZautoAI would
Scripted: TypeAlias = Fault | Answer | Failure | None

THEIRS = {"id": "P1", "uhid": 9, "fullName": "Somebody Else"}
OURS = dict(a_patient().payload)
OF_P2 = answer(201, {"status": "success", "data": {"externalId": "P2"}})
STRANGER = Answer(404, {}, b"<html>", complete=True)
HTML = Answer(200, {}, b"<html>", complete=True)


@dataclass(frozen=True)
class Row:
    """A story whose last message meets the answer of the row."""

    answers: Iterable[Scripted]
    #: requests of the last message, methods only
    methods: list[str]
    status: Status
    reason: str = ""
    #: planned and delivered before
    before: tuple[Call, ...] = ()
    calls: tuple[Call, ...] = (a_patient(),)
    #: records that ZautoAI has already
    there: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    #: what is opened after the first answer: a resource, "" for all; None for nothing
    opened: str | None = None
    #: the least that lies between the first request and the next
    quiet: float = 0.0


MOVED = (a_patient(address="7 Hill View"),)
KNOWN = (a_patient(),)
DELETED = (a_call("patients", "P1", {"id": "P1"}, interaction=Interaction.DELETE),)
DELIVERED, PARKED, HELD = Status.DELIVERED, Status.PARKED, Status.HELD

ROWS: dict[str, Row] = {
    "2xx, well-formed, our external id": Row([None], ["POST"], DELIVERED),
    "2xx that is cut, not JSON, says error or is too large": Row(
        [HTML], ["POST", "GET", "POST"], DELIVERED, quiet=5
    ),
    "2xx for another external id": Row(
        [OF_P2], ["POST"], PARKED, "ZautoAI answered for another record", opened="patients"
    ),
    "nothing was sent: DNS, refused, TLS": Row(
        [Failure.UNREACHABLE, Failure.UNREACHABLE], ["POST"] * 3, DELIVERED, quiet=1
    ),
    "certificate not trusted": Row(
        [Failure.CERTIFICATE], ["POST", "POST"], DELIVERED, opened="", quiet=60
    ),
    "no answer, 502, 504, or the bridge was killed": Row(
        [Fault.GATEWAY], ["POST", "GET", "POST"], DELIVERED, quiet=QUIET
    ),
    "500, 503": Row(
        [Answer(503, {"retry-after": "17"}, b"", complete=True)],
        ["POST", "GET", "POST"],
        DELIVERED,
        quiet=17,
    ),
    "404 or 405 without the API's error body": Row(
        [STRANGER], ["PUT", "GET", "PUT"], DELIVERED, before=KNOWN, calls=MOVED, quiet=5
    ),
    "unknown, and GET shows it as it should be": Row(
        [Fault.UNHEARD], ["POST", "GET"], DELIVERED, quiet=QUIET
    ),
    "unknown, and GET shows it different": Row(
        [Fault.LOST], ["PUT", "GET", "PUT"], DELIVERED, before=KNOWN, calls=MOVED, quiet=QUIET
    ),
    "unknown, and GET shows nothing": Row(
        [Fault.LOST], ["POST", "GET", "POST"], DELIVERED, quiet=QUIET
    ),
    "unknown, and GET shows another patient or visit": Row(
        [Fault.LOST], ["POST", "GET"], PARKED, "conflict", there={("patients", "P1"): THEIRS}
    ),
    "a read without a clear answer": Row(
        [Fault.LOST, Failure.NO_ANSWER], ["POST", "GET", "GET", "POST"], DELIVERED
    ),
    "a read by id answered by a stranger": Row(
        [Fault.UNHEARD, STRANGER], ["POST", "GET", "GET"], DELIVERED
    ),
    "POST 409 of a provider that is only to exist": Row(
        [None],
        ["POST"],
        Status.SUPPRESSED,
        calls=(a_provider(),),
        there={("providers", "D1"): {"id": "D1", "fullName": "Dr. A. Rao, MD"}},
    ),
    "POST 409, and GET shows the same patient or visit": Row(
        [None],
        ["POST", "GET", "PUT"],
        DELIVERED,
        there={("patients", "P1"): OURS | {"title": "Mrs"}},
    ),
    "POST 409, and GET shows another, nothing, or not enough": Row(
        [None], ["POST", "GET"], PARKED, "conflict", there={("patients", "P1"): {"id": "P1"}}
    ),
    "PUT 404 `RESOURCE_NOT_FOUND`": Row(
        [refusal(404, "RESOURCE_NOT_FOUND"), refusal(409, "DUPLICATE_EXTERNAL_ID"), None] * 3,
        ["PUT", "POST", "GET", "PUT", "POST", "GET", "PUT"],
        PARKED,
        "ZautoAI says that the record exists and that it does not",
        before=KNOWN,
        calls=MOVED,
    ),
    "`REFERENCED_RESOURCE_NOT_FOUND`, and the record is not known": Row(
        [None], ["POST"], HELD, "waits for its patients record", calls=(a_visit(),)
    ),
    "DELETE 404 `RESOURCE_NOT_FOUND`": Row(
        [refusal(404, "RESOURCE_NOT_FOUND")],
        ["DELETE"],
        Status.SUPPRESSED,
        "it is not there any more",
        before=KNOWN,
        calls=DELETED,
    ),
    "unknown after a DELETE, and GET shows nothing": Row(
        [Fault.UNHEARD], ["DELETE", "GET"], DELIVERED, before=KNOWN, calls=DELETED, quiet=QUIET
    ),
    "unknown after a DELETE, and GET shows it": Row(
        [Fault.LOST],
        ["DELETE", "GET", "DELETE"],
        DELIVERED,
        before=KNOWN,
        calls=DELETED,
        quiet=QUIET,
    ),
    "400": Row([Fault.INVALID], ["POST"], PARKED, "refused as invalid: fullName"),
    "401 again": Row([Fault.UNAUTHORIZED], ["POST", "POST"], DELIVERED, opened="", quiet=60),
    "403": Row([Fault.FORBIDDEN], ["POST", "POST"], DELIVERED, opened="patients", quiet=60),
    "429": Row([Fault.LIMITED], ["POST", "POST"], DELIVERED, opened="", quiet=30),
    "3xx": Row(
        [Answer(307, {"location": "https://elsewhere"}, b"", complete=True)],
        ["POST", "GET", "POST"],
        DELIVERED,
        opened="",
        quiet=60,
    ),
    "other 4xx": Row([Answer(418, {}, b"", complete=True)], ["POST"], PARKED, "unexpected answer"),
}

#: rows that take more than a story: each has a test of this name here or in another file
ELSEWHERE: dict[str, tuple[str, str]] = {
    "the second read after an unknown shows it different": (
        "tests/unit/pipeline/delivery/test_state_table.py",
        "test_what_came_late_over_a_later_message_is_put_right",
    ),
    "an assumed update answered by a stranger, three times": (
        "tests/unit/pipeline/delivery/test_state_table.py",
        "test_an_assumed_update_that_is_not_there_parks_and_later_ones_make_no_call",
    ),
    "many without a clear answer, while others are written": (
        "tests/unit/pipeline/delivery/test_state_table.py",
        "test_poison_is_parked_while_others_are_written_and_an_outage_parks_nothing",
    ),
    "`REFERENCED_RESOURCE_NOT_FOUND`, and the record is known": (
        "tests/unit/pipeline/delivery/test_zauto.py",
        "test_a_referent_that_was_wiped_is_made_again_first",
    ),
    "`REFERENCED_RESOURCE_NOT_FOUND` a fifth time": (
        "tests/unit/pipeline/delivery/test_zauto.py",
        "test_a_far_end_that_misses_what_it_has_is_not_asked_for_ever",
    ),
    "401": (
        "tests/doors/test_zauto_sender.py",
        "test_that_is_refused_is_renewed_once_for_all_and_each_call_made_again",
    ),
    "client credentials refused": (
        "tests/unit/pipeline/delivery/test_state_table.py",
        "test_refused_credentials_stop_all_for_longer_each_time_and_park_nothing",
    ),
    "a fault of the bridge itself": (
        "tests/unit/pipeline/delivery/test_deliver.py",
        "test_a_fault_of_ours_parks_its_delivery_and_no_other",
    ),
}


def documented() -> list[str]:
    """The first cell of each row of the document's table."""
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    table = rest.partition("\n#")[0]
    cells = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")]
    return cells[2:]


def test_every_row_of_the_document_is_tested_and_every_test_is_of_a_row() -> None:
    assert sorted(documented()) == sorted([*ROWS, *ELSEWHERE])


@pytest.mark.parametrize("row", sorted(ELSEWHERE))
def test_a_row_tested_elsewhere_has_its_test(row: str) -> None:
    file, name = ELSEWHERE[row]
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def script(bench: Bench, answers: Iterable[Scripted]) -> list[float]:
    """Answer so, then as ZautoAI would; the times of the requests that come."""
    remaining, times = iter(answers), list[float]()
    usual = bench.remote.answered

    def answered(request: Request) -> Answer | Failure:
        times.append(bench.clock())
        scripted = next(remaining, None)
        if scripted is None or isinstance(scripted, Fault):
            bench.remote.faults = iter([scripted or Fault.NONE])
            return usual(request)
        return scripted

    bench.remote.answered = answered  # type: ignore[method-assign]
    return times


@pytest.mark.parametrize("name", ROWS)
async def test_a_row(bench: Bench, name: str) -> None:
    row = ROWS[name]
    bench.remote.records = {key: dict(record) for key, record in row.there.items()}
    if row.before:
        await bench.plan(*row.before)
        await bench.finish()
    bench.remote.requests.clear()
    times = script(bench, row.answers)
    message_id = await bench.plan(*row.calls)
    await bench.look()
    assert next(iter(bench.end.breakers.all(bench.clock())), None) == row.opened
    await bench.finish()
    assert [request.method for request in bench.remote.requests] == row.methods
    assert (bench.status(message_id), bench.reason(message_id)[: len(row.reason)]) == (
        row.status,
        row.reason,
    )
    if len(times) > 1:
        assert times[1] - times[0] >= row.quiet


async def test_what_came_late_over_a_later_message_is_put_right(bench: Bench) -> None:
    await bench.plan(*KNOWN)
    await bench.finish()
    bench.remote.faults = iter([Fault.LOST])
    await bench.plan(*MOVED)
    await bench.finish()
    later = await bench.plan(a_patient(address="3 Temple Street"))
    await bench.finish()
    # now the request that went unanswered arrives
    bench.remote.records["patients", "P1"]["address"] = "7 Hill View"
    await bench.sweep()
    assert not await bench.waiting()
    bench.clock.now += AGAIN_AFTER * QUIET
    await bench.sweep()
    await bench.finish()
    assert bench.methods()[-2:] == ["GET patients", "PUT patients"]
    assert bench.remote.records["patients", "P1"]["address"] == "3 Temple Street"
    assert bench.status(later) is DELIVERED


async def test_a_record_is_read_a_second_time_only_once(bench: Bench) -> None:
    bench.remote.faults = iter([Fault.UNHEARD])
    await bench.plan(*KNOWN)
    await bench.finish()
    for _ in range(3):
        bench.clock.now += AGAIN_AFTER * QUIET
        await bench.sweep()
        await bench.finish()
    assert bench.methods() == ["POST patients", "GET patients", "GET patients"]


async def test_what_waits_in_the_lane_is_not_undone_by_the_second_read(bench: Bench) -> None:
    bench.remote.faults = iter([Fault.UNHEARD])
    await bench.plan(a_patient(address="12 Lake Road"))
    await bench.finish()
    bench.clock.now += AGAIN_AFTER * QUIET
    await bench.plan(a_patient(address="7 Hill View"))
    await bench.plan(a_patient(address="3 Temple Street"))
    await bench.sweep()
    await bench.finish()
    assert bench.methods()[2:] == ["PUT patients", "PUT patients", "GET patients"]
    assert bench.remote.records["patients", "P1"]["address"] == "3 Temple Street"


async def test_a_provider_of_the_staff_is_not_read_again(bench: Bench) -> None:
    bench.remote.faults = iter([Fault.UNHEARD])
    await bench.plan(a_provider())
    await bench.finish()
    bench.clock.now += AGAIN_AFTER * QUIET
    await bench.sweep()
    assert not await bench.waiting()


async def test_an_assumed_update_that_is_not_there_parks_and_later_ones_make_no_call(
    bench: Bench,
) -> None:
    await bench.plan(a_patient(), a_visit())
    await bench.finish()
    usual = bench.remote.answered
    bench.remote.answered = lambda r: STRANGER if r.method == "PUT" else usual(r)  # type: ignore[method-assign]
    bench.remote.requests.clear()
    first = await bench.plan(a_visit(purposeOfVisit="Fever"))
    await bench.finish()
    assert [r.method for r in bench.remote.requests] == ["PUT", "GET", "PUT", "GET", "PUT"]
    second = await bench.plan(a_visit(purposeOfVisit="Follow-up"))
    await bench.finish()
    assert len(bench.remote.requests) == 5
    for message_id in (first, second):
        assert bench.status(message_id) is PARKED
        assert bench.reason(message_id).startswith("not offered by its API")
    assert bench.end.endpoints.found_missing(bench.clock()) == ["update patient-visits"]


async def test_what_the_settings_say_is_not_offered_is_not_tried(bench: Bench) -> None:
    bench.end = bench.far_end(not_offered=("read patients", "update patients"))
    bench.deliver = bench.carrier()
    bench.remote.faults = iter([Fault.UNHEARD])
    await bench.plan(*KNOWN)
    await bench.finish()
    assert [r.by_list for r in bench.remote.requests] == [False, True]
    moved = await bench.plan(*MOVED)
    await bench.finish()
    assert len(bench.remote.requests) == 2
    assert bench.status(moved) is PARKED


async def test_poison_is_parked_while_others_are_written_and_an_outage_parks_nothing(
    bench: Bench,
) -> None:
    usual, poisoned = bench.remote.answered, "P1"

    def answered(request: Request) -> Answer | Failure:
        bad = poisoned in ("all", request.external_id)
        return refusal(500) if bad and request.method != "GET" else usual(request)

    bench.remote.answered = answered  # type: ignore[method-assign]
    poison = await bench.plan(*KNOWN)
    for number in range(4 * POISON):
        await bench.plan(a_patient(f"N{number}", uhid=number))
        for _ in range(20):
            bench.clock.now += max(await bench.look(), LONGEST_WAIT / 10)
    assert (bench.status(poison), bench.reason(poison)) == (
        PARKED,
        f"no clear answer {POISON} times, while others get one",
    )
    poisoned = "all"
    others = [await bench.plan(a_patient(f"M{number}", uhid=number)) for number in range(3)]
    for _ in range(400):
        bench.clock.now += max(await bench.look(), 60.0)
    assert {bench.status(each) for each in others} == {Status.WAITING}
    poisoned = "nobody"
    await bench.finish()
    assert {bench.status(each) for each in others} == {DELIVERED}


async def test_refused_credentials_stop_all_for_longer_each_time_and_park_nothing(
    bench: Bench,
) -> None:
    usual, refused = bench.remote.send, Outcome(Kind.TRANSIENT, Reason.BAD_CREDENTIALS, 401)

    async def send(_: Request) -> Outcome:
        return refused

    bench.end._send = send
    ids = [await bench.plan(a_patient(f"P{number}", uhid=number)) for number in range(3)]
    waits = []
    for _ in range(6):
        await bench.look()
        opened = bench.end.breakers.all(bench.clock())[""]
        waits.append(opened.until - bench.clock())
        bench.clock.now = opened.until
    assert waits == [60, 120, 240, 480, 900, 900]
    assert opened.reason is Reason.BAD_CREDENTIALS
    bench.end._send = usual
    await bench.finish()
    assert {bench.status(each) for each in ids} == {DELIVERED}


class TestAVisitThatNamesItsPatientByTheirId:
    """The document does not say which of its two ids a visit shows."""

    @pytest.fixture
    def bench(self, bench: Bench) -> Bench:
        usual = bench.remote._shown

        def shown(key: tuple[str, str], status: int = 200) -> Answer:
            record = bench.remote.records.get(key, {})
            if "patientId" not in record:
                return usual(key, status)
            theirs = {**record, "id": "visit-uuid", "externalId": key[1], "patientId": self.theirs}
            return answer(status, {"status": "success", "data": theirs})

        self.theirs = "own"
        bench.remote._shown = shown  # type: ignore[method-assign]
        return bench

    async def test_is_known_as_ours_after_an_unanswered_request(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.NONE, Fault.UNHEARD])
        message_id = await bench.plan(a_patient(), a_visit())
        await bench.finish()
        assert bench.methods()[2:] == ["GET patient-visits"]
        assert bench.status(message_id) is DELIVERED

    async def test_is_known_as_ours_where_all_else_is_as_we_sent_it(self, bench: Bench) -> None:
        self.theirs = "an id nobody has seen"
        await self._forget_own_ids(bench)
        bench.remote.faults = iter([Fault.UNHEARD])
        message_id = await bench.plan(a_visit())
        await bench.finish()
        assert bench.status(message_id) is DELIVERED
        again = await bench.plan(a_visit())
        await bench.finish()
        assert bench.status(again) is Status.SUPPRESSED

    async def test_is_another_ones_where_something_else_differs_too(self, bench: Bench) -> None:
        self.theirs = "an id nobody has seen"
        await self._forget_own_ids(bench)
        bench.remote.records["patient-visits", "V1"] = {
            **a_visit(visitDateTime="2020-01-01T00:00:00Z").payload
        }
        bench.remote.faults = iter([Fault.LOST])
        message_id = await bench.plan(a_visit())
        await bench.finish()
        assert bench.status(message_id) is PARKED

    async def test_is_another_ones_where_it_is_not_our_patients_id(self, bench: Bench) -> None:
        await bench.plan(a_patient())
        await bench.finish()
        self.theirs = "of somebody else"
        bench.remote.faults = iter([Fault.UNHEARD])
        message_id = await bench.plan(a_visit())
        await bench.finish()
        assert bench.status(message_id) is PARKED

    async def test_is_updated_where_its_id_was_taken(self, bench: Bench) -> None:
        await bench.plan(a_patient())
        bench.remote.records["patient-visits", "V1"] = dict(a_visit().payload)
        message_id = await bench.plan(a_visit(purposeOfVisit="Fever"))
        await bench.finish()
        assert bench.methods()[-2:] == ["GET patient-visits", "PUT patient-visits"]
        assert bench.status(message_id) is DELIVERED

    async def _forget_own_ids(self, bench: Bench) -> None:
        await bench.plan(a_patient())
        await bench.finish()

        def forget(tx: Any) -> None:
            tx.put_entity(replace(tx.entity("patients", "P1"), facts={}))

        await bench.store.run(forget)


class TestHeldForTooLong:
    async def test_is_parked_and_says_so(self, bench: Bench) -> None:
        message_id = await bench.plan(a_visit())
        await bench.finish()
        bench.clock.now += 72 * 3600 - 60
        await bench.sweep()
        assert bench.status(message_id) is HELD
        bench.clock.now += 60
        await bench.sweep()
        assert bench.status(message_id) is PARKED
        assert bench.reason(message_id) == (
            "waited for patients/P1, which did not come within 72 h"
        )

    async def test_what_came_in_time_is_not(self, bench: Bench) -> None:
        message_id = await bench.plan(a_visit())
        await bench.finish()
        await bench.plan(a_patient())
        await bench.finish()
        bench.clock.now += 100 * 3600
        await bench.sweep()
        assert bench.status(message_id) is DELIVERED
