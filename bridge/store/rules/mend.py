"""Mend: where numbers lead is compared with its checksums at each start.

A number whose alias is not found counts as one that never had any, and its next message would make
a second record of a merged patient. So a damaged key must be found before anything looks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.delivery import Alias
from bridge.store import rows
from bridge.store.records import Mended
from bridge.store.rules.asking import must_take
from bridge.store.statements import Row, Statements

#: of an alias, what its checksum is of
_TEXTS = ("key", "leads_to", "authority")


def mend_aliases(statements: Statements) -> Mended:
    """Correct each alias in which a single bit changed; count those in which more did."""
    mended = lost = 0
    for row in statements.all("all_aliases"):
        if row["checksum"] in (None, rows.alias_checksum(row)):
            continue
        right = _with_one_bit_back(row)
        if right is None:
            lost += 1
            continue
        statements.change("drop_alias", key=row["key"])
        must_take(statements.change("put_alias", **rows.alias_row(right)), "an alias")
        mended += 1
    return Mended(mended, lost)


def _with_one_bit_back(row: Row) -> Alias | None:
    """The alias that has the checksum of a row and differs from it in one bit, if there is one.

    CRC-32 tells all single flips of so short a text apart.
    """
    kept = {name: row[name] for name in (*_TEXTS, "retired", "message_id", "at")}
    right = [each for each in _flips(kept) if rows.alias_checksum(each) == row["checksum"]]
    return _alias(right[0]) if len(right) == 1 else None


def _flips(kept: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An alias with each of its bits turned."""
    yield kept | {"retired": not kept["retired"]}
    for name in _TEXTS:
        for place in range(len(kept[name]) * 8):
            turned = bytearray(kept[name])
            turned[place // 8] ^= 1 << place % 8
            yield kept | {name: bytes(turned)}


def _alias(kept: dict[str, Any]) -> Alias:
    texts = {name: kept[name].decode() for name in _TEXTS}
    return Alias(**kept | texts | {"retired": bool(kept["retired"])})
