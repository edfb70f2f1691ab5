"""Keep: a message is kept once, and found again where it comes again."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import StoreError
from bridge.message import Status
from bridge.store import rows
from bridge.store.acknowledgments import Answering
from bridge.store.records import Keeping, Kept
from bridge.store.rules.asking import must_insert, must_take
from bridge.store.statements import Row, Statements


def keep(statements: Statements, keeping: Keeping, *, identity_since: float | None = None) -> Kept:
    """Keep a message, or count a duplicate."""
    row = rows.message_row(*keeping[:-1])
    message, acknowledgment = keeping.message, keeping.acknowledgment
    message_id = statements.insert("insert_message", **row)
    if message_id is None:
        first = _first_copy(statements, keeping.identity, identity_since)
        if first is not None:
            statements.change("count_duplicate", id=first["id"])
            statements.change("owe_again", id=first["id"], at=message.received_at)
            return Kept(first["id"], _answer_of(first, acknowledgment), duplicate=True)
        message_id = must_insert(statements.insert("insert_message", **row), "a message")
    body = rows.body_row(message_id, message.body)
    must_insert(statements.insert("insert_body", **body), "a body")
    _owe(statements, message_id, keeping)
    return Kept(message_id, acknowledgment, duplicate=False)


def keep_all(statements: Statements, keepings: Sequence[Keeping]) -> list[Kept]:
    """Keep messages with one statement for all their rows and one for all their bodies.

    Raises StoreError where one of them is a duplicate: then undo it, and keep them singly.
    """
    messages = [rows.message_row(*each[:-1]) for each in keepings]
    ids = statements.insert_rows("insert_message", messages)
    if len(ids) != len(keepings):
        raise StoreError("One of several messages is a duplicate.")
    kept = list(zip(ids, keepings, strict=True))
    bodies = [rows.body_row(message_id, each.message.body) for message_id, each in kept]
    if len(statements.insert_rows("insert_body", bodies)) != len(keepings):
        raise StoreError("The store did not take the bodies of several messages.")
    for message_id, each in kept:
        _owe(statements, message_id, each)
    return [Kept(message_id, each.acknowledgment, duplicate=False) for message_id, each in kept]


def _first_copy(statements: Statements, identity: bytes | None, since: float | None) -> Row | None:
    """The message that this one is a copy of, by that message alone where it is done with.

    One that needs its body and has it no more, or that is parked or older than a window allows, is
    not it any more: the copy takes its place.
    """
    first = statements.one("first_copy", identity=identity)
    if first is None:
        raise StoreError("The store has a message as known that it does not have.")
    over = since is not None and (first["received_at"] < since or first["status"] == Status.PARKED)
    if over or _is_lost(first):
        statements.change("forget_identity", id=first["id"])
        return None
    return first


def _is_lost(first: Row) -> bool:
    """Whether a message is not done with, but nothing can be made of its body.

    Of one that waits with its calls planned the body is not needed: they are made as planned.
    """
    lost = first["bytes"] is None or rows.is_damaged(first)
    planned = first["status"] == Status.WAITING and first["translated"]
    return lost and not planned and first["status"] in rows.NEEDS_BODY


def _answer_of(first: Row, anew: bytes) -> bytes:
    """The stored answer, or the copy's own where that is damaged: it says the same."""
    answer: bytes = first["acknowledgment"]
    whole = first["acknowledgment_checksum"] in (None, rows.checksum(answer))
    return answer if whole else anew


def _owe(statements: Statements, message_id: int, keeping: Keeping) -> None:
    """Keep that an application acknowledgment is owed, where one is."""
    if keeping.owing is None:
        return
    waits = keeping.status in (Status.WAITING, Status.HELD)
    owed = statements.change(
        "owe",
        message_id=message_id,
        **keeping.owing._asdict(),
        state=Answering.OWED if waits else Answering.DUE,
        at=keeping.message.received_at,
    )
    must_take(owed, "an application acknowledgment")
