"""Release what waits for a row of a code table, once there is one."""

from __future__ import annotations

from bridge.delivery import code_key
from bridge.mapping.engine.sets import Sets
from bridge.store.contract import Transaction
from bridge.store.records import UnmappedCode

#: codes looked at, those that most wait for first
_MOST = 10_000


def release_known(tx: Transaction, sets: Sets, at: float) -> int:
    """Let go what waits for codes that are known now, or not waited for any more; how many.

    Each is translated again. Where it meets the code again (in the mappings of another site, from
    another sender), it is held and counted once more.
    """
    released = 0
    for code in tx.unmapped_codes(_MOST):
        if _known(code, sets) or (code.waiting and not _waited_for(code, sets)):
            tx.forget_code(code.table, code.code, code.sender)
            released += tx.release(code_key(code.table, code.code), at)
    return released


def _known(code: UnmappedCode, sets: Sets) -> bool:
    """Whether a site's table has a row for it, as its sender writes it."""
    tables = [each.tables.get(code.table) for each in sets.by_site.values()]
    return any(t is not None and t.of_sender(code.sender).row(code.code) for t in tables)


def _waited_for(code: UnmappedCode, sets: Sets) -> bool:
    tables = [each.tables.get(code.table) for each in sets.by_site.values()]
    return any(table is not None and table.holds for table in tables)
