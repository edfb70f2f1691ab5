"""Notices as programs read them, and back."""

from __future__ import annotations

import json

import pytest

from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind

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
def test_kind_and_parameters_make_the_notice_again(notice: Notice) -> None:
    parameters = json.loads(json.dumps(notice.parameters()))
    assert Notice.stated(str(notice.kind), parameters) == notice
