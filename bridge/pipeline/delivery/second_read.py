"""Second read: a record is read again some time after a request about it went unanswered.

The request may have taken effect after the first verifying read, over what a later message wrote.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.delivery import Delivery, Interaction, Outcome, Reason, Step
from bridge.pipeline.delivery.referents import REBUILT, whole
from bridge.pipeline.records.lanes import lane_of
from bridge.store.contract import Transaction
from bridge.store.records import Again
from bridge.zauto.catalogue import Catalogue

#: quiet times from the first verifying read to the second
AGAIN_AFTER = 10


def schedule(
    tx: Transaction, delivery: Delivery, outcome: Outcome, now: float, quiet_seconds: float
) -> None:
    """Have the record read again, where this was the first read after an unanswered request that
    may yet overwrite what later ones write."""
    unanswered = delivery.step is Step.VERIFY and delivery.attempts > 0
    was_read = outcome.reason in (Reason.FOUND, Reason.ABSENT)
    call = delivery.call
    if unanswered and was_read and call.interaction is Interaction.UPSERT:
        due_at = now + AGAIN_AFTER * quiet_seconds
        tx.look_again(call.resource, call.external_id, delivery.message_id, due_at)


def add_second_read(tx: Transaction, catalogue: Catalogue, again: Again, now: float) -> None:
    """Add the delivery that makes the read that is due."""
    entity = tx.entity(again.resource, again.external_id)
    # What is not known to be there is on its way, or parked for a person.
    if entity is not None and entity.sent is not None:
        call = whole(entity)
        lane = lane_of(call, catalogue)
        # It states nothing itself: by its turn, others of the lane may have said more.
        silent = replace(call, payload={}, create_only=frozenset())
        tx.add(again.message_id, REBUILT, lane, silent, now, Step.VERIFY)
