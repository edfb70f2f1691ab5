"""Read the text of a YAML file into a tree.

Of YAML only mappings, lists and plain or quoted words are taken. Anchors, aliases, tags, merge keys
and duplicate keys are faults, because a reader of the file cannot see what they do. A fault quotes
nothing of the file but keys, and of those only what `show` lets through.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bridge.errors import Fault
from bridge.yamlfile import syntax
from bridge.yamlfile.tree import Entry, Items, Node, Place, Show, Table, Way, Word, dotted

#: tables and lists within each other; no file of ours has ten
DEPTH = 100
#: libyaml is ten times as fast where PyYAML was built with it
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOM = "\ufeff"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
#: what YAML 1.1 does not take (chapter 5.1), and byte order marks that are not at the beginning
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def decoded(data: bytes, name: str, faults: list[Fault]) -> str | None:
    """The text of a file that people know as `name`, without its byte order mark.

    None where it is not UTF-8.
    """
    if data.startswith(_WIDE):
        faults.append(Fault(name, 1, 1, "", "is not UTF-8 but UTF-16 or UTF-32; save it as UTF-8."))
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = _lines(data[: error.start].decode())
        faults.append(_at(name, before).fault("", "is not UTF-8 here; save it as UTF-8."))
        return None
    return _lines(text)


def text_of(file: Path, faults: list[Fault]) -> str | None:
    """The text of a file, None where it is not UTF-8; raises OSError."""
    with file.open("rb") as opened:
        return decoded(opened.read(), str(file), faults)


def read_table(
    text: str, name: str, faults: list[Fault], show: Show = dotted, holds: str = "keys with values"
) -> Table | None:
    """Read a text that must be a table; `holds` says what of, for people. None where unusable."""
    root = read(text, name, faults, show)
    if root is None or isinstance(root, Table):
        return root
    faults.append(Fault(name, 1, 1, "", f"must hold {holds}."))
    return None


def read(text: str, name: str, faults: list[Fault], show: Show = dotted) -> Node | None:
    """Read a text; an empty one is an empty plain word. None where it is unusable.

    `show` says how the way to a key is shown in a fault.
    """
    text = text.removeprefix(_BOM)
    if odd := _UNPRINTABLE.search(text):
        message = f"holds the character U+{ord(odd[0]):04X}, which YAML does not take; remove it."
        faults.append(_at(name, text[: odd.start()]).fault("", message))
        return None
    composer = _Composer(text, name, show)
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        line, column, message = syntax.told(error, text)
        composer.refuse(Fault(name, line, column, "", message))
    except _TooDeep as error:
        composer.refuse(error.args[0])
    faults += composer.faults
    return root if composer.usable else None


class _TooDeep(Exception):
    """Nested beyond `DEPTH`; holds the fault."""


class _Composer:
    """Makes the tree of the events of one text."""

    def __init__(self, text: str, name: str, show: Show) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._name = name
        self._show = show
        self.faults: list[Fault] = []
        self.usable = True

    def refuse(self, fault: Fault) -> None:
        """Take a fault after which nothing that is read can be relied on."""
        self.faults.append(fault)
        self.usable = False

    def document(self) -> Node:
        """The only document."""
        next(self._events)
        begin = next(self._events)
        if isinstance(begin, yaml.StreamEndEvent):
            return Word("", self._place(begin), plain=True)
        root = self._node(next(self._events), ())
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            message = "a second document begins here; keep one in a file."
            self.refuse(self._place(after).fault("", message))
        return root

    def _node(self, event: Any, way: Way) -> Node:
        place = self._place(event)
        self._check_reference(event, place, way)
        if isinstance(event, yaml.CollectionStartEvent) and len(way) >= DEPTH:
            raise _TooDeep(place.fault("", f"is nested more than {DEPTH} deep."))
        if isinstance(event, yaml.MappingStartEvent):
            return self._table(place, way)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(place, way)
        return self._word(event, place)

    def _word(self, event: Any, place: Place) -> Word:
        """A scalar; an alias, which is a fault, is an empty one."""
        return Word(getattr(event, "value", ""), place, plain=not getattr(event, "style", ""))

    def _items(self, place: Place, way: Way) -> Items:
        found: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*way, len(found))))
        return Items(tuple(found), place)

    def _table(self, place: Place, way: Way) -> Table:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, (*way, ""))
            word = key.text if isinstance(key, Word) else ""
            inner = (*way, word)
            value = self._node(next(self._events), inner)
            if fault := self._unfit_key(key, inner, entries):
                self.faults.append(fault)
            else:
                entries[word] = Entry(word, key.place, value)
        return Table(entries, place, way)

    def _unfit_key(self, key: Node, way: Way, before: dict[str, Entry]) -> Fault | None:
        """What is wrong with a key of a table that has these before it."""
        outer = self._show(way[:-1])
        if not isinstance(key, Word):
            return key.place.fault(outer, "a key must be one word.")
        if key.plain and not key.text:
            return key.place.fault(outer, "a key is missing before ':'.")
        if key.plain and key.text == "<<":
            message = "a merge key ('<<') is not taken; write the keys out."
            return key.place.fault(outer, message)
        if key.text in before:
            shown = self._show(way)
            what = f"'{key.text}'" if shown == dotted(way) else "a key"
            line = before[key.text].key_place.line
            message = f"{what} stands twice; keep one (the first is in line {line})."
            return key.place.fault(shown, message)
        return None

    def _check_reference(self, event: Any, place: Place, way: Way) -> None:
        """Refuse anchors, aliases and tags; an alias may even hold itself."""
        if isinstance(event, yaml.AliasEvent):
            message = "an alias is not taken; write the value out, or put a text with * in quotes."
            self.refuse(place.fault(self._written(f"*{event.anchor}", way), message))
        elif event.anchor:
            message = "an anchor is not taken; remove it, or put a text with & in quotes."
            self.refuse(place.fault(self._written(f"&{event.anchor}", way), message))
        elif event.tag:
            message = "a tag is not taken; remove it, or put a text with ! in quotes."
            self.refuse(place.fault(self._written(event.tag, way), message))

    def _written(self, reference: str, way: Way) -> str:
        """A reference as it is written, or where it stands if not all may be shown."""
        if self._show is dotted:
            return reference
        return self._show(tuple(part for part in way if part != ""))

    def _place(self, event: Any) -> Place:
        return Place(self._name, event.start_mark.line + 1, event.start_mark.column + 1)


def _lines(text: str) -> str:
    """A text whose lines end in a line feed, as files of text are read."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _at(name: str, before: str) -> Place:
    """The place behind a text."""
    return Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
