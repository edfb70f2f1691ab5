"""A message as values by path: a lazy view that cuts only what it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.hl7v2 import charset, escapes, segments
from bridge.hl7v2.delimiters import NONE, Delimiters
from bridge.hl7v2.header import Header
from bridge.hl7v2.paths import Hl7Path
from bridge.message import DELETE, Indicator

_BLANKS = " \t\r\n"
_DELETE = '""'
#: segments whose first two fields are the delimiters themselves
_DECLARING = frozenset(("MSH", "FHS", "BHS"))


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field, whole."""

    #: as sent, with its delimiters and escapes
    raw: str
    delimiters: Delimiters = field(repr=False)
    codec: str = field(repr=False)

    @property
    def text(self) -> str:
        """All of it as one text, escapes read: for fields of one component, and for people."""
        return escapes.unescape(self.raw, self.delimiters, self.codec)

    def component(self, number: int, sub: int = 1) -> str:
        """A component's subcomponent, both counted from 1; "" where there is none or it is `""`."""
        value = _part(self.raw, self.delimiters, number, sub)
        return "" if value == _DELETE else escapes.unescape(value, self.delimiters, self.codec)


Value: TypeAlias = str | Repetition | Indicator


class Hl7Document:
    """A message that can be asked for values (see `mapping.document.Document`).

    Trailing blanks of a value are padding and dropped (chapter 2.A, data type ST); leading ones
    are kept. A value that is empty then is not there. `""` is DELETE; where it is all that a
    repetition says, it is so for each of its components.

    Raises ReadError where the bytes are not of the message's charset.
    """

    __slots__ = ("_codec", "_cut", "_fields", "_segments", "header")

    def __init__(self, body: bytes, header: Header, fallback_charset: str = "cp1252") -> None:
        text, self._codec = charset.decode(body, header.charset, fallback_charset)
        self.header = header
        self._cut = header.delimiters
        self._segments: dict[str, list[str]] = {}
        self._fields: dict[tuple[str, int], list[str]] = {}
        for segment in segments.split(text.lstrip(), header.field_separator):
            self._segments.setdefault(segment[:3], []).append(segment)

    def count(self, segment: str) -> int:
        """How many segments of that name there are."""
        return len(self._segments.get(segment, ()))

    def values(self, path: Hl7Path) -> Sequence[Value]:
        """What stands at `path`, one for each repetition that says something.

        A path that names a component gives texts, any other gives `Repetition`s.
        """
        field_text = self._field(path.segment, path.occurrence, path.field)
        if not field_text or field_text.isspace():
            return ()
        cut = NONE if path.field <= 2 and path.segment in _DECLARING else self._cut
        chosen = _choose(field_text, path, cut)
        found = (self._value(repetition, path, cut) for repetition in chosen)
        return [value for value in found if value is not None]

    def _field(self, segment: str, occurrence: int, number: int) -> str:
        fields = self._fields.get((segment, occurrence))
        if fields is None:
            fields = self._cut_fields(segment, occurrence)
            self._fields[segment, occurrence] = fields
        return fields[number] if number < len(fields) else ""

    def _cut_fields(self, segment: str, occurrence: int) -> list[str]:
        """The fields of a segment under their own numbers; its name under 0."""
        found = self._segments.get(segment, ())
        if occurrence > len(found):
            return []
        fields = found[occurrence - 1].split(self._cut.field)
        if segment in _DECLARING:
            fields.insert(1, self._cut.field)
        return fields

    def _value(self, repetition: str, path: Hl7Path, cut: Delimiters) -> Value | None:
        repetition = repetition.rstrip(_BLANKS)
        if not repetition:
            return None
        if _is_delete(repetition, cut):
            return DELETE
        if path.component is None:
            return Repetition(repetition, cut, self._codec) if _says(repetition, cut) else None
        value = _part(repetition, cut, path.component, path.subcomponent)
        if value == _DELETE:
            return DELETE
        return escapes.unescape(value, cut, self._codec) or None


def _choose(field_text: str, path: Hl7Path, cut: Delimiters) -> Sequence[str]:
    repetitions = field_text.split(cut.repetition) if cut.repetition else [field_text]
    if path.repetition is not None:
        return repetitions[path.repetition - 1 : path.repetition]
    if path.qualifier is None:
        return repetitions
    wanted, part = path.qualifier, path.qualified_by
    return [one for one in repetitions if _part(one, cut, part, 1) == wanted]


def _part(repetition: str, cut: Delimiters, component: int, subcomponent: int) -> str:
    value = _piece(repetition, cut.component, component)
    if value:
        value = _piece(value, cut.subcomponent, subcomponent).rstrip(_BLANKS)
    return value


def _piece(text: str, separator: str, number: int) -> str:
    if not separator or separator not in text:
        return text if number == 1 else ""
    pieces = text.split(separator, number)
    return pieces[number - 1] if number <= len(pieces) else ""


def _is_delete(repetition: str, cut: Delimiters) -> bool:
    r"""Whether the whole repetition is `""` (or `""^""`, or `""` and empty components)."""
    if not repetition.startswith(_DELETE):
        return False
    parts = repetition.split(cut.component) if cut.component else [repetition]
    return all(part in ("", _DELETE) for part in parts)


def _says(repetition: str, cut: Delimiters) -> bool:
    """Whether there is anything but delimiters: `^^^` is as empty as nothing at all."""
    return bool(repetition.strip(cut.component + cut.subcomponent + _BLANKS))
