"""What happened to each sample: how it was answered, what it became, what went where.

Told by those who saw it: the replay (the answers), the bridge's control socket (statuses and
calls), the hospital (the messages that reached it) and the sandbox's journal (the calls that
reached ZautoAI's stand-in).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from bridge.delivery import Target
from bridge.errors import ReadError
from bridge.hl7v2.header import scan
from bridge.sandbox.hospital import HospitalReceiver
from bridge.senders.replay import Replayed

#: status of what the bridge could not read at all and keeps the head of
QUARANTINED = "quarantined"
DUPLICATE = "duplicate"

#: method, resource and HTTP status of a call; None where there was no answer
Call: TypeAlias = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Received:
    """An HL7 message at the hospital."""

    body: bytes
    #: the acknowledgments it gave
    answers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PlayedDelivery:
    """What one delivery to ZautoAI came to."""

    resource: str
    external_id: str
    status: str
    #: in the order they were made; none where there was nothing to change
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one message of one sample."""

    #: path below the samples, and the message's place in a file of several
    sample: str
    index: int
    message_type: str
    #: MSA-1, an HTTP status, or `no answer`
    answer: str
    #: how it ended, in the words of `bridge messages --status`
    status: str
    #: why, where there is something to say
    why: str
    #: what it waited for before it went on; "" when it did not
    waited_for: str
    done: tuple[PlayedDelivery, ...]
    received: tuple[Received, ...]

    @property
    def calls(self) -> list[str]:
        """Its calls in one text each, `POST patients 201`."""
        return [told(call) for done in self.done for call in done.calls]


@dataclass(frozen=True, slots=True)
class Played:
    """The whole performance."""

    ended: tuple[Ended, ...]
    #: what `bridge status` says at the end
    status: Mapping[str, Any]
    #: calls to the resources as the sandbox's journal has them
    journal: Counter[Call]
    #: what reached the hospital and belongs to no sample
    stray: tuple[Received, ...]
    #: from the first sample sent until all was settled
    seconds: float


def told(call: Call) -> str:
    """A call and its answer: `POST patients 201`."""
    method, resource, status = call
    return f"{method} {resource} {status or 'no answer'}"


def ending(
    sample: str,
    replayed: Replayed,
    report: Mapping[str, Any] | None,
    waited_for: str,
    received: Mapping[str, list[Received]],
) -> Ended:
    """Put together what is known of one message; `report` None: the bridge keeps none like it.

    `received` are the hospital's messages by control id.
    """
    again = replayed.duplicate or report is None
    deliveries = [] if again or report is None else report["deliveries"]
    return Ended(
        sample,
        replayed.index,
        replayed.message_type,
        replayed.answer,
        _status(replayed, report),
        _why(replayed, None if again else report),
        waited_for,
        tuple(_done(each) for each in deliveries if each["target"] == Target.ZAUTO),
        tuple(_at_hospital(deliveries, received)),
    )


def received_by(hospital: HospitalReceiver) -> dict[str, list[Received]]:
    """The hospital's messages by their control id."""
    found: dict[str, list[Received]] = {}
    for body, answers in zip(hospital.received, hospital.answered, strict=True):
        found.setdefault(_control_id(body), []).append(Received(body, answers))
    return found


def _status(replayed: Replayed, report: Mapping[str, Any] | None) -> str:
    if report is None:
        return QUARANTINED
    return DUPLICATE if replayed.duplicate else str(report["status"])


def _why(replayed: Replayed, report: Mapping[str, Any] | None) -> str:
    """The bridge's reasons, or what its answer says of a refusal."""
    if report is None:
        return replayed.text
    return "; ".join(dict.fromkeys(filter(None, (report["reason"], *_reasons(report)))))


def _reasons(report: Mapping[str, Any]) -> Iterable[str]:
    settled = ("delivered", "suppressed")
    return (each["reason"] for each in report["deliveries"] if each["status"] not in settled)


def _done(delivery: Mapping[str, Any]) -> PlayedDelivery:
    calls = tuple(
        (each["method"], each["resource"], each["status"]) for each in delivery["attempts"]
    )
    return PlayedDelivery(delivery["resource"], delivery["external_id"], delivery["status"], calls)


def _at_hospital(
    deliveries: Iterable[Mapping[str, Any]], received: Mapping[str, list[Received]]
) -> Iterable[Received]:
    for delivery in deliveries:
        if delivery["target"] == Target.HOSPITAL:
            header = delivery["payload"]["segments"][0][1]
            yield from received.get(header["10"], ())


def _control_id(body: bytes) -> str:
    try:
        return scan(body).control_id
    except ReadError:
        return ""
