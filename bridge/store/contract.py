"""What every store does, whatever database is behind it.

All changes run as jobs in one writer, in commit order: `await store.run(job)` hands `job` a
`Transaction` and returns what it returned, after the commit is on disk. Jobs that wait together
are committed together (group commit). A job that raises undoes only itself. `store.read(job)`
runs a job on a read-only `View`, never waiting for the writer.

Who needs a part of a view or a transaction names that part: `EntityView`, `DeliveryTransaction`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from bridge.store.acknowledgments import AcknowledgmentTransaction, AcknowledgmentView
from bridge.store.deliveries import DeliveryTransaction, DeliveryView
from bridge.store.entities import EntityTransaction, EntityView
from bridge.store.far_end import FarEndTransaction, FarEndView
from bridge.store.messages import MessageTransaction, MessageView
from bridge.store.notes import NotesTransaction, NotesView
from bridge.store.records import Keeping, Kept

T = TypeVar("T")


class View(
    MessageView,
    DeliveryView,
    EntityView,
    AcknowledgmentView,
    FarEndView,
    NotesView,
    Protocol,
):
    """What can be read."""


class Transaction(
    View,
    MessageTransaction,
    DeliveryTransaction,
    EntityTransaction,
    AcknowledgmentTransaction,
    FarEndTransaction,
    NotesTransaction,
    Protocol,
):
    """What can be changed, inside a job."""

    def attempt(self, job: Callable[[], T]) -> T:
        """Run a part of a job; where it raises, only what that part changed is undone."""
        ...


class Store(Protocol):
    """A store that is open."""

    async def run(self, job: Callable[[Transaction], T]) -> T:
        """Run a job in the writer and return after its commit; raises StoreBusy when nothing
        can be kept now."""
        ...

    async def keep(self, keeping: Keeping) -> Kept:
        """Do as `Transaction.keep`, with others that wait at less cost than one by one."""
        ...

    def read(self, job: Callable[[View], T]) -> T:
        """Run a short job on a read-only view, on the calling thread."""
        ...

    @property
    def pressure(self) -> int:
        """Jobs waiting for the writer now."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether something new could be kept: the disk has as much free as it must have."""
        ...

    @property
    def failing_since(self) -> float | None:
        """When the first of the commits failed that have failed since one last wrote a change;
        None while they work."""
        ...

    async def close(self) -> None: ...
