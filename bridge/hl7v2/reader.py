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
DECLARING = frozenset(("MSH", "FHS", "BHS"))


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a message's text is read."""

    cut: Delimiters
    #: Python's name of the charset, for escaped bytes
    codec: str


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field, whole."""

    #: as sent, with its delimiters and escapes; trailing ones without content left out
    raw: str
    syntax: Syntax = field(repr=False)

    @property
    def text(self) -> str:
        """All of it as one text, escapes read: for fields of one component, and for people."""
        return escapes.unescape(self.raw, self.syntax.cut, self.syntax.codec)

    def component(self, number: int, sub: int = 1) -> str:
        """A component's subcomponent, both counted from 1; "" where there is none or it is `""`."""
        value = _part(self.raw, self.syntax.cut, number, sub)
        if value == _DELETE:
            return ""
        return escapes.unescape(value, self.syntax.cut, self.syntax.codec)


Value: TypeAlias = str | Repetition | Indicator


class Hl7Document:
    """A message that can be asked for values (see `mapping.document.Document`).

    Trailing blanks of a value are padding and dropped (chapter 2.A, data type ST); leading ones
    are kept. A value that is empty then is not there. `""` is DELETE; where it is all that a
    repetition says, it is so for each of its components.

    Raises ReadError where the bytes are not of the message's charset.
    """

    __slots__ = ("_fields", "_padding", "_segments", "_syntax", "header")

    def __init__(self, body: bytes, header: Header, fallback_charset: str = "cp1252") -> None:
        text, codec = charset.decode(body, header.charset, fallback_charset)
        cut = header.delimiters
        self.header = header
        self._syntax = Syntax(cut, codec)
        self._padding = cut.component + cut.subcomponent + _BLANKS
        self._segments: dict[str, list[str]] = {}
        self._fields: dict[tuple[str, int], list[str]] = {}
        for segment in segments.split(text.lstrip(), cut.field):
            name = segment.partition(cut.field)[0]
            self._segments.setdefault(name, []).append(segment)

    def count(self, segment: str) -> int:
        """How many segments of that name there are."""
        return len(self._segments.get(segment, ()))

    def values(self, path: Hl7Path) -> Sequence[Value]:
        """What stands at `path`, one for each repetition that says something.

        A path that names a component gives texts, any other gives `Repetition`s.
        """
        fields = self._fields.get(path.line)
        if fields is None:
            fields = self._cut_fields(*path.line)
        text = fields[path.field] if path.field < len(fields) else ""
        if not text:
            return ()
        if path.field <= 2 and path.line[0] in DECLARING:
            return (_verbatim(text, path),)
        cut = self._syntax.cut
        if path.choice is not None or cut.repetition in text:
            found = (self._value(one, path) for one in _choose(text, path, cut))
            return [value for value in found if value is not None]
        value = self._value(text, path)
        return () if value is None else (value,)

    def _cut_fields(self, segment: str, occurrence: int) -> list[str]:
        """The fields of a segment under their own numbers; its name under 0."""
        separator = self._syntax.cut.field
        found = self._segments.get(segment, ())
        fields = found[occurrence - 1].split(separator) if occurrence <= len(found) else []
        if fields and segment in DECLARING:
            fields.insert(1, separator)
        self._fields[segment, occurrence] = fields
        return fields

    def _value(self, repetition: str, path: Hl7Path) -> Value | None:
        syntax = self._syntax
        if repetition.startswith(_DELETE) and _is_delete(repetition, syntax.cut):
            return DELETE
        if path.component is None:
            raw = repetition.rstrip(self._padding)
            return Repetition(raw, syntax) if raw else None
        value = _part(repetition, syntax.cut, path.component, path.subcomponent)
        if value == _DELETE:
            return DELETE
        return escapes.unescape(value, syntax.cut, syntax.codec) or None


def _verbatim(text: str, path: Hl7Path) -> Value:
    """MSH-1 or MSH-2, in which a delimiter is only itself."""
    return Repetition(text, Syntax(NONE, "ascii")) if path.component is None else text


def _choose(text: str, path: Hl7Path, cut: Delimiters) -> Sequence[str]:
    repetitions = text.split(cut.repetition) if cut.repetition else [text]
    choice = path.choice
    if choice is None:
        return repetitions
    if isinstance(choice, int):
        return repetitions[choice - 1 : choice]
    return [one for one in repetitions if _part(one, cut, path.qualified_by, 1) == choice]


def _part(repetition: str, cut: Delimiters, component: int, subcomponent: int) -> str:
    value = repetition
    if cut.component and cut.component in value:
        pieces = value.split(cut.component, component)
        value = pieces[component - 1] if component <= len(pieces) else ""
    elif component > 1:
        return ""
    if cut.subcomponent and cut.subcomponent in value:
        pieces = value.split(cut.subcomponent, subcomponent)
        value = pieces[subcomponent - 1] if subcomponent <= len(pieces) else ""
    elif subcomponent > 1:
        return ""
    return value.rstrip(_BLANKS)


def _is_delete(repetition: str, cut: Delimiters) -> bool:
    """Whether the whole repetition is `""` (or `""^""`, or `""` and empty components)."""
    parts = repetition.rstrip(_BLANKS).split(cut.component or None)
    return all(part in ("", _DELETE) for part in parts)
