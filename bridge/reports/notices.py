"""Notices in the report of `bridge status`, as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.notices import Notice, notice_row


def notice_report(notices: Iterable[Notice], zone: str) -> dict[str, Any]:
    """Notices as rows with their kind, and their sentences alone."""
    rows = [notice_row(each, zone) for each in notices]
    return {"lines": rows, "notices": [row["text"] for row in rows]}
