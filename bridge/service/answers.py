"""What the control socket answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog

from bridge.causes import CauseKind
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.pipeline.delivery.pauses import Destination, Selection
from bridge.reports.aliases import alias_rows
from bridge.reports.destinations import PauseReport
from bridge.reports.lists import code_rows, quarantine_rows, version_rows
from bridge.reports.messages import message_report, message_rows
from bridge.reports.remarks import remark_rows
from bridge.reports.status import status_report
from bridge.service.control import Answer
from bridge.service.status import ServiceStatus


class _Answers:
    """Each question's answer."""

    def __init__(self, service: ServiceStatus) -> None:
        self._service = service
        self._pipeline = service.pipeline
        self._read = service.pipeline.store.read
        self._log = structlog.get_logger()

    async def status(self, question: Mapping[str, Any]) -> Any:
        service, reveal = self._service, self._reveal(question)
        condition, notices = service.condition(reveal=reveal), list(service.notices())
        budget = self._pipeline.destinations.budget()
        more = {"listeners": service.mllp.report(), "contract": service.contract()}
        return self._read(
            lambda view: status_report(
                view,
                condition,
                notices,
                now=time.time(),
                zone=self._pipeline.settings.site.time_zone,
                running=True,
                reveal=reveal,
                **(more if budget is None else more | {"budget": budget}),
            )
        )

    async def remarks(self, question: Mapping[str, Any]) -> Any:
        limit, sender = _limit(question), str(question.get("sender") or "")
        return self._read(lambda view: remark_rows(view, limit=limit, sender=sender))

    async def messages(self, question: Mapping[str, Any]) -> Any:
        named = question.get("status")
        status = Status(named) if named else None
        cause = CauseKind(question["cause"]) if question.get("cause") else None
        return self._rows(question, partial(message_rows, status=status, cause=cause))

    async def message(self, question: Mapping[str, Any]) -> Any:
        number = int(question["id"])
        reveal = self._reveal(question, message=number)
        settings = self._pipeline.settings
        return await asyncio.to_thread(
            self._read, lambda view: message_report(view, number, settings, reveal=reveal)
        )

    async def quarantine(self, question: Mapping[str, Any]) -> Any:
        return self._rows(question, quarantine_rows)

    async def zauto(self, question: Mapping[str, Any]) -> Any:
        self._reveal(question, count=int(question.get("limit") or 1))
        return await self._service.ask_zauto(question)

    async def reload(self, _: Mapping[str, Any]) -> Any:
        return await self._pipeline.reload.reload()

    async def rollback(self, question: Mapping[str, Any]) -> Any:
        reload = self._pipeline.reload
        return await reload.rollback(str(question.get("hash") or ""), question.get("site"))

    async def versions(self, question: Mapping[str, Any]) -> Any:
        return self._read(lambda view: version_rows(view, _limit(question)))

    async def codes(self, question: Mapping[str, Any]) -> Any:
        return self._rows(question, code_rows)

    async def merges(self, question: Mapping[str, Any]) -> Any:
        rows = partial(alias_rows, before=question.get("before"))
        return await asyncio.to_thread(self._rows, question, rows)

    async def pause(self, question: Mapping[str, Any]) -> Any:
        pausing, selection = self._pipeline.destinations.pausing, _selection(question)
        await pausing.pause(bool(question["paused"]), selection)
        unknown = bool(selection.patient) and not pausing.knows(selection.patient)
        return PauseReport.of(pausing.pauses, unknown_patient=unknown)

    async def resume(self, question: Mapping[str, Any]) -> Any:
        """Let go what is named, and try at once what waits."""
        destinations, selection = self._pipeline.destinations, _selection(question)
        reason = str(question.get("reason") or "")
        if reason and selection.by_message:
            raise BridgeError(
                "--reason ends a wait of all calls: leave --channel and --patient out"
            )
        await destinations.pausing.pause(False, selection)
        await destinations.pausing.try_now(selection, reason)
        return PauseReport.of(destinations.pausing.pauses, destinations=destinations.rows())

    def _rows(self, question: Mapping[str, Any], rows: Callable[..., Any]) -> Any:
        """A list that can hold patient data."""
        limit = _limit(question)
        reveal = self._reveal(question, count=limit)
        return self._read(lambda view: rows(view, limit=limit, reveal=reveal))

    def _reveal(
        self, question: Mapping[str, Any], *, message: int | None = None, count: int = 1
    ) -> bool:
        """Whether patient data is asked for; that it was is logged."""
        reveal = bool(question.get("reveal"))
        if reveal:
            self._log.warning("patient data shown", message=message, count=count)
        return reveal


def _selection(question: Mapping[str, Any]) -> Selection:
    """What is to be paused or resumed."""
    name = question.get("destination")
    return Selection(
        destination=Destination(name) if name else None,
        resource=str(question.get("resource") or ""),
        channel=str(question.get("channel") or ""),
        patient=str(question.get("patient") or ""),
    )


def _limit(question: Mapping[str, Any]) -> int:
    return int(question.get("limit") or 50)


def answers(service: ServiceStatus) -> Mapping[str, Answer]:
    """One answer a question: status, messages, message, quarantine, zauto, codes, remarks,
    merges, reload, rollback, versions, pause, resume."""
    told = _Answers(service)
    return {
        "status": told.status,
        "messages": told.messages,
        "message": told.message,
        "quarantine": told.quarantine,
        "zauto": told.zauto,
        "codes": told.codes,
        "remarks": told.remarks,
        "merges": told.merges,
        "reload": told.reload,
        "rollback": told.rollback,
        "versions": told.versions,
        "pause": told.pause,
        "resume": told.resume,
    }
