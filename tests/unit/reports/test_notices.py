"""Notices as rows."""

from __future__ import annotations

from bridge.notices import Notice, NoticeKind
from bridge.reports.notices import notice_row

ZONE = "Asia/Kolkata"


def test_a_row_names_kind_text_and_what_to_do() -> None:
    row = notice_row(Notice(NoticeKind.RESOURCE_PAUSED, resource="patients"), ZONE)
    assert row.plain() == {
        "kind": "resource_paused",
        "by": "operator",
        "text": "Calls for patients are paused. Go on: bridge resume --resource patients",
        "do": "'bridge resume --resource patients'",
        "parameters": {"resource": "patients"},
    }
