"""A mapping, part or code table as it is in effect: YAML again, with where each line comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import NamedTuple

from bridge.mapping.language.overlay import MERGED
from bridge.yamlfile import Entry, Items, Node, Place, Table, Word

#: characters up to which a table or list stands in one line
_WIDTH = 76
#: what YAML takes for the word itself, wherever it stands
_PLAIN = re.compile(r"[A-Za-z0-9_/.^]([A-Za-z0-9_/.^|' ()=+-]*[A-Za-z0-9_/.^|'()=+-])?")


class ShownLine(NamedTuple):
    """One line of YAML, and where it was written."""

    text: str
    place: Place


def lines(table: Table) -> Iterator[ShownLine]:
    """The lines of a file as it is in effect."""
    for entry in table.entries.values():
        yield from _entry(entry, "", MERGED.get(entry.key, 0))


def _entry(entry: Entry, indent: str, opened: int) -> Iterator[ShownLine]:
    """`opened` is how deep what is under a key has lines of its own, whoever wrote them."""
    head, value = f"{indent}{_word(entry.key)}:", entry.value
    flow = _flow(value)
    if isinstance(value, Word) and entry.key == "about" and len(head) + len(flow) > _WIDTH:
        yield ShownLine(f"{head} >-", entry.key_place)
        for part in wrap(value.text, _WIDTH - len(indent), break_long_words=False):
            yield ShownLine(f"{indent}  {part}", entry.key_place)
        return
    if isinstance(value, Word) or (not opened and len(head) + len(flow) <= _WIDTH):
        yield ShownLine(f"{head} {flow}", entry.key_place)
        return
    yield ShownLine(head, entry.key_place)
    yield from _block(value, f"{indent}  ", opened - 1)


def _block(node: Node, indent: str, opened: int) -> Iterator[ShownLine]:
    if isinstance(node, Table):
        for entry in node.entries.values():
            yield from _entry(entry, indent, max(0, opened))
    elif isinstance(node, Items):
        for item in node.items:
            yield from _item(item, indent)


def _item(node: Node, indent: str) -> Iterator[ShownLine]:
    flow = _flow(node)
    if isinstance(node, Word) or len(indent) + len(flow) <= _WIDTH:
        yield ShownLine(f"{indent}- {flow}", node.place)
        return
    first, *others = _block(node, f"{indent}  ", 0)
    yield ShownLine(f"{indent}- {first.text.strip()}", first.place)
    yield from others


def _flow(node: Node) -> str:
    """In one line."""
    if isinstance(node, Word):
        return _word(node.text)
    if isinstance(node, Items):
        return f"[{', '.join(map(_flow, node.items))}]"
    entries = node.entries.values()
    return f"{{{', '.join(f'{_word(each.key)}: {_flow(each.value)}' for each in entries)}}}"


def _word(text: str) -> str:
    """The word, in quotes where YAML would read anything else into it."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def value_of(node: Node) -> object:
    """The same as plain values, every word as text."""
    if isinstance(node, Word):
        return node.text
    if isinstance(node, Items):
        return [value_of(item) for item in node.items]
    return {key: value_of(entry.value) for key, entry in node.entries.items()}
