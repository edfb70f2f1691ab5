"""A message as values by path: a lazy view that cuts only what it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from typing import TypeAlias

from bridge.hl7v2 import charset, delimiters, escapes, segments
from bridge.hl7v2.delimiters import Delimiters
from bridge.hl7v2.header import Header
from bridge.hl7v2.lines import OddLine, odd_lines, plain
from bridge.hl7v2.paths import DECLARING, EVERY, SEGMENTS, Hl7Path, is_segment
from bridge.message import DELETE, Indicator

_BLANKS = " \t\r\n"
_DELETE = '""'
_FS = "\x1c"
#: no segment holds what ends it
_NEVER = "\r"


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a message's text is read.

    A separator that the message does not have is one here that no segment can hold.
    """

    component: str
    repetition: str
    subcomponent: str
    escape: str
    #: what says nothing at the end of a repetition: empty components and blanks
    padding: str
    cut: Delimiters
    #: Python's name of the charset, for escaped bytes
    codec: str
    #: no value of the message holds an escape, a subcomponent or a quotation mark
    plain: bool = False

    def unescape(self, text: str) -> str:
        """The value that `text` stands for."""
        return escapes.unescape(text, self.cut, self.codec)

    def part(self, text: str, component: int) -> str | None:
        """A component of a field whose text is known, "" for none.

        None where it takes more to read it, as `values` does: the field repeats, or the message
        deletes, escapes or has subcomponents somewhere.
        """
        if not self.plain or self.repetition in text:
            return None
        parts = text.split(self.component, component)
        return parts[component - 1].rstrip(_BLANKS) if component <= len(parts) else ""

    def only_text(self, text: str) -> str | None:
        """The text of a field that holds one value and nothing else; None as above."""
        if not self.plain or self.repetition in text or self.component in text:
            return None
        return text.rstrip(_BLANKS)

    def whole(self, text: str) -> Sequence[tuple[str, list[str]]] | None:
        """Each repetition of a field whose text is known, as sent and cut into its components.

        None where it takes more to read it (see `part`).
        """
        if not self.plain:
            return None
        # every blank but the space, a tab or U+00A0, is unprintable
        blanks = " " in text or not text.isprintable()
        found: list[tuple[str, list[str]]] = []
        for repetition in text.split(self.repetition):
            raw = repetition.rstrip(self.padding)
            if raw:
                parts = raw.split(self.component)
                found.append((raw, list(map(str.strip, parts)) if blanks else parts))
        return found

    def values(self, path: Hl7Path, text: str) -> Sequence[Value]:
        """What stands at `path` in a field with this text."""
        if not text:
            return ()
        if not path.usual or self.repetition in text or text[0] == '"':
            return self._repetitions(text, path)
        # the way of most fields: it does not repeat, and does not delete
        if path.component is None:
            raw = text.rstrip(self.padding)
            return (Repetition(raw, self),) if raw else ()
        value = _part(text, self, path.component, path.subcomponent)
        if value == _DELETE or self.escape in value:
            return (meant,) if (meant := _meant(value, self)) else ()
        return (value,) if value else ()

    def parts_of(self, text: str) -> frozenset[int]:
        """Numbers of a field's components that say something (`""` does), in any repetition."""
        repetitions = text.split(self.repetition) if self.repetition in text else (text,)
        return frozenset(
            number
            for repetition in repetitions
            for number, part in enumerate(repetition.split(self.component), 1)
            if part.strip(self.padding)
        )

    def _repetitions(self, text: str, path: Hl7Path) -> Sequence[Value]:
        if path.field <= 2 and path.line[0] in DECLARING:
            return (Repetition(text, _VERBATIM) if path.component is None else text,)
        if path.component is None and path.choice is None and '"' not in text:
            parts = [one.rstrip(self.padding) for one in text.split(self.repetition)]
            return [Repetition(raw, self) for raw in parts if raw]
        chosen = _choose(text, path, self)
        if self.plain and path.component is not None:
            number, sub = path.component, path.subcomponent
            return [part for one in chosen if (part := _part(one, self, number, sub))]
        return [value for one in chosen if (value := self._value(one, path))]

    def _value(self, repetition: str, path: Hl7Path) -> Value | None:
        if repetition.startswith(_DELETE) and _is_delete(repetition, self):
            return DELETE
        if path.component is None:
            raw = repetition.rstrip(self.padding)
            return Repetition(raw, self) if raw else None
        return _meant(_part(repetition, self, path.component, path.subcomponent), self)


# Not frozen: one is made for most fields of every message, and a frozen one takes twice as long.
@dataclass(slots=True)
class Repetition:
    """One repetition of a field, whole; never changed."""

    #: as sent, with its delimiters and escapes; trailing ones without content left out
    raw: str
    syntax: Syntax = field(repr=False)

    @property
    def text(self) -> str:
        """All of it as one text, escapes read: for fields of one component, and for people."""
        return self.syntax.unescape(self.raw)

    def component(self, number: int, sub: int = 1) -> str:
        """A component's subcomponent, both counted from 1; "" where there is none or it is `""`."""
        value = _part(self.raw, self.syntax, number, sub)
        return "" if value == _DELETE else self.syntax.unescape(value)


Value: TypeAlias = str | Repetition | Indicator


class Hl7Document:
    """A message that can be asked for values (see `mapping.document.Document`).

    Trailing blanks of a value are padding and dropped (chapter 2.A, data type ST); leading ones
    are kept. A value that is empty then is not there. `""` is DELETE; where it is all that a
    repetition says, it is so for each of its components.

    Raises ReadError where the bytes are not of the message's charset.
    """

    __slots__ = ("_fields", "_named", "_names", "_segments", "header", "odd_lines", "syntax")

    def __init__(
        self,
        body: bytes,
        header: Header,
        fallback_charset: str = "cp1252",
        default_charset: str = "",
        forced_charset: str = "",
    ) -> None:
        charsets = fallback_charset, default_charset, forced_charset
        text, codec = charset.decode(body, header.charset, *charsets)
        # An FS before the one that ended the frame is text by the rule, but says nothing.
        text, separator = text.lstrip().rstrip(_FS), header.field_separator
        self.header = header
        self._segments = segments.split(text, separator)
        syntax = _syntax(separator, header.encoding_characters, codec, plain=True)
        # all but MSH-1 and MSH-2, which hold the characters themselves
        values = text[text.find(separator, len("MSH|")) :]
        if syntax.escape in values or syntax.subcomponent in values or '"' in values:
            syntax = _syntax(separator, header.encoding_characters, codec, plain=False)
        self.syntax = syntax
        self._names = [segment.partition(separator)[0] for segment in self._segments]
        #: lines that are not plainly a segment
        self.odd_lines: Sequence[OddLine] = ()
        if not SEGMENTS.issuperset(self._names) and not all(map(is_segment, self._names)):
            self._straighten(text, separator)
        self._named: dict[str, list[str]] = {}
        self._fields: dict[tuple[str, int], list[str]] = {}

    def _straighten(self, text: str, separator: str) -> None:
        self.odd_lines = tuple(odd_lines(text, separator))
        self._segments = list(plain(self._segments, separator))
        self._names = [segment.partition(separator)[0] for segment in self._segments]

    def count(self, segment: str) -> int:
        """How many segments of that name there are."""
        return self._names.count(segment)

    def groups(self, segments: Sequence[str]) -> Sequence[Mapping[str, range]]:
        """The groups that begin at each of the first of these segments and end before its next.

        Each is told by which occurrences of every segment stand in it, if any: the others are
        optional in most groups of the standard, so that the second PV1 need not be the second
        PID's. What stands before the first group is in none.
        """
        seen: Counter[str] = Counter()
        found: list[dict[str, range]] = []
        for name in filter(set(segments).__contains__, self._names):
            if name == segments[0]:
                found.append({each: range(seen[each] + 1, seen[each] + 1) for each in segments})
            seen[name] += 1
            if found:
                found[-1][name] = range(found[-1][name].start, seen[name] + 1)
        return found

    def repeats(self, segment: str, occurrence: int, field: int) -> int:
        """How often a field repeats, empty repetitions included."""
        text = self.fields(segment, occurrence, field)[field]
        return text.count(self.syntax.repetition) + 1 if text else 0

    def only(self, fields: Sequence[str], field: int, repetition: int) -> Sequence[str]:
        """The fields of a segment, of which one has only this repetition, from 1."""
        one = fields[field].split(self.syntax.repetition)[repetition - 1]
        return [*fields[:field], one, *fields[field + 1 :]]

    def values(self, path: Hl7Path) -> Sequence[Value]:
        """What stands at `path`, one for each repetition that says something.

        A path that names a component gives texts, any other gives `Repetition`s.
        """
        line, number = path.line, path.field
        fields = self._fields.get(line)
        if fields is None:
            fields = self._cut_fields(line)
        text = fields[number] if number < len(fields) else ""
        return self.syntax.values(path, text) if text else ()

    def fields(self, segment: str, occurrence: int, last: int) -> Sequence[str]:
        """The fields of a segment under their own numbers, its name under 0.

        There are at least those up to number `last`: what the segment lacks is "". Occurrences
        begin at 1; of number 0 there is none. Those of `EVERY` one are told as if each field
        repeated.
        """
        line = (segment, occurrence)
        fields = self._fields.get(line)
        if fields is None:
            fields = self._cut_fields(line)
        if len(fields) <= last:
            fields += [""] * (last + 1 - len(fields))
        return fields

    def lines(self) -> Iterator[Sequence[str]]:
        """Every segment as its fields under their own numbers, its name under 0."""
        return (self._cut(line) for line in self._segments)

    def _cut_fields(self, line: tuple[str, int]) -> list[str]:
        segment, occurrence = line
        if segment not in self._names:
            fields = []
        elif occurrence == 1:
            fields = self._cut(self._segments[self._names.index(segment)])
        elif occurrence == EVERY:
            fields = self._cut_every(segment)
        else:
            fields = self._cut_further(segment, occurrence)
        self._fields[line] = fields
        return fields

    def _cut_further(self, segment: str, occurrence: int) -> list[str]:
        lines = self._lines_of(segment)
        return self._cut(lines[occurrence - 1]) if 0 < occurrence <= len(lines) else []

    def _cut_every(self, segment: str) -> list[str]:
        lines = map(self._cut, self._lines_of(segment))
        by_number = zip_longest(*lines, fillvalue="")
        return [self.syntax.repetition.join(filter(None, texts)) for texts in by_number]

    def _cut(self, line: str) -> list[str]:
        separator = self.syntax.cut.field
        fields = line.split(separator)
        if fields[0] in DECLARING:
            fields.insert(1, separator)
        return fields

    def _lines_of(self, segment: str) -> list[str]:
        # Only now: most mappings ask for the first of each name, and need no index for that.
        if not self._named:
            for name, line in zip(self._names, self._segments, strict=True):
                self._named.setdefault(name, []).append(line)
        return self._named[segment]


@lru_cache(maxsize=256)
def _syntax(field_separator: str, encoding_characters: str, codec: str, *, plain: bool) -> Syntax:
    cut = delimiters.declared(field_separator, encoding_characters)
    return Syntax(
        component=cut.component or _NEVER,
        repetition=cut.repetition or _NEVER,
        subcomponent=cut.subcomponent or _NEVER,
        escape=cut.escape or _NEVER,
        padding=cut.component + cut.subcomponent + _BLANKS,
        cut=cut,
        codec=codec,
        plain=plain,
    )


#: MSH-1 and MSH-2 themselves, in which a delimiter is only itself
_VERBATIM = Syntax(_NEVER, _NEVER, _NEVER, _NEVER, "", delimiters.NONE, "ascii")


def _choose(text: str, path: Hl7Path, syntax: Syntax) -> Sequence[str]:
    repetitions = text.split(syntax.repetition)
    choice = path.choice
    if choice is None:
        return repetitions
    if isinstance(choice, int):
        return repetitions[choice - 1 : choice]
    return [one for one in repetitions if _part(one, syntax, path.qualified_by, 1) == choice]


def _part(text: str, syntax: Syntax, component: int, subcomponent: int) -> str:
    if syntax.component in text:
        pieces = text.split(syntax.component, component)
        text = pieces[component - 1] if component <= len(pieces) else ""
    elif component > 1:
        return ""
    if syntax.subcomponent in text:
        pieces = text.split(syntax.subcomponent, subcomponent)
        text = pieces[subcomponent - 1] if subcomponent <= len(pieces) else ""
    elif subcomponent > 1:
        return ""
    return text.rstrip(_BLANKS)


def _meant(value: str, syntax: Syntax) -> str | Indicator:
    """What is meant by a component as sent."""
    return DELETE if value == _DELETE else syntax.unescape(value)


def _is_delete(repetition: str, syntax: Syntax) -> bool:
    """Whether the whole repetition is `""` (or `""^""`, or `""` and empty components)."""
    parts = repetition.rstrip(_BLANKS).split(syntax.component)
    return all(part in ("", _DELETE) for part in parts)
