"""HL7 v2 messages without their people."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.hl7v2 import charset
from bridge.hl7v2.grammar import Leaf, is_segment, leaf
from bridge.hl7v2.header import Header, scan
from bridge.hl7v2.paths import DECLARING
from bridge.hl7v2.segments import UTF8_BOM
from bridge.mapping.functions.identity import TELLING_TYPES
from bridge.study.scrub.allowed import Allowed
from bridge.study.scrub.disguise import Disguise, country_code
from bridge.study.scrub.moments import partly_moved

_LINE_END = re.compile(r"(\r\n|\r|\n)")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_SEQUENCE_BODIES = r"[FSTREPHN]|\.[a-zA-Z]{2}[+-]?\d*|[CM](?:[0-9A-Fa-f]{2}){2,3}"

#: fields whose form is all that may stay of them: message type, processing id, version, when it is
#: acknowledged, country and charset
_FORMS = {
    ("MSH", 9): re.compile(r"[A-Z][A-Z0-9]{2}(_[A-Z0-9]{3})?"),
    ("MSH", 11): re.compile(r"[A-Z]"),
    ("MSH", 12): re.compile(r"2(\.\d){1,2}"),
    ("MSH", 15): re.compile("AL|NE|ER|SU"),
    ("MSH", 16): re.compile("AL|NE|ER|SU"),
    ("MSH", 18): re.compile(
        r"ASCII|8859/1?\d|UNICODE( UTF-(8|16|32))?|GB 18030-2000|KS X 1001|BIG-5"
    ),
    ("EVN", 1): re.compile(r"[A-Z]\d{2}"),
}
#: datatypes of codes; one of two characters names nobody
_CODES = ("ID", "IS")
_SHORT = 2
#: a coding system that is a table of HL7's own (table 0396)
_TABLE = re.compile(r"HL7\d{4}")
_TIMES = ("DT", "DTM", "TS", "TM")
_TIME = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d)?([+-]\d{4})?")
_NUMBER = re.compile(r"0{0,3}\d{1,2}")
#: authorities of the nation's own numbers, which never become a patient's id
_NATIONAL = frozenset({"abha", "abdm", "ndhm", "aadhaar", "uidai"})


def scrub(
    body: bytes, fallback: str, allowed: Allowed, rng: random.Random
) -> tuple[bytes, Disguise]:
    """The message with everything replaced that is not known to be harmless, in its charset.

    Raises ReadError where it cannot be read.
    """
    header = scan(body)
    text, codec = charset.decode(body, header.charset, fallback)
    disguise = Disguise(text, rng, codec)
    scrubber = _MessageScrubber(header, allowed, disguise, codec)
    lines = _LINE_END.split(text)
    made = "".join(scrubber.line(line) if n % 2 == 0 else line for n, line in enumerate(lines))
    bom = UTF8_BOM if body.startswith(UTF8_BOM) else b""
    return bom + made.encode(codec), disguise


@dataclass(frozen=True, slots=True)
class _MessageScrubber:
    """Goes through one message."""

    header: Header
    allowed: Allowed
    disguise: Disguise
    codec: str

    def line(self, line: str) -> str:
        """One segment; a line that is none is free text."""
        blank = line[: len(line) - len(line.lstrip())]
        separator = self.header.field_separator
        padded, *fields = line[len(blank) :].split(separator)
        name = padded.rstrip()
        if not _NAME.fullmatch(name) or not (is_segment(name) or name.startswith("Z")):
            return self._free(line)
        if name in DECLARING:
            head, fields = fields[:1], fields[1:]
            made = [self._field(name, number, text) for number, text in enumerate(fields, 3)]
            return blank + separator.join([padded, *head, *made])
        made = [self._field(name, number, text) for number, text in enumerate(fields, 1)]
        return blank + separator.join([padded, *made])

    def _field(self, segment: str, number: int, text: str) -> str:
        cut = self.header.delimiters
        return _joined(
            cut.repetition,
            (
                _joined(
                    cut.component,
                    (
                        self._component((segment, number, at), component)
                        for at, component in enumerate(_split(repetition, cut.component), 1)
                    ),
                )
                for repetition in _split(text, cut.repetition)
            ),
        )

    def _component(self, place: tuple[str, int, int], text: str) -> str:
        between = self.header.delimiters.subcomponent
        parts = enumerate(_split(text, between), 1)
        return _joined(between, (self._leaf(place, sub, part) for sub, part in parts))

    def _leaf(self, place: tuple[str, int, int], sub: int, text: str) -> str:
        if not text or text == '""':
            return text
        segment, number, component = place
        known = leaf(segment, number, component, sub, self.header.version)
        form = _FORMS.get((segment, number))
        if form is not None and form.fullmatch(text.strip()):
            return text
        trail = (segment, str(number), str(component))
        if sub == 1 and self.allowed.has(trail, text.strip()):
            return text
        if known is not None and _is_code(known, text.strip()):
            return text
        is_time = known is not None and (known.datatype in _TIMES or known.composite == "TS")
        if is_time and (partial := partly_moved(text, self.disguise.days)) is not None:
            return partial
        if known is not None and known.composite == "XTN":
            return self._phone(text)
        return self._free(text)

    def _phone(self, text: str) -> str:
        code = country_code(text)
        return code + self._free(text[len(code) :])

    def _free(self, text: str) -> str:
        """Free text with its escape sequences, whose content is text as well."""
        escape = self.header.delimiters.escape
        if not escape or escape not in text:
            return self.disguise.text(text)
        parts = _sequences(escape).split(text)
        return "".join(
            self._sequence(part, escape) if at % 2 else self.disguise.text(part)
            for at, part in enumerate(parts)
        )

    def _sequence(self, sequence: str, escape: str) -> str:
        if sequence[1] == "X":
            return self._hex(sequence, escape)
        if sequence[1] == "Z":
            return f"{escape}Z{self.disguise.text(sequence[2:-1])}{escape}"
        return sequence

    def _hex(self, sequence: str, escape: str) -> str:
        """Bytes in hexadecimal digits: what they stand for is replaced."""
        hidden = bytes.fromhex(sequence.replace(escape, "").replace("X", ""))
        try:
            made = self.disguise.text(hidden.decode(self.codec)).encode(self.codec)
        except UnicodeDecodeError:
            made = self.disguise.text(hidden.decode("latin-1")).encode("latin-1", "replace")
        return f"{escape}X{made.hex().upper()}{escape}"


def _is_code(known: Leaf, text: str) -> bool:
    """Whether it is a code of its table, or says as little as one."""
    if text in known.codes:
        return True
    if known.datatype in _CODES and (len(text) <= _SHORT or _TABLE.fullmatch(text)):
        return True
    if known.datatype == "SI" and _NUMBER.fullmatch(text):
        return True
    if known.datatype == "TM" and _TIME.fullmatch(text):
        return True
    return _is_said(known, text)


def _is_said(known: Leaf, text: str) -> bool:
    """Words by which our functions know a number of the nation, and one of WhatsApp."""
    if known.composite in ("CX", "HD"):
        return text.upper() in TELLING_TYPES or text.casefold() in _NATIONAL
    return known.composite == "XTN" and text.casefold() in (
        "whatsapp",
        "internet",
        "mobile",
        "cell",
    )


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else [text]


def _joined(separator: str, parts: Iterator[str]) -> str:
    return separator.join(parts)


def _sequences(escape: str) -> re.Pattern[str]:
    """The sequences of chapter 2.6, and one letter between two escape characters, which another
    letter could make one."""
    e = re.escape(escape)
    hexadecimal = rf"(?:{e}X(?:[0-9A-Fa-f]{{2}})++{e})++"
    return re.compile(rf"({hexadecimal}|{e}(?:{_SEQUENCE_BODIES}|[A-Z]|Z[^{e}]*+){e})")
