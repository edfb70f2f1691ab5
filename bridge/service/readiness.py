"""Readiness: whether messages can be taken now."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import StoreError
from bridge.pipeline.delivery.pauses import PAUSED_NOTE
from bridge.store.contract import Store

FULL = "the disk of the store has less free than store.free_bytes"
FAILING = "the store cannot be written"


def not_ready(store: Store, ended: Sequence[str]) -> list[str]:
    """The reasons why not, none when all is well; `ended` is work that should go on."""
    try:
        store.read(lambda view: view.note(PAUSED_NOTE))
    except StoreError:
        return ["the store cannot be read"]
    if not store.has_room:
        return [FULL]
    if store.failing_since is not None:
        return [FAILING]
    return [f"{work} has stopped" for work in ended]
