"""What the application answer to a master file notification says beyond MSA and ERR (chapter 8.5).

MFN is answered with MFK: the MFI as it came, and an MFA for each MFE that the sender wants to hear
of (MFI-6, table 0179).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.hl7v2.header import Header

_LINE_ENDS = ((b"\r\n", b"\r"), (b"\n", b"\r"))


def is_notification(header: Header) -> bool:
    """Whether a message is an MFN."""
    return header.message_type.startswith("MFN")


def told(body: bytes, header: Header, at: bytes, *, taken: bool) -> Sequence[bytes]:
    """The MFI and MFA segments of the answer to an MFN that was taken as a whole or not at all.

    `at` is the time of that, as HL7 writes it. Values are byte for byte the sender's. Empty where
    the message has no MFI: then there is nothing to answer but MSA.
    """
    separator = header.field_separator.encode(header.encoding)
    segments = [line.split(separator) for line in _lines(body)]
    head = next((fields for fields in segments if fields[0] == b"MFI"), None)
    if head is None:
        return ()
    wanted = _field(head, 6).upper()
    told = [separator.join(head)]
    if wanted == b"AL" or wanted == (b"SU" if taken else b"ER"):
        entries = (fields for fields in segments if fields[0] == b"MFE")
        told += (separator.join(_entry(fields, at, taken)) for fields in entries)
    return told


def _entry(fields: Sequence[bytes], at: bytes, taken: bool) -> Iterator[bytes]:
    """MFA: event, its control id, when, S or U (table 0181), and the key with its type."""
    yield from (b"MFA", _field(fields, 1), _field(fields, 2), at, b"S" if taken else b"U")
    yield from (_field(fields, 4), _field(fields, 5))


def _lines(body: bytes) -> Sequence[bytes]:
    for end, plain in _LINE_ENDS:
        body = body.replace(end, plain)
    return body.split(b"\r")


def _field(fields: Sequence[bytes], number: int) -> bytes:
    return fields[number] if number < len(fields) else b""
