"""Reach what the service knows: ask the running one, or open its store when none runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from bridge.causes import CauseKind
from bridge.delivery import Target
from bridge.errors import BridgeError, DoorError
from bridge.message import Status
from bridge.pipeline.delivery.call_limit import call_limit
from bridge.pipeline.delivery.pauses import PAUSED_NOTE, Pauses
from bridge.pipeline.delivery.zauto import CONTRACT_NOTE
from bridge.reports.aliases import alias_rows
from bridge.reports.destinations import destination_notices, kept_rows, resumed
from bridge.reports.messages import (
    budget_report,
    code_row,
    contract_report,
    mappings_in_use,
    message_report,
    message_rows,
    quarantine_row,
    status_report,
    version_rows,
)
from bridge.reports.notices import notice_report
from bridge.reports.remarks import remark_rows, top_remarks
from bridge.reports.stuck import stuck_report
from bridge.service.control import ask, socket_path
from bridge.settings import Settings
from bridge.store.contract import View
from bridge.store.open import open_view, place_of
from bridge.zauto.watch import read as read_seen

T = TypeVar("T")


class Reach:
    """One command's way to the service or its store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.store.url
        self._socket = socket_path(place_of(self._url))

    def status(self, *, reveal: bool = False) -> dict[str, Any]:
        """What `bridge status` shows."""
        question = {"ask": "status", "reveal": reveal}
        return self._either(question, lambda view: _status_of(view, self._settings, reveal=reveal))

    def messages(
        self, status: Status | None, limit: int, reveal: bool, cause: CauseKind | None = None
    ) -> list[dict[str, Any]]:
        """Rows of the newest messages."""
        question: dict[str, Any] = {"ask": "messages", "status": status, "cause": cause}
        question |= {"limit": limit, "reveal": reveal}
        return self._either(
            question,
            lambda view: message_rows(view, status=status, cause=cause, limit=limit, reveal=reveal),
        )

    def message(self, message_id: int, reveal: bool) -> dict[str, Any] | None:
        """Everything about one message."""
        question = {"ask": "message", "id": message_id, "reveal": reveal}
        return self._either(
            question,
            lambda view: message_report(view, message_id, self._settings, reveal=reveal),
        )

    def quarantine(self, limit: int, reveal: bool) -> list[dict[str, Any]]:
        """Rows of what was no message."""
        question = {"ask": "quarantine", "limit": limit, "reveal": reveal}
        return self._either(
            question,
            lambda view: [quarantine_row(each, reveal=reveal) for each in view.quarantined(limit)],
        )

    def codes(self, limit: int, reveal: bool) -> list[dict[str, Any]]:
        """Rows of the codes that no code table knows."""
        question = {"ask": "codes", "limit": limit, "reveal": reveal}
        return self._either(
            question,
            lambda view: [code_row(each, reveal=reveal) for each in view.unmapped_codes(limit)],
        )

    def remarks(self, limit: int, sender: str) -> list[dict[str, Any]]:
        """Rows of the remarks that were met most often."""
        question = {"ask": "remarks", "limit": limit, "sender": sender}
        return self._either(question, lambda view: remark_rows(view, limit=limit, sender=sender))

    def merges(self, limit: int, before: int | None, reveal: bool) -> list[dict[str, Any]]:
        """Rows of the numbers that lead to other records."""
        question = {"ask": "merges", "limit": limit, "before": before, "reveal": reveal}
        return self._either(
            question,
            lambda view: alias_rows(view, limit=limit, before=before, reveal=reveal),
        )

    def pause(self, paused: bool, **named: str) -> dict[str, Any]:
        """Stop or let go delivery, of all or of what is named (`destination`, `resource`,
        `channel`, `patient`); only a running service can be asked."""
        answer: dict[str, Any] = ask(self._socket, {"ask": "pause", "paused": paused, **named})
        return answer

    def resume_now(self, reason: str, **named: str) -> dict[str, Any]:
        """Let delivery go on and make waiting calls at once; only a running service can be
        asked."""
        answer: dict[str, Any] = ask(self._socket, {"ask": "resume", "reason": reason, **named})
        return answer

    def versions(self, limit: int) -> list[dict[str, Any]]:
        """Rows of the sets of mappings that were in use."""
        question = {"ask": "versions", "limit": limit}
        return self._either(question, lambda view: version_rows(view, limit))

    def change_mappings(self, question: dict[str, Any]) -> dict[str, Any]:
        """Reload or roll back; only a running service can be told."""
        answer: dict[str, Any] = ask(self._socket, question, seconds=60)
        return answer

    def zauto(self, question: dict[str, Any]) -> dict[str, Any]:
        """What ZautoAI answers to a person: asked by the running service, so that one budget
        counts every call; without one by this process, with the count its store keeps."""
        # httpx takes a while to load, and the other commands do without.
        from bridge.service.inquiry import fingerprint
        from bridge.service.zauto import ask_alone

        zauto = self._settings.zauto
        asked = {"ask": "zauto", "fingerprint": fingerprint(zauto), **question}
        # A ping makes two calls, and each may have asked for a token and been refused before.
        seconds = 4 * zauto.deadline_seconds
        try:
            answer: dict[str, Any] = ask(self._socket, asked, seconds=seconds)
        except DoorError:
            return asyncio.run(ask_alone(self._settings, question))
        return answer

    def budget(self) -> dict[str, Any]:
        """What the running service says of its budget, or what its store has counted."""
        try:
            report = ask(self._socket, {"ask": "status"})
        except DoorError:
            return self._opened(self._budget_of)
        if "budget" not in report:
            raise BridgeError("ZautoAI is not set up: set zauto.base_url and the credentials")
        budget: dict[str, Any] = report["budget"]
        return budget

    def _budget_of(self, view: View) -> dict[str, Any]:
        calls, now = call_limit(self._settings.zauto), time.time()
        calls.take_up(view, now)
        waiting, state = view.waiting(Target.ZAUTO), calls.state(now)
        return budget_report(state, waiting=waiting, drained_in=None)

    def _either(self, question: dict[str, Any], read: Callable[[View], T]) -> T:
        try:
            answer: T = ask(self._socket, question)
        except DoorError:
            return self._opened(read)
        return answer

    def _opened(self, read: Callable[[View], T]) -> T:
        file = place_of(self._url)
        if not file.exists():
            raise BridgeError(
                f"no service runs and there is no store at {file}: start one with 'bridge run', "
                "or name its settings with --config"
            )
        return read(open_view(self._url))


def _status_of(view: View, settings: Settings, *, reveal: bool) -> dict[str, Any]:
    now, pauses = time.time(), Pauses.read(view.note(PAUSED_NOTE))
    report = status_report(view.tally(), now=now, running=False, reveal=reveal)
    destinations = kept_rows(view, settings, pauses, now)
    report |= {**pauses.report(reveal=reveal), "destinations": destinations}
    report["resumed"] = resumed(view)
    report |= notice_report(destination_notices(destinations), settings.site.time_zone)
    report |= stuck_report(view)
    report["mappings"] = mappings_in_use(view)
    report["remarks"] = top_remarks(view)
    odd = view.note(CONTRACT_NOTE)
    report["contract"] = contract_report(read_seen(odd)) if odd else []
    return report
