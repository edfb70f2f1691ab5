"""What is sent or answered, with one bit changed on the disk: none of it goes out unseen."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.delivery import Alias, Delivery, Entity, Request, Step, Target
from bridge.errors import Damaged, DamagedMessage
from bridge.message import Status
from bridge.store.acknowledgments import Owing
from bridge.store.contract import Store, View
from bridge.store.open import open_store
from bridge.store.records import Mended
from tests.store.samples import a_call, a_message, keep, plan

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
@pytest.mark.parametrize("translated", [0, 1])
@pytest.mark.parametrize("status", [each for each in Status if each is not Status.DUPLICATE])
async def test_a_copy_takes_the_place_of_what_needs_the_body_that_it_lost(
    store: Store, disk: Disk, status: Status, translated: int, damage: str
) -> None:
    disk._connection.execute("UPDATE message SET status = ?, translated = ?", (status, translated))
    disk._connection.execute(damage)
    again = await store.run(lambda tx: keep(tx, KEPT, identity=b"same"))
    needs_body = status in (Status.HELD, Status.PARKED)
    if not (needs_body or (status is Status.WAITING and not translated)):
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


#: bytes that are no text, a word of no enumeration and what is no JSON
NO_TEXT, NO_WORD, NO_JSON = "CAST(x'ff' AS TEXT)", "'nonsense'", "'{'"
BAD_CAUSE = "'retry', details = '{'"

BAD_MESSAGES = [
    *(("channel", NO_TEXT), ("control_id", NO_TEXT), ("sending_facility", NO_TEXT)),
    *(("details", NO_TEXT), ("remarks", NO_TEXT), ("protocol", NO_TEXT)),
    *(("remarks", NO_JSON), ("remarks", "'[[1]]'"), ("cause", BAD_CAUSE), ("cause", NO_WORD)),
    ("protocol", NO_WORD),
]
BAD_DELIVERIES = [
    *((column, NO_TEXT) for column in ("target", "lane", "resource", "external_id", "step")),
    *((column, NO_TEXT) for column in ("waits_for", "cause", "details")),
    *((column, NO_WORD) for column in ("target", "step", "status", "cause")),
    *((column, NO_WORD) for column in ("lane", "resource", "external_id")),
    *(("cause", BAD_CAUSE), ("call", "'{', checksum = NULL"), ("call", "'[]', checksum = NULL")),
]


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)
    yield opened
    await opened.close()


@pytest.fixture
def past(empty: Store, path: Path) -> Iterator[sqlite3.Connection]:
    """Writes past the rules."""
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        yield opened


def spoil(past: sqlite3.Connection, table: str, number: int, column: str, value: str) -> None:
    past.execute(f"UPDATE {table} SET {column} = {value} WHERE id = {number}")


@pytest.mark.parametrize(("column", "value"), BAD_MESSAGES)
async def test_a_message_that_cannot_be_read_is_named_parked_and_passed(
    empty: Store, past: sqlite3.Connection, column: str, value: str
) -> None:
    first, second, third = [(await empty.run(keep)).id for _ in range(3)]
    spoil(past, "message", second, column, value)
    assert [each.id for each in empty.read(lambda view: view.untranslated(9))] == [first]
    await empty.run(lambda tx: tx.mark(first, Status.WAITING, at=1.0))
    for look in (lambda v: v.untranslated(9), lambda v: v.message(second)):
        with pytest.raises(DamagedMessage) as raised:
            empty.read(look)
        assert raised.value.message_id == second
    with pytest.raises(DamagedMessage):
        await empty.run(lambda tx: tx.lease(second))
    await empty.run(lambda tx: tx.mark(second, Status.PARKED, at=1.0))
    assert [each.id for each in empty.read(lambda view: view.untranslated(9))] == [third]


@pytest.mark.parametrize(
    ("column", "value"), [*BAD_MESSAGES, ("status", NO_WORD), ("status", NO_TEXT)]
)
async def test_a_message_that_cannot_be_read_hides_no_other_in_a_list(
    empty: Store, past: sqlite3.Connection, column: str, value: str
) -> None:
    ids = [(await empty.run(keep)).id for _ in range(3)]
    spoil(past, "message", ids[1], column, value)
    newest = empty.read(lambda view: view.messages())
    assert [each.id for each in newest] == ids[::-1]
    oldest = empty.read(lambda view: view.kept_since(0.0, limit=9))
    assert [each.id for each in oldest] == ids
    assert [each.body_gone for each in oldest] == [False, True, False]
    expected = Status.PARKED if column == "status" else Status.WAITING
    assert (newest[1].status, oldest[1].status) == (expected, expected)


async def two_in_a_lane(store: Store) -> list[int]:
    def add(tx: Any) -> list[int]:
        return [
            *plan(tx, a_call("P7"), a_call("P8"), lane="lane"),
            *plan(tx, a_call(), lane="other"),
        ]

    return await store.run(add)


async def claimed(store: Store) -> list[int]:
    """What is found by two looks for work."""
    found = []
    for _ in range(2):
        heads = await store.run(lambda tx: tx.claim(Target.ZAUTO, 200.0, 9))
        found += [each.id for each in heads]
    return found


@pytest.mark.parametrize(("column", "value"), BAD_DELIVERIES)
async def test_a_delivery_that_cannot_be_read_is_parked_and_passed(
    empty: Store, past: sqlite3.Connection, column: str, value: str
) -> None:
    first, second, other = await two_in_a_lane(empty)
    message_id = past.execute("SELECT message_id FROM delivery").fetchone()[0]
    spoil(past, "delivery", first, column, value)
    assert sorted(await claimed(empty)) == [second, other]
    shown = empty.read(lambda view: view.deliveries_of(message_id))
    assert [(each.id, each.status) for each in shown] == [
        (first, Status.PARKED),
        (second, Status.WAITING),
    ]
    kept = empty.read(lambda view: view.message(message_id))
    assert kept is not None
    assert (kept.status, kept.cause and kept.cause.name) == (Status.PARKED, "DamagedDelivery")


async def test_all_of_a_lane_may_be_bytes_that_are_no_text(
    empty: Store, past: sqlite3.Connection
) -> None:
    first, second, other = await two_in_a_lane(empty)
    for number in (first, second):
        spoil(past, "delivery", number, "resource", NO_TEXT)
    assert await claimed(empty) == [other]


@pytest.mark.parametrize(
    ("column", "value"),
    [each for each in BAD_DELIVERIES if each[0] != "call"],
)
async def test_a_delivery_under_way_that_cannot_be_read_keeps_no_start_from_its_work(
    empty: Store, past: sqlite3.Connection, column: str, value: str
) -> None:
    first, second, other = await two_in_a_lane(empty)
    await empty.run(lambda tx: tx.claim(Target.ZAUTO, 200.0, 9))
    spoil(past, "delivery", first, column, value)
    assert await empty.run(lambda tx: tx.recover(200.0, 60.0)) == 0
    assert sorted(await claimed(empty)) == [second, other]


async def test_what_was_blocked_on_a_record_goes_once_its_damaged_delivery_is_parked(
    empty: Store, past: sqlite3.Connection
) -> None:
    first, _, other = await two_in_a_lane(empty)
    await empty.run(lambda tx: tx.claim(Target.ZAUTO, 200.0, 9))
    await empty.run(lambda tx: tx.block(other, "patients/P7"))
    spoil(past, "delivery", first, "step", NO_TEXT)
    await empty.run(lambda tx: tx.recover(200.0, 60.0))
    assert other in await claimed(empty)
    (shown,) = empty.read(lambda view: view.deliveries_of(2))
    assert shown.waits_for == ""


@pytest.mark.parametrize(
    ("column", "value"), [("call", "x'00'"), ("lane", NO_TEXT), ("cause", NO_WORD)]
)
async def test_what_waits_is_found_but_for_what_is_damaged(
    empty: Store, past: sqlite3.Connection, column: str, value: str
) -> None:
    def wait(tx: Any) -> list[int]:
        found = [plan(tx, a_call(each), lane=each)[0] for each in ("P1", "P2")]
        tx.claim(Target.ZAUTO, 200.0, 9)
        for number in found:
            tx.postpone(number, Step.APPLY, due_at=900.0, attempts=1)
        return found

    first, second = await empty.run(wait)
    spoil(past, "delivery", first, column, value)
    found = empty.read(lambda view: list(view.waits(Target.ZAUTO, 300.0)))
    assert [each.id for each in found] == [second]


@pytest.mark.parametrize("value", [NO_WORD, NO_TEXT])
async def test_a_delivery_settles_beside_one_that_cannot_be_read(
    empty: Store, past: sqlite3.Connection, value: str
) -> None:
    first, second, _ = await two_in_a_lane(empty)
    spoil(past, "delivery", second, "status", value)
    await empty.run(lambda tx: tx.settle(first, Status.DELIVERED, at=200.0))
    kept = empty.read(lambda view: view.message(1))
    assert kept is not None
    assert (kept.status, kept.cause and kept.cause.name) == (Status.PARKED, "DamagedDelivery")
