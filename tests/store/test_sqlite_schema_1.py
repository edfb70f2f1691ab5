"""A store of the first schema, as the bridge wrote it then, opened by this version."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import Allocation, Interaction, Kind, Reason, Target
from bridge.message import Status, Verdict
from bridge.store import rows
from bridge.store.contract import Store
from bridge.store.open import open_store
from bridge.store.sqlite import opening
from tests.store.samples import keep

BODY = b"MSH|^~\\&|HIS|LOTUS\rPID|1\r"
CALL = (
    b'{"target":"zauto","interaction":"upsert","resource":"patients","external_id":"P1",'
    b'"payload":{"firstName":"Meera","phone":null,"age":41},"create_only":["status"],'
    b'"authority":"LOTUS","references":["Patient/7"],"facts":{"patientId":"P1"},'
    b'"allocations":[{"field":"uhid","sequence":"uhid","key":"P1"}]}'
)
#: in full, as lineage was kept then
LINEAGE = b'[["firstName","PID-5.2","MEERA","parts/patient.yaml:3","title case"]]'
REQUEST = b'{"method":"POST","resource":"patients","external_id":"P1","body":{"firstName":"Meera"}}'
OUTCOME = (
    b'{"kind":"unknown","reason":"no answer","status":null,"detail":"","field_errors":[],'
    b'"record":null,"retry_after":null,"verdict":null}'
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A message with a delivery that was tried once, and one that is held as a whole."""
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(f"{opening.schema_steps()[0]} PRAGMA user_version = 1;")
        for number, status, waits_for in ((1, "waiting", ""), (2, "held", "Patient/7")):
            _message(file, number, status, waits_for)
        _delivery(file)
        file.commit()
    return path


def _message(file: sqlite3.Connection, number: int, status: str, waits_for: str) -> None:
    file.execute(
        "INSERT INTO message VALUES (?, 'default', 'hl7v2', 'ADT^A04', 'C1', 'HIS', 'LOTUS', 100.0,"
        " '', ?, '', '', NULL, ?, ?, 'hl7v2/adt', 'aa11', 0, 100.0, 'AA', ?, NULL)",
        (number, status, waits_for, status == "waiting", b"MSA|AA|C1\r"),
    )
    file.execute("INSERT INTO body VALUES (?, ?, ?)", (number, rows.checksum(BODY), BODY))


def _delivery(file: sqlite3.Connection) -> None:
    file.execute(
        "INSERT INTO delivery VALUES (1, 1, 0, 'zauto', 'patients/P1', 'patients', 'P1', 'waiting',"
        " 'apply', 1, 100.0, '', NULL, '', 100.0, ?, ?)",
        (CALL, LINEAGE),
    )
    file.execute("INSERT INTO lane VALUES ('zauto', 'patients/P1', 1, 100.0, 0, '')")
    file.execute("INSERT INTO attempt VALUES (1, 1, ?, 100.0, 101.0, ?)", (REQUEST, OUTCOME))
    patient = (b'{"firstName":"Meera"}', b"{}", b'{"patientId":"P1"}')
    file.execute("INSERT INTO entity VALUES ('patients', 'P1', ?, ?, NULL, 'LOTUS', ?)", patient)
    file.execute("INSERT INTO link VALUES ('Patient/7', 'patients', 'P1')")
    file.execute("INSERT INTO number VALUES ('uhid', 'P1', 5)")
    file.execute("INSERT INTO note VALUES ('paused', 'yes')")


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 200.0)
    yield store
    await store.close()


async def test_its_messages_are_those_that_were_kept(store: Store) -> None:
    first, second = store.read(lambda view: (view.message(1), view.message(2)))
    assert first is not None
    assert second is not None
    assert (first.message.body, first.status, first.mappings_hash) == (BODY, Status.WAITING, "aa11")
    assert (second.status, second.waits_for) == (Status.HELD, "Patient/7")
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 1, Status.HELD: 1}
    assert (await store.run(keep)).id == 3


async def test_its_deliveries_go_on_and_their_lineage_in_full_is_left_out(store: Store) -> None:
    (delivery,) = await store.run(lambda tx: tx.claim(Target.ZAUTO, 200.0, 9))
    call = delivery.call
    assert (delivery.attempts, call.interaction) == (1, Interaction.UPSERT)
    assert call.payload == {"firstName": "Meera", "phone": None, "age": 41}
    assert call.create_only == {"status"}
    assert call.allocations == (Allocation("uhid", "uhid", "P1"),)
    (shown,) = store.read(lambda view: view.deliveries_of(1))
    assert shown.call.lineage == ()


async def test_its_attempts_entities_links_numbers_and_notes_are_there(store: Store) -> None:
    (attempt,) = store.read(lambda view: view.attempts_of(1))
    assert attempt.outcome is not None
    assert (attempt.outcome.kind, attempt.outcome.reason) == (Kind.UNKNOWN, Reason.NO_ANSWER)
    entity = store.read(lambda view: view.entity("patients", "P1"))
    assert entity is not None
    assert (entity.desired, entity.sent, entity.authority) == (
        {"firstName": "Meera"},
        None,
        "LOTUS",
    )
    assert store.read(lambda view: view.link("Patient/7")) == "P1"
    assert await store.run(lambda tx: tx.number("uhid", "P1", 9)) == 5
    assert store.read(lambda view: view.note("paused")) == "yes"


async def test_what_is_held_in_it_is_released(store: Store) -> None:
    assert await store.run(lambda tx: tx.release("Patient/7", 200.0)) == 1
    (waiting,) = store.read(lambda view: view.untranslated(9))
    assert waiting.id == 2


async def test_the_lane_of_a_message_that_waits_for_a_code_is_kept(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        steps = opening.schema_steps()[1:6]
        file.executescript(f"{''.join(steps)} PRAGMA user_version = 6;")
        file.execute("UPDATE message SET about = 'patients/P1' WHERE id = 2")
        file.commit()
    store = open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 200.0)
    try:
        found = store.read(lambda view: view.held_about("patients/P1", 3))
        assert found == (2, "Patient/7")
        await store.run(lambda tx: tx.release("Patient/7", 201.0))
        assert store.read(lambda view: view.held_about("patients/P1", 3)) is None
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("reason", "verdict", "cause"),
    [
        (
            "incomplete: uhid, phoneNumber",
            "sender's data",
            Cause(CauseKind.INCOMPLETE, fields=("uhid", "phoneNumber")),
        ),
        (
            "refused as invalid: uhid “4711 is taken”",
            "ZautoAI",
            Cause(
                CauseKind.EARLIER_VERSION,
                said="refused as invalid: uhid “4711 is taken”",
                by=Verdict.ZAUTO,
            ),
        ),
        (
            'incomplete: "; DROP',
            None,
            Cause(CauseKind.EARLIER_VERSION, said='incomplete: "; DROP'),
        ),
        ("x" * 600, None, Cause(CauseKind.EARLIER_VERSION, said="x" * 500)),
        ("", None, None),
    ],
)
async def test_its_reasons_are_shown_as_what_an_earlier_version_said(
    path: Path, reason: str, verdict: str | None, cause: Cause | None
) -> None:
    with closing(sqlite3.connect(path)) as file:
        for table in ("message", "delivery"):
            file.execute(
                f"UPDATE {table} SET status = 'parked', reason = ?, verdict = ? WHERE id = 1",
                (reason, verdict),
            )
        file.execute("DELETE FROM lane")
        file.commit()
    store = open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 200.0)
    try:
        message = store.read(lambda view: view.message(1))
        (delivery,) = store.read(lambda view: view.deliveries_of(1))
        assert message is not None
        assert (message.cause, delivery.cause) == (cause, cause)
        (parked,) = store.read(lambda view: view.parked_counts(9))
        assert (parked.cause, parked.number) == (str(cause.kind) if cause else "", 1)
        superseded = await store.run(lambda tx: tx.supersede("patients", "P1", before=9, at=201.0))
        assert superseded == (cause is not None and cause.kind is CauseKind.INCOMPLETE)
    finally:
        await store.close()
