"""What people are shown: nothing of a patient unless it was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from bridge.causes import MASK, OTHER_FIELD, Cause, CauseKind, action
from bridge.delivery import FieldError, Kind, Outcome, Reason
from bridge.lineage import Trace
from bridge.message import Status
from bridge.reports.calls import call_report, outcome_report
from bridge.reports.masking import masked, masked_reference
from bridge.reports.messages import message_report, message_rows, next_action
from bridge.reports.status import backlog
from bridge.settings import Settings
from bridge.store.contract import View
from bridge.visible import readable
from tests.unit.pipeline.bench import Bench, a_patient, a_visit
from tests.unit.pipeline.planning.test_plan import an_order
from tests.unit.pipeline.remote import Fault

SECRETS = ("P1", "4711", "Meera", "Nair", "+919845000001", "V1")


async def told(bench: Bench, reveal: bool) -> list[dict[str, Any]]:
    """Reports of messages in many states."""
    bench.remote.faults = iter([Fault.INVALID])
    ids = [await bench.plan(replace(a_patient(), lineage=lineage()), a_visit())]
    await bench.finish()
    ids.append(await bench.plan(an_order("X")))
    return bench.store.read(lambda view: everything(view, ids, bench.clock(), reveal))


def everything(view: View, ids: list[int], now: float, reveal: bool) -> list[dict[str, Any]]:
    reports = [message_report(view, number, Settings(), reveal=reveal) for number in ids]
    rows = message_rows(view, status=None, cause=None, limit=50, reveal=reveal)
    status = backlog(view.tally(), now=now, running=True)
    shown = (*(report for report in reports if report is not None), *rows, status)
    return [report.plain() for report in shown]


def lineage() -> tuple[Trace, ...]:
    return ((0, "PID-5", "Nair^Meera"), (1, "PID-8", "F", "codes/gender: F"))


async def test_nothing_of_a_patient_is_shown_unless_asked_for(bench: Bench) -> None:
    shown = orjson.dumps(await told(bench, reveal=False)).decode()
    # the name of a segment is a constant
    assert [secret for secret in SECRETS if secret in shown.replace("PV1", "")] == []
    assert "codes/gender" in shown
    assert "codes/gender: F" not in shown


async def test_what_is_asked_for_is_shown(bench: Bench) -> None:
    shown = orjson.dumps(await told(bench, reveal=True)).decode()
    assert [secret for secret in SECRETS if secret not in shown] == []
    assert "codes/gender: F" in shown


async def test_a_reason_names_the_field_but_not_what_was_said_of_it(bench: Bench) -> None:
    reports = await told(bench, reveal=False)
    assert reports[0]["reason"] == f"refused as invalid: fullName “{MASK}”"
    assert reports[0]["waits_for"] == ""
    assert reports[0]["deliveries"][1]["waits_for"] == f"patients/{MASK}"


async def test_a_message_that_is_not_there_has_no_report(bench: Bench) -> None:
    assert bench.store.read(lambda view: message_report(view, 99, Settings(), reveal=True)) is None


def test_the_status_tells_every_status_and_how_old_the_oldest_is(bench: Bench) -> None:
    tally = bench.store.read(lambda view: view.tally())
    report = backlog(replace(tally, oldest_waiting=90.0), now=100.0, running=False)
    assert list(report.messages) == list(Status)
    assert report.oldest_waiting_seconds == 10.0
    assert report.running is False


def test_masking_keeps_the_shape_and_says_what_is_cleared() -> None:
    value = {"segments": [["PID", {"5.1": "Nair"}]], "email": None, "uhid": 7}
    expected = {"segments": [[MASK, {"5.1": MASK}]], "email": None, "uhid": MASK}
    assert masked(value) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("patients/P1", f"patients/{MASK}"),
        ("Patient/a/b", f"Patient/{MASK}"),
        ("codes/gender/W", f"codes/gender/{MASK}"),
        ("codes/gender/Nair/Meera/F", f"codes/gender/{MASK}"),
        ("", ""),
    ],
)
def test_a_reference_shows_its_kind(name: str, shown: str) -> None:
    assert masked_reference(name, reveal=False) == shown
    assert masked_reference(name, reveal=True) == name


def test_an_outcome_names_fields_and_hides_what_was_said() -> None:
    outcome = Outcome(
        Kind.PERMANENT,
        Reason.INVALID,
        400,
        detail="4711 is odd",
        field_errors=(FieldError("uhid", "4711"), FieldError("Meera Nair", "is odd")),
    )
    fields = frozenset({"uhid"})
    shown = outcome_report(outcome, fields, reveal=False)
    assert (shown.status, shown.detail) == (400, "")
    assert shown.fields == ["uhid", OTHER_FIELD]
    revealed = outcome_report(outcome, fields, reveal=True)
    assert (revealed.detail, revealed.fields) == ("4711 is odd", ["uhid", "Meera Nair"])
    assert outcome_report(None, fields, reveal=True).outcome == "unanswered"


def test_a_call_shows_what_of_it_only_creation_sends() -> None:
    assert call_report(a_visit(), (), reveal=False).create_only == ["status"]


def test_a_body_is_shown_a_segment_a_line() -> None:
    assert readable(b"MSH|1\rPID|\xff\r") == "MSH|1\nPID|�\n"


async def test_what_a_message_asks_of_a_person_is_told(bench: Bench) -> None:
    parked, waiting = await told(bench, reveal=False), Status.WAITING
    assert parked[0]["next"] == action(Cause(CauseKind(parked[0]["cause"])))
    assert next_action(waiting, None).startswith("nothing")
    assert next_action(Status.DELIVERED, None) == ""
