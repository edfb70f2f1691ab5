"""Refuse: what intake answers negatively, and how (chapters 2.8.2 and 2.8.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.causes import Cause, CauseKind
from bridge.errors import ReadError
from bridge.hl7v2.beginnings import misplaced
from bridge.hl7v2.header import Header, Hl7Text
from bridge.message import AckError, Protocol
from bridge.pipeline.channels import text_of
from bridge.settings import Channel

_MISPLACED = (
    "has an MSH that does not begin a message: that takes the MSH-1 to MSH-4 of the first, MSH-9, "
    "MSH-10, and a line end before it"
)


@dataclass(frozen=True, slots=True)
class NegativeAcknowledgment:
    """Why a message is answered negatively."""

    error: AckError
    #: the message itself cannot be taken (AR, CR) rather than its content (AE, CE)
    reject: bool


def read_or_refuse(
    header: Header,
    body: bytes,
    channel: Channel,
    takes: Callable[[str, Protocol, str], bool],
    *,
    several: bool = True,
) -> Hl7Text | NegativeAcknowledgment:
    """An HL7 v2 message as its channel reads it, or why it is refused; `takes` says what is mapped.

    `several`: it may have a further MSH (see `beginnings.may_be_several`).
    """
    if several and (line := misplaced(body)):
        return _error("MSH[2]", 100, f"line {line} {_MISPLACED}")
    if header.version.partition(".")[0] != "2":
        return _reject("MSH-12", 203, "version is not 2.x")
    if channel.processing_ids and header.processing_id not in channel.processing_ids:
        return _reject("MSH-11", 202, "processing id is not taken by this channel")
    if not header.message_type:
        return _error("MSH-9", 101, "message type is missing")
    if not header.control_id:
        return _error("MSH-10", 101, "message control id is missing")
    try:
        text = text_of(body, header, channel)
    except ReadError as error:
        return _error(error.location or "MSH-18", error.code, str(error))
    if channel.unknown_types == "reject" and not takes(
        channel.name, Protocol.HL7V2, header.message_type
    ):
        return _reject("MSH-9", 200, "message type is not taken by this channel")
    return text


def why(refusal: NegativeAcknowledgment) -> Cause:
    """The cause of a refused message."""
    error = refusal.error
    return Cause(
        CauseKind.REFUSED_AT_DOOR, path=error.location, name=error.text, code=str(error.code)
    )


def _reject(location: str, code: int, text: str) -> NegativeAcknowledgment:
    return NegativeAcknowledgment(AckError(location, code, text), reject=True)


def _error(location: str, code: int, text: str) -> NegativeAcknowledgment:
    return NegativeAcknowledgment(AckError(location, code, text), reject=False)
