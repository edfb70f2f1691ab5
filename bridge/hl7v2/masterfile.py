"""What the application answer to a master file notification says beyond MSA and ERR (chapter 8.5).

MFN is answered with MFK: the MFI as it came, and an MFA for each MFE that the sender wants to hear
of (MFI-6, table 0179).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.hl7v2 import charset, segments
from bridge.hl7v2.header import Header
from bridge.hl7v2.lines import plain


def is_notification(header: Header) -> bool:
    """Whether a message is an MFN."""
    return header.message_type.startswith("MFN")


def told(body: bytes, header: Header, at: str, *, taken: bool) -> Sequence[bytes]:
    """The MFI and MFA segments of the answer to an MFN that was taken as a whole or not at all.

    `at` is the time of that, as HL7 writes it. Values are byte for byte the sender's. Empty where
    the message has no MFI: then there is nothing to answer but MSA.
    """
    separator, codec = header.field_separator, _codec(header)
    text = body.decode(codec, "surrogateescape").lstrip()
    lines = plain(segments.split(text, separator), separator)
    found = [line.split(separator) for line in lines]
    head = next((fields for fields in found if fields[0] == "MFI"), None)
    if head is None:
        return ()
    wanted = _field(head, 6).upper()
    told = [head]
    if wanted == "AL" or wanted == ("SU" if taken else "ER"):
        told += (_entry(fields, at, taken) for fields in found if fields[0] == "MFE")
    return [separator.join(fields).encode(codec, "surrogateescape") for fields in told]


def _codec(header: Header) -> str:
    """The charset of a message whose bytes must not be split; else one that keeps every byte."""
    return header.encoding if header.encoding in charset.OPAQUE else "latin-1"


def _entry(fields: Sequence[str], at: str, taken: bool) -> list[str]:
    """MFA: event, its control id, when, S or U (table 0181), and the key with its type."""
    outcome = (at, "S" if taken else "U")
    key = (_field(fields, 4), _field(fields, 5))
    return ["MFA", _field(fields, 1), _field(fields, 2), *outcome, *key]


def _field(fields: Sequence[str], number: int) -> str:
    return fields[number] if number < len(fields) else ""
