"""A notice as people and programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from bridge.delivery import NetworkFault
from bridge.moments import lasting, moment, time_of_day
from bridge.notices.explanations import EXPLANATIONS, NoticeExplanation
from bridge.notices.notice import Notice
from bridge.template import fill
from bridge.zauto.advice import advice

#: what failed on the way, in words
_FAULTS: Mapping[NetworkFault, str] = {
    NetworkFault.REFUSED: "connection refused",
    NetworkFault.DNS: "DNS: host name not found",
    NetworkFault.TLS: "TLS handshake failed",
    NetworkFault.TIMEOUT: "timeout",
    NetworkFault.CLOSED: "connection closed",
}


def explain(notice: Notice) -> NoticeExplanation:
    """What is known of the kind of a notice."""
    return EXPLANATIONS[notice.kind]


def sentence(notice: Notice, zone: str) -> str:
    """What is so, with times in a time zone."""
    return _filled(explain(notice).sentence, notice, zone)


def action(notice: Notice, zone: str) -> str:
    """What a person does about it; "" where there is nothing to do."""
    return _filled(explain(notice).action, notice, zone)


def _filled(template: str, notice: Notice, zone: str) -> str:
    return fill(
        template,
        number=notice.number,
        present=lambda name: _parameter(notice, name, zone) not in ("", "0"),
        shown=lambda name: _parameter(notice, name, zone),
    )


def _parameter(notice: Notice, name: str, zone: str) -> str:
    match name:
        case "since":
            return moment(notice.since, zone)
        case "first":
            return time_of_day(notice.since, zone)
        case "until":
            return "" if notice.until is None else time_of_day(notice.until, zone)
        case "next_try":
            return _next_try(notice, zone)
        case "seconds":
            return lasting(notice.seconds)
        case "quoted":
            return quote(notice.patient or notice.name)
        case "parts":
            return ", ".join(notice.parts)
    return _of_trouble(notice, name)


def _of_trouble(notice: Notice, name: str) -> str:
    match name:
        case "reason":
            return str(notice.reason or "")
        case "advice":
            return advice(notice.reason) if notice.reason else ""
        case "fault":
            return _FAULTS[notice.fault] if notice.fault else ""
    return str(getattr(notice, name))


def _next_try(notice: Notice, zone: str) -> str:
    if notice.paused:
        return "it is paused"
    if notice.until is None:
        return "it is tried again with the next call"
    return f"next try at {time_of_day(notice.until, zone)}"
