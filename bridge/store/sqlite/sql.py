"""Finds the SQL of this store: statements by name, schema steps by number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from bridge.store.statements import Value

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PARAMETER = re.compile(r":(\w+)")
#: the one row of a statement that inserts by parameters alone
_ROW = re.compile(r"(?<=VALUES )\([:\w, \n]+\)")


def _read(folder: str) -> list[tuple[str, str]]:
    entries = files(__package__).joinpath(folder).iterdir()
    found = [entry for entry in entries if entry.name.endswith(".sql")]
    return sorted((entry.name, entry.read_text("utf-8")) for entry in found)


def split(text: str) -> dict[str, str]:
    """The statements of one file; each stands under a line `-- name: ...`."""
    _, *parts = _NAME.split(text)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def _statements() -> Mapping[str, str]:
    texts = (split(text) for _, text in _read("queries"))
    return MappingProxyType({name: sql for named in texts for name, sql in named.items()})


#: every statement of the store by name; plan tests run on the same text
SQL: Mapping[str, str] = _statements()


class Prepared(NamedTuple):
    """A statement as SQLite is given it: by position, which is read faster than by name."""

    sql: str
    #: the values in the order of their places
    values: Callable[[Mapping[str, Value]], Sequence[Value]]


def _prepared(sql: str) -> Prepared:
    names = list(dict.fromkeys(_PARAMETER.findall(sql)))
    places = {name: f"?{place}" for place, name in enumerate(names, start=1)}
    by_place = _PARAMETER.sub(lambda found: places[found[1]], sql)
    if len(names) < 2:  # `itemgetter` of one gives no tuple
        return Prepared(by_place, lambda values: [values[name] for name in names])
    return Prepared(by_place, itemgetter(*names))


#: every statement by name, made ready once
PREPARED: Mapping[str, Prepared] = {name: _prepared(sql) for name, sql in SQL.items()}


@lru_cache(maxsize=8)
def parameters_of(name: str) -> Sequence[str]:
    """The parameters of a statement that inserts one row, in the order of its row."""
    row = _ROW.search(SQL[name])
    return _PARAMETER.findall(row[0]) if row else ()


@lru_cache(maxsize=256)
def rows_of(name: str, count: int) -> str:
    """The statement that inserts one row, made to insert so many by position."""
    row = f"({', '.join('?' * len(parameters_of(name)))})"
    return _ROW.sub(", ".join([row] * count), SQL[name])


def schema_steps() -> list[str]:
    """The scripts that build the schema, in order: step n leads from version n - 1 to n."""
    return [text for _, text in _read("schema")]
