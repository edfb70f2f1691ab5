"""Whether a pushed order is one that was kept already.

An order with an Idempotency-Key is the one that came with this key. One without is the one that
said the same shortly before. Services are pushed as they stand: what is scheduled again after
it was cancelled is pushed in the words of the first time, so that only the last push for a visit
can be a copy.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import orjson

from bridge.errors import DamagedMessage, KeyReused
from bridge.message import Message, Status
from bridge.store.contract import Transaction
from bridge.store.records import Kept

#: orders that say how something stands now
_STATES = "service-order"


def keep_order(tx: Transaction, message: Message, status: Status, window: float) -> Kept:
    """Keep an order, whose control id is its Idempotency-Key, or find that it is a duplicate.

    Without a key it is one for `window` seconds. Raises KeyReused where the key came before with
    another order.
    """
    key, said = message.control_id, _canonical(message.body)
    latest = _latest_push(tx, message.body, said) if message.message_type == _STATES else None
    kept = tx.keep(
        message,
        status=status,
        answer_code="202",
        acknowledgment=b"",
        identity=_digest("orders", message.message_type, *_named(key, said, latest)),
        identity_since=None if key else message.received_at - window,
    )
    if kept.duplicate:
        _must_be_same(tx, kept.id, said)
    elif latest is not None:
        tx.put_note(_push_note(message.body), f"{latest.number}|{latest.said}")
    return kept


class _LatestPush(NamedTuple):
    """The last push of services for a visit."""

    #: how often what is pushed has changed
    number: int
    #: digest of what it says
    said: str


def _named(key: str, said: bytes, latest: _LatestPush | None) -> tuple[object, ...]:
    """What makes an order the same as another."""
    if key:
        return True, key.encode()
    return (False, said) if latest is None else (False, said, latest.number)


def _latest_push(tx: Transaction, body: bytes, said: bytes) -> _LatestPush:
    """What the latest push is after this one, where it is no duplicate."""
    number, _, last = (tx.note(_push_note(body)) or "0|").partition("|")
    digest = _digest(said).hex()
    return _LatestPush(int(number) + (digest != last), digest)


def _push_note(body: bytes) -> str:
    found = _read(body)
    visit = found.get("externalVisitId") if isinstance(found, dict) else None
    return f"{_STATES} {visit}"


def _must_be_same(tx: Transaction, first_id: int, said: bytes) -> None:
    first = _body_of(tx, first_id)
    if first is not None and _canonical(first) != said:
        raise KeyReused("Idempotency-Key was used for another order: send each order with its own")


def _body_of(tx: Transaction, message_id: int) -> bytes | None:
    """The body of a message; None where it is gone, or is not the one that came."""
    try:
        found = tx.message(message_id)
    except DamagedMessage:
        return None
    return None if found is None or found.body_gone else found.message.body


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _canonical(body: bytes) -> bytes:
    found = _read(body)
    return body if found is None else orjson.dumps(found, option=orjson.OPT_SORT_KEYS)


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
