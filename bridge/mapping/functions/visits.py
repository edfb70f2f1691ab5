"""Numbers of visits that have none."""

from __future__ import annotations

from typing import Any

from bridge.mapping.functions.times import date_time
from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode

#: digits of a DTM with hours and minutes (chapter 2A), without which two visits of a day are one
_TO_THE_MINUTE = 12


def admission_number(value: Any, scope: Scope) -> str | None:
    """`4711-20260301T0445Z`, of the patient and the minute the visit began.

    Seconds are left out, because senders write them in one message and not in the next.
    """
    patient = scope.ids.get("patients")
    if not patient:
        return None
    if not value[:_TO_THE_MINUTE].isdigit() or len(value) < _TO_THE_MINUTE:
        scope.remark(RemarkCode.NO_MINUTE)
        return None
    moment = date_time(value, scope)
    if moment is None:
        return None
    return f"{patient}-{moment[:16].replace('-', '').replace(':', '')}Z"
