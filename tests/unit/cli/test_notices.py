"""`bridge status` prints notices and tables, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.cli.look import _print_status
from bridge.cli.notices import all_rows, budget_notice, first_notices
from bridge.notices import Notice, NoticeKind, sentence
from bridge.reports.notices import notice_row
from bridge.reports.status import BudgetReport, StatusReport, budget_report
from bridge.zauto.budget import BudgetState
from bridge.zauto.watch import Oddity, Seen
from tests.unit.cli.test_status import TASK, report

ZONE = "Asia/Kolkata"
#: kinds that are titles of tables
TITLES = {NoticeKind.BY_HAND, NoticeKind.CONTRACT_DEVIATIONS}


def budget(*, limit: int | None = 1000, waiting: int = 214) -> BudgetReport:
    return budget_report(BudgetState(900, limit, None, 0.0), waiting=waiting, drained_in=720.0)


def everything(**changes: Any) -> StatusReport:
    """A report with something of all that can be printed below the first lines."""
    remark = {"count": 3, "path": "PID-7", "text": "is odd", "sender": "HIS|LOTUS"}
    remark |= {"code": "wrong_type", "first_at": 1.0, "last_at": 2.0, "message": 1}
    listener = {"listener": "mllp", "tls": True, "certificate_days_left": 90.2, "connections": 0}
    usual = {
        "oldest_waiting_seconds": 60.0,
        "quarantined": 2,
        "application_acknowledgments": {"due": 3, "sent": 1, "abandoned": 0},
        "lines": [notice_row(Notice(kind, name="name", text="text"), ZONE) for kind in NoticeKind],
        "remarks": [remark],
        "mappings": [{"site": "lakeside", "hash": "abc", "since": 0.0, "pinned": True}],
        "listeners": [listener],
        "budget": budget(limit=None),
    }
    return report(**usual | changes)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, ["No message has come yet."]),
        ({"delivered": 1}, ["All that was taken is delivered."]),
        ({"held": 1}, ["1 message held until what they wait for comes."]),
        (
            {"held": 2, "waiting": 1, "parked": 3},
            [
                "3 messages need a person: bridge messages --status parked",
                "1 message on the way, the oldest for 12 min.",
                "2 messages held until what they wait for comes.",
            ],
        ),
    ],
)
def test_the_first_lines_say_what_matters(counts: dict[str, int], told: list[str]) -> None:
    notices = first_notices(report(messages=counts, oldest_waiting_seconds=723.4))
    assert [sentence(each, ZONE) for each in notices] == told


def test_the_budget_says_when_what_waits_will_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    told = "calls to ZautoAI: 900 of 1000 in the last hour"
    notice = budget_notice(budget(), ZONE)
    assert sentence(notice, ZONE) == f"{told}; 214 wait, drained by about 13:42"
    assert sentence(budget_notice(budget(waiting=0), ZONE), ZONE) == told
    unlimited = budget_notice(budget(limit=None), ZONE)
    assert unlimited.kind is NoticeKind.CALLS_NOT_LIMITED


def test_each_printed_line_is_the_sentence_of_a_notice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    whole = everything()
    _print_status(whole, ZONE)
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    rows = all_rows(whole, ZONE)
    sentences = [row.text.rstrip() for row in rows]
    assert [line.removeprefix("! ").rstrip() for line in printed] == sentences
    assert {row.kind for row in rows} == set(NoticeKind)


def test_mappings_and_certificates_are_named_with_their_site_and_listener(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _print_status(everything(lines=[]), ZONE)
    printed = capsys.readouterr().out.splitlines()
    assert "mappings of lakeside: abc since 1970-01-01 05:30:00 IST, pinned" in printed
    assert "certificate of listener mllp: 90 days left" in printed
    assert "application acknowledgments: 3 due, 1 sent" in printed
    assert "  3x PID-7: is odd (HIS|LOTUS)" in printed


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"tasks": [TASK]}, NoticeKind.BY_HAND),
        ({"contract": [Seen(Oddity.FIELD, "x", 1, 1.0, 2.0)]}, NoticeKind.CONTRACT_DEVIATIONS),
    ],
)
def test_a_table_that_a_person_acts_on_has_a_notice_as_its_title(
    changes: dict[str, Any], kind: NoticeKind
) -> None:
    kinds = [row.kind for row in all_rows(everything(lines=[], **changes), ZONE)]
    assert kinds.count(kind) == 1
    assert TITLES.isdisjoint(row.kind for row in all_rows(everything(lines=[]), ZONE))
