"""Notices as programs read them, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind

ZONE = "Asia/Kolkata"


@pytest.mark.parametrize(
    ("notice", "parameters"),
    [
        (Notice(NoticeKind.DISK_FULL), {}),
        (Notice(NoticeKind.PARKED, number=3), {"number": 3}),
        (
            Notice(NoticeKind.ACKNOWLEDGMENTS, parts=("3 due", "1 sent")),
            {"parts": ["3 due", "1 sent"]},
        ),
        (
            Notice(
                NoticeKind.ZAUTO_DOWN,
                address="h:1",
                reason=Reason.UNREACHABLE,
                fault=NetworkFault.DNS,
                since=5.0,
                until=65.0,
                paused=True,
            ),
            {
                "address": "h:1",
                "reason": "not reachable",
                "fault": "dns",
                "since": 5.0,
                "until": 65.0,
                "paused": True,
            },
        ),
    ],
)
def test_parameters_are_json_of_all_that_is_stated(
    notice: Notice, parameters: dict[str, Any]
) -> None:
    assert json.loads(json.dumps(notice.parameters())) == parameters
