"""Destinations: whether each takes what it is sent, as data, and in sentences made of it.

Times are seconds since the epoch. Nothing in it is a patient's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bridge.causes import cut
from bridge.causes.cause import MOST_SAID
from bridge.delivery import NetworkFault, Reason
from bridge.pipeline.acknowledge import Stalled
from bridge.pipeline.closings import CLOSINGS_NOTE, Closed, Closings
from bridge.pipeline.deliver import Trouble
from bridge.pipeline.pauses import Destination, Pauses
from bridge.settings import Settings
from bridge.store.notes import NotesView
from bridge.zauto.advice import advice

Row = Mapping[str, Any]
#: name under which the store keeps why a person ended a wait after a 429
RESUMED_NOTE = "resumed"

#: what failed on the way, in words
_WORDS: Mapping[NetworkFault, str] = {
    NetworkFault.REFUSED: "connection refused",
    NetworkFault.DNS: "DNS: host name not found",
    NetworkFault.TLS: "TLS handshake failed",
    NetworkFault.TIMEOUT: "timeout",
    NetworkFault.CLOSED: "connection closed",
}
#: what does not pass by itself
_FOR_A_PERSON = frozenset(
    {Reason.CERTIFICATE, Reason.UNAUTHORIZED, Reason.BAD_CREDENTIALS, Reason.REDIRECTED}
)


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
    closed: Mapping[str, Closed],
    trouble: Trouble | None = None,
    next_try: float | None = None,
) -> dict[str, Any]:
    """One destination; `next_try` is when the next call may go, None while none waits."""
    return {
        "name": str(destination),
        "address": address_of(settings, destination),
        "paused": destination in pauses.destinations,
        "trouble": trouble_row(trouble, next_try) if trouble else None,
        "stops": [
            {
                "resource": resource,
                "reason": str(each.reason),
                "since": each.since,
                "until": each.until,
            }
            for resource, each in sorted(closed.items())
        ],
    }


def trouble_row(trouble: Trouble | Stalled, next_try: float | None) -> dict[str, Any]:
    """Since when nothing is taken, why, and when it is tried again."""
    return {
        "reason": str(trouble.reason),
        "fault": str(trouble.fault) if trouble.fault else "",
        "since": trouble.since,
        "next_try": next_try,
        "needs_person": trouble.reason in _FOR_A_PERSON,
    }


def kept_rows(
    view: NotesView, settings: Settings, pauses: Pauses, now: float
) -> list[dict[str, Any]]:
    """The destinations as the store has them while no service runs."""
    closings = Closings.kept(view.note(CLOSINGS_NOTE) or "")
    return [
        destination_row(
            settings,
            each,
            pauses,
            closed=closings.all(now) if each is Destination.ZAUTOAI else {},
        )
        for each in Destination
    ]


def resumed_note(at: float, reason: str) -> str:
    """Why a person ended waits, as the store keeps it."""
    return json.dumps({"at": at, "reason": cut(reason, MOST_SAID)})


def resumed(view: NotesView) -> dict[str, Any] | None:
    """When a person last ended waits with a reason, and which."""
    note = view.note(RESUMED_NOTE)
    return None if note is None else dict(json.loads(note))


def sentences(rows: Sequence[Row], zone: str) -> Iterator[str]:
    """What a person should know of the destinations."""
    for each in rows:
        address = f" ({each['address']})" if each["address"] else ""
        name = f"{Destination(each['name']).words}{address}"
        for stop in each["stops"]:
            yield _stopped(name, stop, zone)
        all_stopped = any(not stop["resource"] for stop in each["stops"])
        if each["trouble"] and not all_stopped:
            yield _takes_nothing(name, each["trouble"], zone, paused=each["paused"])


def stalled_sentences(stalled: Mapping[str, Stalled], zone: str) -> Iterator[str]:
    """The same of the addresses where application acknowledgments go."""
    for address, each in stalled.items():
        name = f"{address}, where application acknowledgments go,"
        yield _takes_nothing(name, trouble_row(each, each.until), zone)


def _takes_nothing(name: str, trouble: Row, zone: str, *, paused: bool = False) -> str:
    """`ZautoAI (api.zautoai.com:443) takes nothing since … (not reachable: …); next try …`."""
    reason = trouble["reason"]
    fault = _WORDS[NetworkFault(trouble["fault"])] if trouble["fault"] else ""
    why = f"{reason}: {fault}" if fault else reason
    since = f"{datetime.fromtimestamp(trouble['since'], ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"
    tail = "it is paused" if paused else _next_try(trouble["next_try"], zone)
    hint = f"; {advice(Reason(reason))}" if trouble["needs_person"] else ""
    return f"{name} takes nothing since {since} ({why}){hint}; {tail}"


def _next_try(at: float | None, zone: str) -> str:
    if at is None:
        return "it is tried again with the next call"
    return f"next try at {_time_of_day(at, zone)}"


def _stopped(name: str, stop: Row, zone: str) -> str:
    reason = Reason(stop["reason"])
    what = stop["resource"] or "all calls"
    hint = f"; {advice(reason)}" if advice(reason) else ""
    before = "bridge resume --now" + (" --reason TEXT" if reason is Reason.LIMITED else "")
    return (
        f"{name}: {what} stopped until {_time_of_day(stop['until'], zone)}, first at "
        f"{_time_of_day(stop['since'], zone)}: {reason}{hint}; to try before: {before}"
    )


def _time_of_day(at: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(zone)):%H:%M:%S %Z}"
