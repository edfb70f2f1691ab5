"""Destinations: whether each takes what it is sent, as rows and as notices made of them.

Times are seconds since the epoch. Nothing in it is a patient's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bridge.causes import cut
from bridge.causes.cause import MOST_SAID
from bridge.delivery import NetworkFault, Reason
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.delivery.acknowledge import Stalled
from bridge.pipeline.delivery.pauses import Destination, Pauses
from bridge.settings import Settings
from bridge.store.contract import View
from bridge.store.far_end import Breaker, Trouble
from bridge.store.notes import NotesView

Row = Mapping[str, Any]
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
            for resource, each in sorted(breakers.items())
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


def kept_rows(view: View, settings: Settings, pauses: Pauses, now: float) -> list[dict[str, Any]]:
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


def resumed(view: NotesView) -> dict[str, Any] | None:
    """When a person last ended waits with a reason, and which."""
    note = view.note(RESUMED_NOTE)
    return None if note is None else dict(json.loads(note))


def destination_notices(rows: Sequence[Row]) -> Iterator[Notice]:
    """What a person should know of the destinations."""
    for each in rows:
        for stop in each["stops"]:
            yield _stopped(each["address"], stop)
        all_stopped = any(not stop["resource"] for stop in each["stops"])
        if each["trouble"] and not all_stopped:
            kind = _trouble_kind(Destination(each["name"]), each["trouble"])
            yield _takes_nothing(kind, each["address"], each["trouble"], paused=each["paused"])


def stalled_notices(stalled: Mapping[str, Stalled]) -> Iterator[Notice]:
    """The same of the addresses where application acknowledgments go."""
    for address, each in stalled.items():
        row = trouble_row(each, each.until)
        yield _takes_nothing(NoticeKind.ACKNOWLEDGMENTS_STALLED, address, row)


def _trouble_kind(destination: Destination, trouble: Row) -> NoticeKind:
    if destination is Destination.HOSPITAL:
        return NoticeKind.HOSPITAL_DOWN
    return NoticeKind.ZAUTO_NOT_TRUSTED if trouble["needs_person"] else NoticeKind.ZAUTO_DOWN


def _takes_nothing(kind: NoticeKind, address: str, trouble: Row, *, paused: bool = False) -> Notice:
    return Notice(
        kind,
        address=address,
        reason=Reason(trouble["reason"]),
        fault=NetworkFault(trouble["fault"]) if trouble["fault"] else None,
        since=trouble["since"],
        until=trouble["next_try"],
        paused=paused,
    )


def _stopped(address: str, stop: Row) -> Notice:
    reason, resource = Reason(stop["reason"]), stop["resource"]
    return Notice(
        NoticeKind.RESOURCE_STOPPED if resource else _STOPS.get(reason, NoticeKind.CALLS_STOPPED),
        address=address,
        resource=resource,
        reason=reason,
        since=stop["since"],
        until=stop["until"],
    )
