"""Destinations: whether each takes what it is sent, what is paused, and the notices of both.

Times are seconds since the epoch. Nothing in it is a patient's but the numbers of paused patients.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field

from bridge.causes import MASK, cut
from bridge.causes.cause import MOST_SAID
from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.delivery.acknowledge import Stalled
from bridge.pipeline.delivery.pauses import Destination, Pauses
from bridge.reports.report import Report, Seconds
from bridge.settings import Settings
from bridge.store.contract import View
from bridge.store.far_end import Breaker, Trouble
from bridge.store.notes import NotesView

#: name under which the store keeps why a person ended a wait after a 429
RESUMED_NOTE = "resumed"

#: what does not pass by itself
_FOR_A_PERSON = frozenset(
    {Reason.CERTIFICATE, Reason.UNAUTHORIZED, Reason.BAD_CREDENTIALS, Reason.REDIRECTED}
)
#: stops of all calls
_STOPS: Mapping[Reason, NoticeKind] = {
    Reason.BAD_CREDENTIALS: NoticeKind.CREDENTIALS_REFUSED,
    Reason.UNAUTHORIZED: NoticeKind.CREDENTIALS_REFUSED,
    Reason.LIMITED: NoticeKind.OVER_LIMIT,
}


class TroubleRow(Report):
    """Since when nothing is taken, why, and when it is tried again."""

    reason: Reason
    fault: NetworkFault | Literal[""] = Field(description="what failed on the way")
    since: Seconds
    next_try: float | None = Field(description="when the next call may go; null while none waits")
    needs_person: bool = Field(description="whether it does not pass by itself")


class StopRow(Report):
    """Calls that are not made for a while."""

    resource: str = Field(description="of which resource; empty where all calls are meant")
    reason: Reason
    since: Seconds
    until: Seconds


class DestinationRow(Report):
    """One destination."""

    name: Destination
    address: str = Field(description="`host:port`; empty where it is not set up")
    paused: bool = Field(description="whether a person paused all that goes there")
    trouble: TroubleRow | None = Field(description="why it takes nothing; null where it does")
    stops: list[StopRow] = Field(description="calls that are not made for a while")


class PausedReport(Report):
    """What a person paused."""

    paused: bool = Field(description="whether nothing is delivered anywhere")
    paused_destinations: list[Destination]
    paused_resources: list[str]
    paused_channels: list[str]
    paused_patients: list[str] = Field(description="a number for each patient; patient data")

    @classmethod
    def of(cls, pauses: Pauses, *, reveal: bool = False, **more: Any) -> Self:
        """The report of pauses, with what a kind of it has besides."""
        patients = sorted(pauses.patients)
        return cls(
            paused=pauses.all,
            paused_destinations=sorted(pauses.destinations),
            paused_resources=sorted(pauses.resources),
            paused_channels=sorted(pauses.channels),
            paused_patients=patients if reveal else [MASK] * len(patients),
            **more,
        )


class PauseReport(PausedReport):
    """What is paused once a person paused or resumed something."""

    unknown_patient: bool = Field(default=False, description="whether nobody has this number yet")
    destinations: list[DestinationRow] = Field(default=[], description="after a resume: all")


class ResumedReport(Report):
    """That a person ended waits, and why."""

    at: Seconds
    reason: str = Field(description="as the person gave it")


class Readiness(PausedReport):
    """What decides whether the bridge does its work."""

    destinations: list[DestinationRow]
    resumed: ResumedReport | None = Field(description="the last time a person ended waits")
    acknowledging: bool = Field(default=True, description="whether messages are acknowledged")
    ended: list[str] = Field(default=[], description="work that a fault of the bridge ended")


def address_of(settings: Settings, destination: Destination) -> str:
    """`host:port`; "" where it is not set up."""
    if destination is Destination.HOSPITAL:
        hospital = settings.hospital
        return "" if hospital.port is None else f"{hospital.host}:{hospital.port}"
    url = urlsplit(settings.zauto.base_url or "")
    port = url.port or (80 if url.scheme == "http" else 443)
    return f"{url.hostname}:{port}" if url.hostname else ""


def destination_row(
    settings: Settings,
    destination: Destination,
    pauses: Pauses,
    *,
    breakers: Mapping[str, Breaker],
    trouble: Trouble | None = None,
    next_try: float | None = None,
) -> DestinationRow:
    """One destination; `next_try` is when the next call may go, None while none waits."""
    return DestinationRow(
        name=destination,
        address=address_of(settings, destination),
        paused=destination in pauses.destinations,
        trouble=_trouble_row(trouble, next_try) if trouble else None,
        stops=[StopRow.model_validate(each) for _, each in sorted(breakers.items())],
    )


def _trouble_row(trouble: Trouble | Stalled, next_try: float | None) -> TroubleRow:
    return TroubleRow(
        reason=trouble.reason,
        fault=trouble.fault or "",
        since=trouble.since,
        next_try=next_try,
        needs_person=trouble.reason in _FOR_A_PERSON,
    )


def kept_rows(view: View, settings: Settings, pauses: Pauses, now: float) -> list[DestinationRow]:
    """The destinations as the store has them while no service runs."""
    return [
        destination_row(settings, each, pauses, breakers=_open_breakers(view, each, now))
        for each in Destination
    ]


def _open_breakers(view: View, destination: Destination, now: float) -> dict[str, Breaker]:
    kept = [each.bounded(now) for each in view.breakers(destination.target)]
    return {each.resource: each for each in kept if each.lasts(now)}


def resumed_note(at: float, reason: str) -> str:
    """Why a person ended waits, as the store keeps it."""
    return json.dumps({"at": at, "reason": cut(reason, MOST_SAID)})


def resumed(view: NotesView) -> ResumedReport | None:
    """When a person last ended waits with a reason, and which."""
    note = view.note(RESUMED_NOTE)
    return None if note is None else ResumedReport.model_validate_json(note)


def destination_notices(rows: Sequence[DestinationRow]) -> Iterator[Notice]:
    """What a person should know of the destinations."""
    for each in rows:
        for stop in each.stops:
            yield _stopped(each.address, stop)
        all_stopped = any(not stop.resource for stop in each.stops)
        if each.trouble and not all_stopped:
            kind = _trouble_kind(each.name, each.trouble)
            yield _takes_nothing(kind, each.address, each.trouble, paused=each.paused)


def stalled_notices(stalled: Mapping[str, Stalled]) -> Iterator[Notice]:
    """The same of the addresses where application acknowledgments go."""
    for address, each in stalled.items():
        row = _trouble_row(each, each.until)
        yield _takes_nothing(NoticeKind.ACKNOWLEDGMENTS_STALLED, address, row)


def _trouble_kind(destination: Destination, trouble: TroubleRow) -> NoticeKind:
    if destination is Destination.HOSPITAL:
        return NoticeKind.HOSPITAL_DOWN
    return NoticeKind.ZAUTO_NOT_TRUSTED if trouble.needs_person else NoticeKind.ZAUTO_DOWN


def _takes_nothing(
    kind: NoticeKind, address: str, trouble: TroubleRow, *, paused: bool = False
) -> Notice:
    return Notice(
        kind,
        address=address,
        reason=trouble.reason,
        fault=trouble.fault or None,
        since=trouble.since,
        until=trouble.next_try,
        paused=paused,
    )


def _stopped(address: str, stop: StopRow) -> Notice:
    stops = _STOPS.get(stop.reason, NoticeKind.CALLS_STOPPED)
    return Notice(
        NoticeKind.RESOURCE_STOPPED if stop.resource else stops,
        address=address,
        resource=stop.resource,
        reason=stop.reason,
        since=stop.since,
        until=stop.until,
    )
