"""What the control socket answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from bridge.message import Status
from bridge.pipeline.report import message_report, message_row, status_report
from bridge.service.control import Answer
from bridge.store.contract import Store

#: name under which the store remembers that delivery is paused
PAUSED_NOTE = "paused"


class Asked(Protocol):
    """The running service, as far as it is asked."""

    store: Store

    @property
    def paused(self) -> bool: ...

    async def pause(self, paused: bool) -> None: ...

    def notices(self) -> list[str]: ...

    def budget(self) -> Mapping[str, Any] | None: ...


def answers(service: Asked) -> Mapping[str, Answer]:
    """One answer a question: status, messages, message, pause."""
    log = structlog.get_logger()

    async def status(_: Mapping[str, Any]) -> Any:
        tally = service.store.read(lambda view: view.tally())
        report = status_report(tally, now=time.time(), running=True)
        report |= {"paused": service.paused, "notices": service.notices()}
        budget = service.budget()
        return report if budget is None else report | {"budget": budget}

    async def messages(question: Mapping[str, Any]) -> Any:
        reveal = bool(question.get("reveal"))
        if reveal:
            log.warning("patient data shown", count=int(question.get("limit") or 50))
        named = question.get("status")
        status = Status(named) if named else None
        kept = service.store.read(
            lambda view: view.messages(status=status, limit=int(question.get("limit") or 50))
        )
        return [message_row(each, reveal=reveal) for each in kept]

    async def message(question: Mapping[str, Any]) -> Any:
        reveal = bool(question.get("reveal"))
        number = int(question["id"])
        if reveal:
            log.warning("patient data shown", message=number)
        return service.store.read(lambda view: message_report(view, number, reveal=reveal))

    async def pause(question: Mapping[str, Any]) -> Any:
        await service.pause(bool(question["paused"]))
        return {"paused": service.paused}

    return {"status": status, "messages": messages, "message": message, "pause": pause}
