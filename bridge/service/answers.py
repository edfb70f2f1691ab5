"""What the control socket answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog

from bridge.causes import CauseKind
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.pipeline.delivery.pauses import Destination, Selection
from bridge.reports.aliases import alias_rows
from bridge.reports.messages import (
    code_row,
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
        tally = self._read(lambda view: view.tally())
        report = status_report(tally, now=time.time(), running=True, reveal=reveal)
        report |= self._read(stuck_report)
        report |= service.condition(reveal=reveal)
        report |= notice_report(service.notices(), self._pipeline.settings.site.time_zone)
        report["mappings"] = self._read(mappings_in_use)
        report["remarks"] = self._read(top_remarks)
        report["listeners"] = service.mllp.report()
        report["contract"] = service.contract()
        budget = self._pipeline.destinations.budget()
        return report if budget is None else report | {"budget": budget}

    async def remarks(self, question: Mapping[str, Any]) -> Any:
        limit, sender = _limit(question), str(question.get("sender") or "")
        return self._read(lambda view: remark_rows(view, limit=limit, sender=sender))

    async def messages(self, question: Mapping[str, Any]) -> Any:
        limit, reveal = _limit(question), self._reveal(question, count=_limit(question))
        named = question.get("status")
        status = Status(named) if named else None
        cause = CauseKind(question["cause"]) if question.get("cause") else None
        return self._read(
            lambda view: message_rows(view, status=status, cause=cause, limit=limit, reveal=reveal)
        )

    async def message(self, question: Mapping[str, Any]) -> Any:
        number = int(question["id"])
        reveal = self._reveal(question, message=number)
        settings = self._pipeline.settings
        return await asyncio.to_thread(
            self._read, lambda view: message_report(view, number, settings, reveal=reveal)
        )

    async def quarantine(self, question: Mapping[str, Any]) -> Any:
        limit, reveal = _limit(question), self._reveal(question, count=_limit(question))
        found = self._read(lambda view: view.quarantined(limit))
        return [quarantine_row(each, reveal=reveal) for each in found]

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
        limit, reveal = _limit(question), self._reveal(question, count=_limit(question))
        found = self._read(lambda view: view.unmapped_codes(limit))
        return [code_row(each, reveal=reveal) for each in found]

    async def merges(self, question: Mapping[str, Any]) -> Any:
        limit, reveal = _limit(question), self._reveal(question, count=_limit(question))
        before = question.get("before")
        return await asyncio.to_thread(
            self._read, lambda view: alias_rows(view, limit=limit, before=before, reveal=reveal)
        )

    async def pause(self, question: Mapping[str, Any]) -> Any:
        pausing, selection = self._pipeline.destinations.pausing, _selection(question)
        await pausing.pause(bool(question["paused"]), selection)
        unknown = bool(selection.patient) and not pausing.knows(selection.patient)
        return {**pausing.pauses.report(), "unknown_patient": unknown}

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
        return {**destinations.pausing.pauses.report(), "destinations": destinations.rows()}

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
