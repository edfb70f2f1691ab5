"""What is sent or answered, with one bit changed on the disk: none of it goes out unseen."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.delivery import Alias, Delivery, Entity, Request, Target
from bridge.errors import Damaged
from bridge.message import Status
from bridge.store.acknowledgments import Owing
from bridge.store.contract import Store, View
from bridge.store.open import open_store
from bridge.store.records import Mended
from tests.store.samples import a_call, a_message, keep

FLIPS = 300

PATIENT = Entity(
    "patients",
    "P1",
    desired={"firstName": "Meera", "phone": "+919840011111"},
    initial={"status": "ACTIVE"},
    sent={"firstName": "Meera"},
    authority="LOTUS",
    facts={"dateOfBirth": "1984-03-02"},
)
VISIT = Entity("patient-visits", "V1", desired={"status": "ONGOING"}, owner="patients/P1")
ALIAS = Alias("patients/P0", "patients/P1", "LOTUS", retired=True, message_id=1, at=1.0)
KEPT = a_message()
ANSWER = b"MSH|^~\\&|BRIDGE\rMSA|AA|C1\r"


class Place(NamedTuple):
    """A column of a row, and the look at it that must notice any change."""

    table: str
    column: str
    where: str
    notices: Callable[[View], Any]


def damaged(look: Callable[[View], Any]) -> Callable[[View], Any]:
    """A look that must raise Damaged."""

    def notices(view: View) -> bool:
        try:
            look(view)
        except Damaged:
            return True
        return False

    return notices


_patient = damaged(lambda view: view.entity("patients", "P1"))
_visit = damaged(lambda view: view.entity("patient-visits", "V1"))
_alias = damaged(lambda view: view.aliases_of(["patients/P0"]))
_later = "message_id = 1"

PLACES = [
    Place("delivery", "call", "id = 1", damaged(lambda view: view.pending("patients", "P1"))),
    Place("attempt", "request", "id = 1", lambda view: view.attempts_of(1)[0].request is None),
    *(
        Place("entity", column, "external_id = 'P1'", _patient)
        for column in ("desired", "initial", "sent", "facts", "authority")
    ),
    Place("entity", "owner", "external_id = 'V1'", _visit),
    Place("alias", "leads_to", "1", _alias),
    Place("alias", "authority", "1", _alias),
    Place("link", "external_id", "1", damaged(lambda view: view.link("Patient/7"))),
    Place("application_acknowledgment", "body", _later, lambda v: v.acknowledgment(1).body == b""),
    Place("body", "bytes", "message_id = 1", damaged(lambda view: view.message(1))),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bridge.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """One of everything."""
    opened = open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 0.0)

    def fill(tx: Any) -> None:
        owing = Owing("AL", "translation", "hospital:1")
        keep(tx, KEPT, identity=b"same", acknowledgment=ANSWER, owing=owing)
        tx.add(1, 0, "patients/P1", a_call(), 1.0)
        tx.mark(1, Status.WAITING, at=1.0)
        (head,) = tx.claim(Target.ZAUTO, 2.0, 9)
        tx.begin(head, Request("PUT", "patients", "P1", {"firstName": "Meera"}), 2.0)
        tx.write_acknowledgment(1, "AA", ANSWER)
        tx.put_entity(PATIENT)
        tx.put_entity(VISIT)
        tx.put_alias(ALIAS)
        tx.put_link("Patient/7", "patients", "P1")
        tx.number("uhid", "P1", 5)

    await opened.run(fill)
    yield opened
    await opened.close()


class Disk:
    """Writes past the rules."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def read(self, table: str, column: str, where: str) -> bytes:
        query = f"SELECT CAST({column} AS BLOB) FROM {table} WHERE {where}"
        (value,) = self._connection.execute(query).fetchone()
        return bytes(value)

    def write(self, table: str, column: str, where: str, value: bytes) -> None:
        kind = self._connection.execute(f"SELECT typeof({column}) FROM {table} WHERE {where}")
        query = f"UPDATE {table} SET {column} = CAST(? AS {kind.fetchone()[0]}) WHERE {where}"
        self._connection.execute(query, (value,))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def disk(store: Store, path: Path) -> Iterator[Disk]:
    with closing(Disk(path)) as opened:
        yield opened


def turned(value: bytes) -> Iterator[bytes]:
    """A value with one of its bits turned, all of them or FLIPS at random."""
    places = list(range(len(value) * 8))
    for place in random.Random(len(value)).sample(places, min(FLIPS, len(places))):
        changed = bytearray(value)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.table}.{place.column}")
async def test_a_look_notices_each_turned_bit(store: Store, disk: Disk, place: Place) -> None:
    *at, notices = place
    right = disk.read(*at)
    assert not store.read(notices)
    for wrong in turned(right):
        disk.write(*at, wrong)
        assert store.read(notices), wrong
    disk.write(*at, right)
    assert not store.read(notices)


async def test_a_number_that_changed_is_not_given(store: Store, disk: Disk) -> None:
    disk._connection.execute("UPDATE number SET value = 7")
    with pytest.raises(Damaged):
        await store.run(lambda tx: tx.number("uhid", "P1", 5))


async def test_a_copy_gets_its_own_answer_where_the_first_one_is_damaged(
    store: Store, disk: Disk
) -> None:
    own = ANSWER.replace(b"BRIDGE", b"ANEW")
    for wrong in turned(ANSWER):
        disk.write("message", "acknowledgment", "id = 1", wrong)
        again = await store.run(lambda tx: keep(tx, KEPT, identity=b"same", acknowledgment=own))
        assert (again.acknowledgment, again.duplicate, again.id) == (own, True, 1)
    disk.write("message", "acknowledgment", "id = 1", ANSWER)
    again = await store.run(lambda tx: keep(tx, KEPT, identity=b"same", acknowledgment=own))
    assert again.acknowledgment == ANSWER


@pytest.mark.parametrize("column", ["key", "leads_to", "authority"])
async def test_an_alias_with_one_turned_bit_is_put_right_at_a_start(
    store: Store, disk: Disk, column: str
) -> None:
    for wrong in turned(disk.read("alias", column, "1")):
        disk.write("alias", column, "1", wrong)
        assert await store.run(lambda tx: tx.mend_aliases()) == Mended(1, 0)
        assert store.read(lambda view: view.aliases_of(["patients/P0"])) == {ALIAS.key: ALIAS}
    assert await store.run(lambda tx: tx.mend_aliases()) == Mended(0, 0)


async def test_an_alias_with_more_turned_bits_is_counted_and_never_followed(
    store: Store, disk: Disk
) -> None:
    disk.write("alias", "leads_to", "1", b"patients/P99")
    assert await store.run(lambda tx: tx.mend_aliases()) == Mended(0, 1)
    assert store.read(_alias)


async def test_a_damaged_call_is_parked_and_what_is_behind_it_goes(
    store: Store, disk: Disk
) -> None:
    def add(tx: Any) -> tuple[int, int]:
        kept = keep(tx).id
        ids = tx.add(kept, 0, "lane", a_call("P7"), 3.0), tx.add(kept, 1, "lane", a_call("P8"), 3.0)
        tx.mark(kept, Status.WAITING, at=3.0)
        return ids

    first, second = await store.run(add)
    call = disk.read("delivery", "call", f"id = {first}")
    disk.write("delivery", "call", f"id = {first}", call.replace(b"Meera", b"Meerb"))

    async def claimed() -> list[Delivery]:
        return list(await store.run(lambda tx: tx.claim(Target.ZAUTO, 4.0, 9)))

    assert await claimed() == []
    parked, waiting = store.read(lambda view: view.deliveries_of(2))
    assert (parked.status, parked.call.payload, waiting.status) == (
        Status.PARKED,
        {},
        Status.WAITING,
    )
    assert [each.id for each in await claimed()] == [second]


BODIES = ["DELETE FROM body", "UPDATE body SET bytes = x'4d5348'"]


@pytest.mark.parametrize("damage", BODIES)
@pytest.mark.parametrize("status", [each for each in Status if each is not Status.DUPLICATE])
async def test_a_copy_takes_the_place_of_what_needs_the_body_that_it_lost(
    store: Store, disk: Disk, status: Status, damage: str
) -> None:
    disk._connection.execute("UPDATE message SET status = ?", (status,))
    disk._connection.execute(damage)
    again = await store.run(lambda tx: keep(tx, KEPT, identity=b"same"))
    if status not in (Status.WAITING, Status.HELD, Status.PARKED):
        assert (again.id, again.duplicate, again.acknowledgment) == (1, True, ANSWER)
        return
    assert (again.id != 1, again.duplicate) == (True, False)
    assert (await store.run(lambda tx: keep(tx, KEPT, identity=b"same"))).id == again.id


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.DUPLICATE])
async def test_a_body_may_be_gone_of_what_is_done_with_only(
    store: Store, disk: Disk, status: Status
) -> None:
    disk._connection.execute("DELETE FROM body")
    disk._connection.execute("UPDATE message SET status = ?", (status,))
    if status in (Status.WAITING, Status.HELD, Status.PARKED):
        assert store.read(damaged(lambda view: view.message(1)))
        return
    found = store.read(lambda view: view.message(1))
    assert found is not None
    assert (found.body_gone, found.message.body) == (True, b"")
