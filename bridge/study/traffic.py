"""Traffic: messages to look at again, out of files or out of the store, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bridge.causes import sentence
from bridge.errors import BridgeError, ReadError
from bridge.hl7v2.header import Header
from bridge.message import Message, Protocol
from bridge.pipeline.channels import channels_by_listener, first_channel, placed
from bridge.pipeline.intake.refuse import NegativeAcknowledgment, read_or_refuse, why
from bridge.senders.files import PartKind, ReplayPart, read, recognise, walk
from bridge.settings import Settings
from bridge.store.messages import MessageView
from bridge.store.records import KeptMessage

#: whether a mapping takes messages of a channel that are of a protocol and message type
Takes: TypeAlias = Callable[[str, Protocol, str], bool]

_PROTOCOLS = {PartKind.FHIR: Protocol.FHIR, PartKind.ORDER: Protocol.ORDERS}
_ORDERS = {"prescriptions": "prescription-order", "services": "service-order"}
#: messages of the store read at once: between two pages its log can be checkpointed
_PAGE = 500


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """What the MLLP door would not take."""

    why: str


def from_files(
    paths: Sequence[Path], takes: Takes, settings: Settings, clock: Callable[[], float]
) -> Iterator[tuple[ReplayPart, Message | RefusedMessage]]:
    """What files and folders hold, as messages of the channels that would take them, in the order
    of their paths.

    `takes` says whether a mapping takes a message type; a channel may refuse all others.
    Raises BridgeError for a path that is not there.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise BridgeError(f"no such file: {', '.join(missing)}")
    for file in walk(paths):
        for part in recognise(file, read(file)):
            yield part, _taken(part, takes, settings, clock())


def from_store(view: MessageView, since: float) -> Iterator[KeptMessage]:
    """What was kept since a time, in the order it came."""
    after = 0
    while page := view.kept_since(since, after=after, limit=_PAGE):
        yield from page
        after = page[-1].id


def _taken(
    part: ReplayPart, takes: Takes, settings: Settings, at: float
) -> Message | RefusedMessage:
    protocol = _PROTOCOLS.get(part.kind, Protocol.HL7V2)
    if protocol is Protocol.HL7V2:
        return _taken_hl7(part, takes, settings, at)
    message_type, reference, listener = part.message_type, "", "fhir"
    if protocol is Protocol.ORDERS:
        message_type, listener = _ORDERS.get(message_type, message_type), "orders"
    else:
        reference = f"{message_type}/{part.address.rpartition('/')[2]}"
    channel = first_channel(settings, listener)
    return _message(part, protocol, message_type, channel, at, reference=reference)


def _taken_hl7(
    part: ReplayPart, takes: Takes, settings: Settings, at: float
) -> Message | RefusedMessage:
    # Which listener a file would come by, nobody can say: its header may, by its sender.
    channels = [each for found in channels_by_listener(settings).values() for each in found]
    try:
        channel, header = placed(part.body, channels, channels[0])
    except ReadError as error:
        return RefusedMessage(str(error))
    judged = read_or_refuse(header, part.body, channel, takes)
    if isinstance(judged, NegativeAcknowledgment):
        return RefusedMessage(sentence(why(judged), reveal=True))
    return _message(part, Protocol.HL7V2, header.message_type, channel.name, at, header=header)


def _message(
    part: ReplayPart,
    protocol: Protocol,
    message_type: str,
    channel: str,
    at: float,
    *,
    header: Header | None = None,
    reference: str = "",
) -> Message:
    return Message(
        channel=channel,
        protocol=protocol,
        message_type=message_type,
        control_id=part.control_id,
        sending_application=header.sending_application if header else "",
        sending_facility=header.sending_facility if header else "",
        received_at=at,
        body=part.body,
        reference=reference,
    )
