"""Programs read reports by their keys: each is listed here, in its order, and described."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from bridge.reports.aliases import AliasRow
from bridge.reports.calls import (
    AttemptReport,
    CallReport,
    DeliveryReport,
    OriginRow,
    outcome_report,
)
from bridge.reports.destinations import (
    DestinationRow,
    PauseReport,
    ResumedReport,
    StopRow,
    TroubleRow,
)
from bridge.reports.lists import QuarantineRow, UnmappedCodeRow, UseRow, VersionRow
from bridge.reports.messages import ErrorRow, LaterReport, MessageReport, MessageRow
from bridge.reports.notices import NoticeRow
from bridge.reports.remarks import RemarkReport, RemarkRow
from bridge.reports.report import Report
from bridge.reports.status import (
    BudgetReport,
    DeviationRow,
    HeldRow,
    ListenerRow,
    StatusReport,
    UnmappedRow,
)
from bridge.reports.stuck import ParkedRow, TaskRow

ROW = (
    "id received_at channel protocol message_type control_id answer application_answer status "
    "verdict cause reason remarks waits_for duplicates mapping mappings_hash"
)
CALL = "target interaction resource external_id into owner payload create_only lineage"
PAUSED = "paused paused_destinations paused_resources paused_channels paused_patients"
KEYS: dict[type[Report], str] = {
    MessageRow: ROW,
    MessageReport: f"{ROW} sending_application sending_facility body_gone structure lines "
    "changed_at next runbook body acknowledgment application_acknowledgment deliveries",
    LaterReport: "state code asked after line since cause reason errors body",
    ErrorRow: "location code severity",
    RemarkReport: "code path text sent",
    CallReport: CALL,
    DeliveryReport: f"id {CALL} status step cause reason waits_for due_at attempts",
    AttemptReport: "method resource started_at ended_at outcome why status code detail fields",
    OriginRow: "field path raw rule made_by",
    QuarantineRow: "id at channel peer reason bytes head",
    UnmappedCodeRow: "table code sender waiting count first_at last_at",
    RemarkRow: "sender path code text count first_at last_at message",
    AliasRow: "message at interaction level number authority leads_to retired reason",
    UseRow: "site hash since pinned",
    VersionRow: "hash first_used_at sites in_use_by pinned_by",
    StatusReport: "running messages deliveries oldest_waiting_seconds held_for unmapped_types "
    f"quarantined application_acknowledgments parked_by tasks {PAUSED} destinations resumed "
    "acknowledging ended lines notices mappings remarks listeners contract budget",
    HeldRow: "waits_for count",
    UnmappedRow: "message_type count",
    ParkedRow: "cause sending_application sending_facility channel count oldest",
    TaskRow: "what do count since",
    DestinationRow: "name address paused trouble stops",
    TroubleRow: "reason fault since next_try needs_person",
    StopRow: "resource reason since until",
    ResumedReport: "at reason",
    PauseReport: f"{PAUSED} unknown_patient destinations",
    NoticeRow: "kind by text do parameters",
    ListenerRow: "listener connections tls certificate_days_left",
    DeviationRow: "what where count first_at last_at",
    BudgetReport: "used limit resets_at waiting remaining_at_zauto reset_at_zauto calls_waiting "
    "drained_in",
}


@pytest.mark.parametrize(("report", "keys"), KEYS.items(), ids=lambda each: str(each)[:40])
def test_a_report_has_these_keys_in_this_order(report: type[Report], keys: str) -> None:
    assert list(report.model_fields) == keys.split()


@pytest.mark.parametrize("report", KEYS)
def test_a_report_has_a_json_schema(report: type[Report]) -> None:
    schema = TypeAdapter(report).json_schema(mode="serialization")
    assert schema["description"]
    assert list(schema["properties"]) == KEYS[report].split()


def test_what_is_not_set_is_not_among_the_json() -> None:
    unanswered = outcome_report(None, frozenset(), reveal=True).plain()
    assert unanswered == {"outcome": "unanswered", "status": None, "detail": ""}


def test_json_is_read_back_as_the_same_report() -> None:
    row = UnmappedRow(message_type="ADT^A60", count=2)
    assert UnmappedRow.model_validate(row.plain()) == row
