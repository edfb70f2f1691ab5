"""A YAML file as a tree that knows the line and column of every key and value.

Of YAML only mappings, lists and plain or quoted words are taken, and every word stays the text
that was written: `NO` and `012` are no truth value and no octal number. Anchors, aliases, tags,
merge keys and duplicate keys are faults, because a reader of the file cannot see what they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from bridge.errors import Fault


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def fault(self, key: str, message: str, suggestion: str | None = None) -> Fault:
        """A fault found here."""
        return Fault(self.file, self.line, self.column, key, message, suggestion)


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar, as it was written."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a table."""

    key: str
    key_place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order written; keys are distinct."""

    entries: dict[str, Entry]
    place: Place


Node: TypeAlias = Word | Items | Table

#: what a loader is asked for; libyaml's is ten times as fast where PyYAML was built with it
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str, name: str, faults: list[Fault]) -> Table | None:
    """Read the text of a file that people know as `name`; None when it is unusable."""
    try:
        if references := list(_references(text, name)):
            faults += references
            return None
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        faults.append(_place(name, error.problem_mark).fault("", f"is not YAML: {error.problem}"))
        return None
    except yaml.YAMLError as error:
        faults.append(Fault(name, 1, 1, "", f"is not YAML: {error}"))
        return None
    if not isinstance(root, yaml.MappingNode):
        faults.append(Fault(name, 1, 1, "", "must hold keys with values, such as 'about: …'"))
        return None
    return _table(root, name, "", faults)


def _references(text: str, name: str) -> Iterator[Fault]:
    """Faults for anchors, aliases and tags; an alias may even hold itself."""
    for event in yaml.parse(text, Loader=_Loader):
        place = _place(name, event.start_mark)
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            yield place.fault(f"*{anchor}", "an alias is not taken; write the value out.")
        elif anchor:
            yield place.fault(f"&{anchor}", "an anchor is not taken; remove it.")
        elif tag:
            yield place.fault(str(tag), "a tag is not taken; every word is text.")


def _node(node: yaml.Node, name: str, key: str, faults: list[Fault]) -> Node:
    place = _place(name, node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _table(node, name, key, faults)
    if isinstance(node, yaml.SequenceNode):
        return Items(tuple(_node(item, name, key, faults) for item in node.value), place)
    return Word(str(node.value), place)


def _table(node: yaml.MappingNode, name: str, key: str, faults: list[Fault]) -> Table:
    entries: dict[str, Entry] = {}
    for key_node, value_node in node.value:
        place = _place(name, key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(place.fault(key, "a key must be one word"))
            continue
        word = str(key_node.value)
        inner = f"{key}.{word}" if key else word
        if word in entries:
            faults.append(place.fault(inner, f"'{word}' stands twice; keep one"))
            continue
        entries[word] = Entry(word, place, _node(value_node, name, inner, faults))
    return Table(entries, _place(name, node.start_mark))


def _place(name: str, mark: Any) -> Place:
    """Where a mark is; libyaml's marks are a class of their own."""
    return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)


#: keys under which a later folder replaces single entries, or adds items to a list, and how deep
#: the tables of those entries are merged in turn; any other key it replaces as a whole
MERGED = {"fields": 1, "facts": 1, "rows": 1, "senders": 2, "ignore": 1}


def overlay(shipped: Table, site: Table) -> Table:
    """The shipped file with what the site's file of the same name says instead."""
    entries = dict(shipped.entries)
    for key, entry in site.entries.items():
        before = entries.get(key)
        if before is not None and key in MERGED:
            entry = Entry(key, entry.key_place, _merged(before.value, entry.value, MERGED[key]))
        entries[key] = entry
    return Table(entries, shipped.place)


def _merged(shipped: Node, site: Node, depth: int) -> Node:
    if depth and isinstance(shipped, Items) and isinstance(site, Items):
        return Items((*shipped.items, *site.items), site.place)
    if not depth or not isinstance(shipped, Table) or not isinstance(site, Table):
        return site
    entries = dict(shipped.entries)
    for key, entry in site.entries.items():
        if key in entries:
            within = _merged(entries[key].value, entry.value, depth - 1)
            entry = Entry(key, entry.key_place, within)
        entries[key] = entry
    return Table(entries, shipped.place)


def words(node: Node) -> Iterator[Word]:
    """The words of a word or of a list; anything else among them is left out."""
    if isinstance(node, Word):
        yield node
    elif isinstance(node, Items):
        for item in node.items:
            if isinstance(item, Word):
                yield item
