"""`like:` a part that says only in what it differs from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.errors import Fault
from bridge.mapping.folders import PARTS
from bridge.mapping.language.overlay import overlay
from bridge.yamlfile import Table, Word, nearest

LIKE = "like"


def with_likeness(
    tables: Mapping[str, Table | None], faults: list[Fault]
) -> dict[str, Table | None]:
    """The same files by name, each part laid over the one that it is like."""
    resolving = _Resolving(tables, faults)
    return {name: resolving.whole(name, ()) for name in tables}


@dataclass(frozen=True, slots=True)
class _Resolving:
    tables: Mapping[str, Table | None]
    faults: list[Fault]

    def whole(self, name: str, above: tuple[str, ...]) -> Table | None:
        """A file's table; `above` are the parts that are like it, down to the one asked for."""
        table = self.tables[name]
        if table is None or not name.startswith(f"{PARTS}/") or LIKE not in table.entries:
            return table
        word = table.entries[LIKE].value
        if not isinstance(word, Word):
            told = "takes one word: the name of a part."
            self.faults.append(table.entries[LIKE].key_place.fault(LIKE, told))
            return None
        other = f"{PARTS}/{word.text}"
        if other not in self.tables:
            parts = [one.removeprefix(f"{PARTS}/") for one in self.tables if one.startswith(PARTS)]
            message = f"there is no part '{word.text}'."
            self.faults.append(word.place.fault(LIKE, message, nearest(word.text, parts)))
            return None
        if other in (name, *above):
            self.faults.append(word.place.fault(LIKE, f"'{word.text}' is like this one in turn."))
            return None
        base = self.whole(other, (*above, name))
        return overlay(base, table) if base is not None else None
