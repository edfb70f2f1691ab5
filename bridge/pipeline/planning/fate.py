"""Fate: what a translation alone says of its message, before any of its calls is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bridge.causes import Cause, CauseKind
from bridge.delivery import Call, Translation
from bridge.message import Protocol, Status
from bridge.remarks import BY_HAND, RemarkCode
from bridge.store.notes import NotesTransaction
from bridge.store.records import KeptMessage


class Fate(NamedTuple):
    """Status and cause of a message as a whole."""

    status: Status
    cause: Cause | None = None


def fate(translation: Translation, protocol: Protocol) -> Fate:
    """WAITING where it has calls: then its deliveries decide."""
    if translation.needs:
        return Fate(Status.HELD, _what_it_waits_for(translation))
    if translation.cause:
        return Fate(Status.PARKED, translation.cause)
    if translation.calls:
        return Fate(Status.WAITING)
    if protocol is Protocol.ORDERS:
        return Fate(Status.SUPPRESSED, Cause(CauseKind.NOTHING_TO_SEND))
    said = (each.name for each in translation.warnings if each.code is RemarkCode.NOTHING_KEPT)
    return Fate(Status.SUPPRESSED, Cause(CauseKind.NOTHING_KEPT, name=next(said, "")))


def _what_it_waits_for(translation: Translation) -> Cause:
    key = translation.needs[0]
    for code in translation.unknown_codes:
        if code.key == key:
            return Cause(CauseKind.WAITS_FOR_CODE, table=code.table, key=key)
    return Cause(CauseKind.WAITS_FOR_RECORD, key=key)


def waits_for_code(translation: Translation) -> bool:
    """Whether the message is held for a row of a code table."""
    needs = translation.needs
    return bool(needs) and needs[0] in {code.key for code in translation.unknown_codes}


def calls_held(translation: Translation) -> Sequence[Call]:
    """The calls of a message that is held for a code; none of any other."""
    return translation.held_calls if waits_for_code(translation) else ()


def count(tx: NotesTransaction, kept: KeptMessage, translation: Translation, at: float) -> None:
    """Count what was met in a message, once: not yet in one that waits for a record, which is
    translated again. What a person must do by hand is noted."""
    if translation.needs and not waits_for_code(translation):
        return
    sender = kept.message.sender
    for code in translation.unknown_codes:
        tx.count_code(code.table, code.code, sender, at)
    for remark in translation.warnings:
        tx.count_remark(sender, remark, kept.id, at)
        if remark.code in BY_HAND:
            tx.add_task(kept.id, remark.code, at)
