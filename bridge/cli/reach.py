"""Reach what the service knows: ask the running one, or open its store when none runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from bridge.causes import CauseKind
from bridge.delivery import Target
from bridge.errors import BridgeError, DoorError
from bridge.message import Status
from bridge.pipeline.delivery.call_limit import call_limit
from bridge.pipeline.delivery.pauses import PAUSED_NOTE, Pauses
from bridge.pipeline.delivery.zauto import CONTRACT_NOTE
from bridge.reports import destinations, lists
from bridge.reports.aliases import AliasRow, alias_rows
from bridge.reports.messages import MessageReport, MessageRow, message_report, message_rows
from bridge.reports.remarks import RemarkRow, remark_rows
from bridge.reports.report import Report
from bridge.reports.status import (
    BudgetReport,
    StatusReport,
    budget_report,
    deviation_rows,
    status_report,
)
from bridge.service.control import ask, socket_path
from bridge.settings import Settings
from bridge.store.contract import View
from bridge.store.open import open_view, place_of
from bridge.zauto.watch import read as read_seen

T = TypeVar("T")
R = TypeVar("R", bound=Report)


class Reach:
    """One command's way to the service or its store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.store.url
        self._socket = socket_path(place_of(self._url))

    def status(self, *, reveal: bool = False) -> StatusReport:
        """What `bridge status` shows."""
        return self._either(
            {"ask": "status", "reveal": reveal},
            StatusReport.model_validate,
            lambda view: _status_of(view, self._settings, reveal=reveal),
        )

    def messages(
        self, status: Status | None, limit: int, reveal: bool, cause: CauseKind | None = None
    ) -> list[MessageRow]:
        """Rows of the newest messages."""
        asked = {"status": status, "cause": cause, "limit": limit, "reveal": reveal}
        return self._rows("messages", MessageRow, message_rows, asked)

    def message(self, message_id: int, reveal: bool) -> MessageReport | None:
        """Everything about one message."""
        question = {"ask": "message", "id": message_id, "reveal": reveal}
        return self._either(
            question,
            lambda answer: answer and MessageReport.model_validate(answer),
            lambda view: message_report(view, message_id, self._settings, reveal=reveal),
        )

    def quarantine(self, limit: int, reveal: bool) -> list[lists.QuarantineRow]:
        """Rows of what was no message."""
        asked = {"limit": limit, "reveal": reveal}
        return self._rows("quarantine", lists.QuarantineRow, lists.quarantine_rows, asked)

    def codes(self, limit: int, reveal: bool) -> list[lists.UnmappedCodeRow]:
        """Rows of the codes that no code table knows."""
        asked = {"limit": limit, "reveal": reveal}
        return self._rows("codes", lists.UnmappedCodeRow, lists.code_rows, asked)

    def remarks(self, limit: int, sender: str) -> list[RemarkRow]:
        """Rows of the remarks that were met most often."""
        return self._rows("remarks", RemarkRow, remark_rows, {"limit": limit, "sender": sender})

    def merges(self, limit: int, before: int | None, reveal: bool) -> list[AliasRow]:
        """Rows of the numbers that lead to other records."""
        asked = {"limit": limit, "before": before, "reveal": reveal}
        return self._rows("merges", AliasRow, alias_rows, asked)

    def pause(self, paused: bool, **named: str) -> destinations.PauseReport:
        """Stop or let go delivery, of all or of what is named (`destination`, `resource`,
        `channel`, `patient`); only a running service can be asked."""
        return self._paused({"ask": "pause", "paused": paused, **named})

    def resume_now(self, reason: str, **named: str) -> destinations.PauseReport:
        """Let delivery go on and make waiting calls at once; only a running service can be
        asked."""
        return self._paused({"ask": "resume", "reason": reason, **named})

    def _paused(self, question: Mapping[str, Any]) -> destinations.PauseReport:
        return self._asked(question, destinations.PauseReport.model_validate)

    def versions(self, limit: int) -> list[lists.VersionRow]:
        """Rows of the sets of mappings that were in use."""
        return self._rows("versions", lists.VersionRow, lists.version_rows, {"limit": limit})

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

    def budget(self) -> BudgetReport:
        """What the running service says of its budget, or what its store has counted."""
        budget = self._either(
            {"ask": "status"},
            lambda answer: StatusReport.model_validate(answer).budget,
            self._budget_of,
        )
        if budget is None:
            raise BridgeError("ZautoAI is not set up: set zauto.base_url and the credentials")
        return budget

    def _budget_of(self, view: View) -> BudgetReport:
        calls, now = call_limit(self._settings.zauto), time.time()
        calls.take_up(view, now)
        waiting, state = view.waiting(Target.ZAUTO), calls.state(now)
        return budget_report(state, waiting=waiting, drained_in=None)

    def _rows(
        self, ask: str, row: type[R], read: Callable[..., list[R]], asked: Mapping[str, Any]
    ) -> list[R]:
        """A list; what is asked of the service is also what it is read from the store with."""
        return self._either(
            {"ask": ask, **asked},
            lambda answer: [row.model_validate(each) for each in answer],
            lambda view: read(view, **asked),
        )

    def _either(
        self,
        question: Mapping[str, Any],
        of_answer: Callable[[Any], T],
        of_store: Callable[[View], T],
    ) -> T:
        try:
            return self._asked(question, of_answer)
        except DoorError:
            return self._opened(of_store)

    def _asked(self, question: Mapping[str, Any], of_answer: Callable[[Any], T]) -> T:
        try:
            return of_answer(ask(self._socket, question))
        except ValidationError:
            # which names values that can be a patient's
            raise BridgeError(
                "the running service is of another version than this command: restart it"
            ) from None

    def _opened(self, read: Callable[[View], T]) -> T:
        file = place_of(self._url)
        if not file.exists():
            raise BridgeError(
                f"no service runs and there is no store at {file}: start one with 'bridge run', "
                "or name its settings with --config"
            )
        return read(open_view(self._url))


def _status_of(view: View, settings: Settings, *, reveal: bool) -> StatusReport:
    now, pauses = time.time(), Pauses.read(view.note(PAUSED_NOTE))
    rows, odd = destinations.kept_rows(view, settings, pauses, now), view.note(CONTRACT_NOTE)
    ended = destinations.resumed(view)
    return status_report(
        view,
        destinations.Readiness.of(pauses, reveal=reveal, destinations=rows, resumed=ended),
        destinations.destination_notices(rows),
        now=now,
        zone=settings.site.time_zone,
        running=False,
        reveal=reveal,
        contract=deviation_rows(read_seen(odd)) if odd else [],
    )
