"""Acknowledgments: which code, whether one is wanted at all, and how it is written and read.

The rules are chapter 2.8 (original mode, enhanced mode) and 2.14 (MSA, ERR); what has changed
between versions is decided by the version of the message that is answered.
"""

from __future__ import annotations

import time
from functools import lru_cache

from bridge.errors import PathError, ReadError
from bridge.hl7v2 import escapes, masterfile, paths
from bridge.hl7v2.delimiters import Delimiters
from bridge.hl7v2.header import Header, scan
from bridge.hl7v2.reader import Hl7Document, Repetition
from bridge.message import AckError, Acknowledgment

#: table 0357, in the words of its descriptions
_CONDITIONS = {
    0: "Message accepted",
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    204: "Unknown key identifier",
    205: "Duplicate key identifier",
    206: "Application record locked",
    207: "Application internal error",
}
#: digits of no version and no code; Python refuses to read thousands of them
_MOST_DIGITS = 10


def positive(header: Header, *, apart: bool = False) -> str:
    """AA in original mode, CA in enhanced mode.

    MSH-15 = NE with an MSH-16 that asks is the original mode, unless the channel sends application
    acknowledgments `apart`, at a time or a place of their own.
    """
    return "CA" if _is_enhanced(header) or (apart and _later(header)) else "AA"


def later(header: Header, *, apart: bool = False) -> str:
    """Which application acknowledgment is owed once the message was accepted: AL, ER or SU of
    MSH-16 (table 0155), "" for none. `apart` as in `positive`."""
    is_ack = header.message_type.partition("^")[0] == "ACK"
    return "" if is_ack or positive(header, apart=apart) == "AA" else _later(header)


def _later(header: Header) -> str:
    asked = header.application_acknowledgment.upper()
    return asked if asked in ("AL", "ER", "SU") else ""


def negative(header: Header, *, reject: bool) -> str:
    """AR or CR where MSH-9, MSH-11 or MSH-12 cannot be taken (`reject`), else AE or CE."""
    return ("C" if _is_enhanced(header) else "A") + ("R" if reject else "E")


def unable(header: Header) -> str:
    """AR or CE where the message cannot be taken for another reason than its content: its size.

    CR would say that its type, processing id or version is wrong (chapter 2.8.3.1).
    """
    return "CE" if _is_enhanced(header) else "AR"


def wanted(header: Header, code: str) -> bool:
    """Whether the sender wants to be told `code`.

    MSH-15 says so of an accept acknowledgment (table 0155: AL, NE, ER, SU). Where only MSH-16 is
    valued, or MSH-15 is no word of the table, it is sent: a sender that waits for one that never
    comes stops. Of an application acknowledgment MSH-16 says so, where it is valued. An
    acknowledgment is never acknowledged.
    """
    if header.message_type.partition("^")[0] == "ACK":
        return False
    by_commit = code.startswith("C")
    return serves(
        header.accept_acknowledgment if by_commit else header.application_acknowledgment, code
    )


def serves(asked: str, code: str) -> bool:
    """Whether an acknowledgment of this code is among those asked for (table 0155)."""
    match asked.upper():
        case "NE":
            return False
        case "ER":
            return not code.endswith("A")
        case "SU":
            return code.endswith("A")
    return True


def write(
    ack: Acknowledgment,
    header: Header,
    *,
    at: float,
    control_id: str,
    body: bytes = b"",
    accept: str = "",
) -> bytes:
    """The acknowledgment of the message with this header, in that message's own dress.

    Delimiters and version are the sender's, MSH-3 to MSH-6 are swapped, MSH-11 is copied, MSA-2
    is byte for byte the sender's MSH-10 where `ack.control_id` is `header.control_id`. `at` is
    written as UTC. Text is ASCII, so that it is right in whatever charset the sender reads.

    The application answer to a master file notification is MFK, where its `body` is given and has
    an MFI; the accept acknowledgment (CA, CE, CR) is an ACK for it too (chapter 8.5). One that is
    sent later is an exchange of its own: `accept` is its MSH-15, and its MSH-16 is NE.
    """
    if body and ack.code.startswith("A") and masterfile.is_notification(header):
        entries = masterfile.told(body, header, time_of(at), taken=ack.code == "AA")
        if entries:
            told = _written(ack, header, at, control_id, "MFK", accept)
            return told + b"".join(entry + b"\r" for entry in entries)
    return _written(ack, header, at, control_id, "ACK", accept)


def _written(
    ack: Acknowledgment, header: Header, at: float, control_id: str, kind: str, accept: str
) -> bytes:
    cut, version = header.delimiters, _version(header.version)
    lines = [_msh(header, cut, version, at, control_id, kind, accept), _msa(ack, cut, version)]
    if ack.errors:
        lines += _errors_2_4(ack, cut) if version < (2, 5) else _errors_2_5(ack, cut)
    lines.append("")
    return "\r".join(lines).encode(header.encoding, "replace")


def read(body: bytes) -> Acknowledgment:
    """The acknowledgment that a far end sent: ACK, or any message with an MSA (ORR, RRE).

    An error's code is 0 where the far end gave none that is a number. Raises ReadError.
    """
    document = Hl7Document(body, scan(body))
    code = _text(document, "MSA-1.1")
    if not code:
        raise ReadError("This is no acknowledgment: it has no MSA-1.", location="MSA-1", code=101)
    control_id = _whole(document, "MSA-2")
    return Acknowledgment(code, control_id, _text(document, "MSA-3"), _errors(document))


def _is_enhanced(header: Header) -> bool:
    # Both must be valued by the text; senders in the field often value one only.
    accept, application = header.accept_acknowledgment, header.application_acknowledgment
    # No accept but an application acknowledgment is the original mode (chapter 2.9).
    if accept.upper() == "NE" and application.upper() in ("AL", "ER", "SU"):
        return False
    return bool(accept or application)


@lru_cache(maxsize=64)
def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:2]
    known = all(part.isdecimal() and len(part) < _MOST_DIGITS for part in parts)
    return tuple(map(int, parts)) if known else (2, 5)


def _msh(
    header: Header,
    cut: Delimiters,
    version: tuple[int, ...],
    at: float,
    control_id: str,
    kind: str,
    accept: str,
) -> str:
    fields = [
        "MSH",
        header.encoding_characters or "^~\\&",
        header.receiving_application,
        header.receiving_facility,
        header.sending_application,
        header.sending_facility,
        time_of(at),
        "",
        _type(header, cut, version, kind),
        control_id,
        header.processing_id,
        header.version,
    ]
    if accept:
        fields += ["", "", accept, "NE"]
    if header.charset:
        fields += [""] * (17 - len(fields))
        fields.append(header.charset.replace("~", cut.repetition))
    return cut.field.join(fields)


def time_of(at: float) -> str:
    """To the millisecond: so a sender sees by the date that this is a stored acknowledgment."""
    return f"{_second(int(at))}.{int(at % 1 * 1000):03}+0000"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(at))


def _type(header: Header, cut: Delimiters, version: tuple[int, ...], kind: str) -> str:
    """MSH-9: `ACK` or `MFK^M02` up to 2.3.1, from 2.4 with the name of the structure too."""
    trigger = header.message_type.partition("^")[2]
    if not trigger or not cut.component or (version < (2, 4) and kind == "ACK"):
        return kind
    if version < (2, 4):
        return cut.component.join((kind, trigger))
    return cut.component.join((kind, trigger, "ACK" if kind == "ACK" else "MFK_M01"))


def _msa(ack: Acknowledgment, cut: Delimiters, version: tuple[int, ...]) -> str:
    """MSA-3 was withdrawn in 2.7; MSA-6 is the coded error of versions that have no ERR-3."""
    fields = ["MSA", ack.code, ack.control_id]
    if ack.text and version < (2, 7):
        fields.append(_ascii(ack.text, cut))
    if ack.errors and version < (2, 5):
        fields += [""] * (6 - len(fields))
        fields.append(cut.component.join(_condition(ack.errors[0].code)))
    return cut.field.join(fields)


def _errors_2_4(ack: Acknowledgment, cut: Delimiters) -> list[str]:
    """One ERR with a repetition an error: segment, sequence, field and the coded reason."""
    told = []
    for error in ack.errors:
        segment, sequence, field, *_ = (*_place(error.location), "", "", "")
        reason = cut.subcomponent.join(_condition(error.code)) if cut.subcomponent else ""
        told.append(cut.component.join((segment, sequence, field, reason or str(error.code))))
    return [f"ERR{cut.field}{cut.repetition.join(told)}"]


def _errors_2_5(ack: Acknowledgment, cut: Delimiters) -> list[str]:
    """One ERR an error: ERR-2 where, ERR-3 what, ERR-4 how bad, ERR-8 for people."""
    return [
        cut.field.join(
            (
                "ERR",
                "",
                cut.component.join(_place(error.location)),
                cut.component.join(_condition(error.code)),
                error.severity,
                *("", "", ""),
                _ascii(error.text, cut),
            )
        )
        for error in ack.errors
    ]


def _condition(code: int) -> tuple[str, str, str]:
    return str(code), _CONDITIONS.get(code, ""), "HL70357"


@lru_cache(maxsize=256)
def _place(location: str) -> tuple[str, ...]:
    """A path as ERL says it: segment, its number, field, repetition, component, subcomponent."""
    try:
        path = paths.parse(location)
    except PathError:
        return _segment(location)
    repetition = path.choice if isinstance(path.choice, int) else None
    numbers = [path.line[1], path.field, repetition, path.component]
    while numbers[-1] is None:
        numbers.pop()
    return (path.line[0], *(str(number or 1) for number in numbers))


def _segment(location: str) -> tuple[str, ...]:
    """`MSH[2]` as `MSH^2`; also of a segment that is not of the standard, without a number."""
    path = paths.segment_path(location)
    if path is not None:
        return path.line[0], str(path.line[1])
    return (location, "1") if len(location) == 3 and location.isalnum() else ()


def _ascii(text: str, cut: Delimiters) -> str:
    return escapes.escape(text.encode("ascii", "replace").decode("ascii"), cut)


def _errors(document: Hl7Document) -> tuple[AckError, ...]:
    told: list[AckError] = []
    for number in range(1, document.count("ERR") + 1):
        line = f"ERR[{number}]"
        told += [_new_error(document, line)] if _text(document, f"{line}-3.1") else []
        told += _old_errors(document, line)
    if not told and _text(document, "MSA-6.1"):
        code, text = _text(document, "MSA-6.1"), _text(document, "MSA-6.2")
        told.append(AckError("", _number(code), text))
    return tuple(told)


def _new_error(document: Hl7Document, line: str) -> AckError:
    segment, field = _text(document, f"{line}-2.1"), _text(document, f"{line}-2.3")
    text = _text(document, f"{line}-8") or _text(document, f"{line}-3.2")
    severity = _text(document, f"{line}-4.1") or "E"
    return AckError(
        _location(segment, field), _number(_text(document, f"{line}-3.1")), text, severity
    )


def _old_errors(document: Hl7Document, line: str) -> list[AckError]:
    found = document.values(paths.parse(f"{line}-1"))
    return [
        AckError(
            _location(one.component(1), one.component(3)),
            _number(one.component(4)),
            one.component(4, 2),
        )
        for one in found
        if isinstance(one, Repetition)
    ]


def _location(segment: str, field: str) -> str:
    return f"{segment}-{field}" if segment and field else segment


def _number(code: str) -> int:
    return int(code) if code.isdecimal() and len(code) < _MOST_DIGITS else 0


def _text(document: Hl7Document, path: str) -> str:
    """The first value at `path` as one text; "" where there is none."""
    for value in document.values(paths.parse(path)):
        if isinstance(value, Repetition):
            return value.text
        if isinstance(value, str):
            return value
    return ""


def _whole(document: Hl7Document, path: str) -> str:
    for value in document.values(paths.parse(path)):
        if isinstance(value, Repetition):
            return value.raw
    return ""
