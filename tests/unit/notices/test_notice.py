"""Notices as programs read them, and back."""

from __future__ import annotations

import json

import pytest

from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind, notice_row

ZONE = "Asia/Kolkata"


@pytest.mark.parametrize(
    "notice",
    [
        Notice(NoticeKind.DISK_FULL),
        Notice(NoticeKind.PARKED, number=3),
        Notice(NoticeKind.ACKNOWLEDGMENTS, parts=("3 due", "1 sent")),
        Notice(
            NoticeKind.ZAUTO_DOWN,
            address="h:1",
            reason=Reason.UNREACHABLE,
            fault=NetworkFault.DNS,
            since=5.0,
            until=65.0,
            paused=True,
        ),
    ],
)
def test_a_row_has_all_that_makes_the_notice_again(notice: Notice) -> None:
    row = json.loads(json.dumps(notice_row(notice, ZONE)))
    assert Notice.stated(row["kind"], row["parameters"]) == notice


def test_a_row_names_kind_text_and_what_to_do() -> None:
    row = notice_row(Notice(NoticeKind.RESOURCE_PAUSED, resource="patients"), ZONE)
    assert row == {
        "kind": "resource_paused",
        "by": "operator",
        "text": "Calls for patients are paused. Go on: bridge resume --resource patients",
        "do": "'bridge resume --resource patients'",
        "parameters": {"resource": "patients"},
    }
