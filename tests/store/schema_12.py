"""A store of schema 12 with messages in every status, and all that can be read of a store."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path

from bridge.message import Status
from bridge.store import rows
from bridge.store.contract import View
from bridge.store.rules.transaction import RuledView
from bridge.store.sqlite.sql import schema_steps
from bridge.store.sqlite.statements import SqliteStatements

VERSION = 12
#: a duplicate is answered, and counted with the message that it repeats
STATUSES = [status for status in Status if status is not Status.DUPLICATE]
#: steps that a later version could have: each rewrites all messages, one has a trigger
LATER = (
    "ALTER TABLE message ADD COLUMN later TEXT NOT NULL DEFAULT ''; -- a; b\n"
    "UPDATE message SET later = control_id; CREATE INDEX message_later ON message (later);",
    "CREATE TRIGGER message_deleted AFTER DELETE ON message BEGIN\n"
    "    DELETE FROM body WHERE message_id = OLD.id; DELETE FROM alias WHERE message_id = OLD.id;\n"
    "END;\nUPDATE message SET later = later || ';';",
)

#: rows for the messages of a table `one (id, status)`; each message has a patient of its own
_ROWS = """
INSERT INTO message (id, channel, protocol, message_type, control_id, sending_application,
    sending_facility, received_at, reference, status, reason, waits_for, translated, mapping,
    mappings_hash, changed_at, answer_code, acknowledgment, identity, cause, details, remarks)
SELECT id, 'default', 'hl7v2', 'ADT^A04', 'C' || id, 'HIS', 'LOTUS', 100.0 + id, '', status, '',
    CASE status WHEN 'held' THEN 'Patient/' || id ELSE '' END,
    status NOT IN ('unmapped', 'rejected'), 'hl7v2/adt', 'aa11', 200.0 + id, 'AA',
    CAST('MSA|AA|C' || id || char(13) AS BLOB), CAST('C' || id AS BLOB),
    CASE status WHEN 'parked' THEN 'earlier_version' ELSE '' END,
    CASE status WHEN 'parked' THEN '{"said":"refused ' || id || '","by":"ZautoAI"}' ELSE '' END,
    CASE id % 5 WHEN 0 THEN '[["no_whole_date","PID-7","","31-02-1999"]]' ELSE '' END
FROM one;

CREATE TEMP TABLE written AS
SELECT id, CAST('MSH|^~\\&|HIS|LOTUS' || char(13) || 'PID|1||' || id || char(13)
    || 'NTE|1||' || hex(zeroblob(100)) AS BLOB) AS bytes FROM one;
INSERT INTO body SELECT id, checksum(bytes), bytes FROM written;

INSERT INTO delivery (id, message_id, position, target, lane, resource, external_id, status, step,
    attempts, due_at, waits_for, changed_at, call, lineage, cause, details)
SELECT id, id, 0, 'zauto', 'patients/P' || id, 'patients', 'P' || id, status, 'apply', 1, 100.0,
    waits_for, 100.0,
    CAST('{"target":"zauto","interaction":"upsert","resource":"patients","external_id":"P' || id
        || '","payload":{"firstName":"Meera","phone":null,"age":' || (id % 90)
        || '},"create_only":["status"],"authority":"LOTUS","references":[],"facts":{},'
        || '"allocations":[]}' AS BLOB),
    CAST('[[7,"PID-5.2","M"]]' AS BLOB), cause, details
FROM message WHERE translated = 1;

INSERT INTO attempt
SELECT id, id,
    CAST('{"method":"POST","resource":"patients","external_id":"P' || id || '","body":{}}' AS BLOB),
    100.0, 101.0,
    CAST('{"kind":"delivered","reason":"accepted","status":200,"detail":"","field_errors":[],'
        || '"record":null,"retry_after":null,"verdict":null}' AS BLOB)
FROM delivery;
INSERT INTO entity
SELECT 'patients', external_id, CAST('{"age":' || (id % 90) || '}' AS BLOB), CAST('{}' AS BLOB),
    CASE status WHEN 'delivered' THEN CAST('{"age":' || (id % 90) || '}' AS BLOB) END, 'LOTUS',
    CAST('{"patientId":"' || external_id || '"}' AS BLOB), ''
FROM delivery;
INSERT INTO alias
SELECT 'patients/OLD' || id, 'patients/P' || id, 'LOTUS', 1, id, 100.0 FROM delivery;
INSERT INTO application_acknowledgment (message_id, asked, after, line, state, code, body,
    changed_at)
SELECT id, 'AL', 'delivery', '10.0.0.1:2575', CASE id % 2 WHEN 0 THEN 'sent' ELSE 'due' END, 'AA',
    acknowledgment, 100.0
FROM message WHERE id % 3 = 0;
INSERT INTO lane SELECT target, lane, id, due_at, 0, '' FROM delivery WHERE status = 'waiting';

INSERT INTO held_lane VALUES (1, 'patients/P1');
INSERT INTO link VALUES ('Patient/7', 'patients', 'P7');
INSERT INTO number VALUES ('uhid', 'P7', 5);
INSERT INTO note VALUES ('paused', 'yes');
INSERT INTO quarantine VALUES (1, 'default', '10.0.0.2', 'no MSH', x'00ff', 100.0);
INSERT INTO unmapped_code VALUES ('gender', 'X', 'HIS|LOTUS', 3, 100.0, 101.0);
INSERT INTO remark_count VALUES ('HIS|LOTUS', 'PID-7', 'no_whole_date', 2, 100.0, 101.0, '', 1);
INSERT INTO manual_task VALUES (1, 'not_offered', 100.0);
INSERT INTO order_line VALUES (1, 'V1', 'XRAY', 1, 1, 'placed', 'NW', '100', 1, 1);
INSERT INTO mapping_version VALUES ('aa11', 100.0, '[]', '[]');
"""


def build(path: Path, of_each: int) -> None:
    """Make a store of schema 12 with so many messages in each status."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for fast in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            file.execute(f"PRAGMA {fast}")
        file.create_function("checksum", 1, rows.checksum)
        steps = "".join(schema_steps()[:VERSION])
        file.executescript(f"BEGIN; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
        file.execute("CREATE TEMP TABLE one (id INTEGER PRIMARY KEY, status TEXT)")
        numbers = range(of_each * len(STATUSES))
        every = ((number + 1, str(STATUSES[number % len(STATUSES)])) for number in numbers)
        file.executemany("INSERT INTO one VALUES (?, ?)", every)
        file.executescript(f"BEGIN; {_ROWS} COMMIT; PRAGMA journal_mode = WAL;")


def bring_to_present(path: Path) -> None:
    """Run the steps of this version that follow, each by itself and without compaction."""
    with closing(sqlite3.connect(path)) as file:
        file.create_function("checksum", -1, rows.checksum)
        for number, step in enumerate(schema_steps()[VERSION:], start=VERSION + 1):
            file.executescript(f"{step} PRAGMA user_version = {number};")


def at_present(path: Path, folder: Path) -> View:
    """What a store of schema 12 shows in this version, read from a copy of it."""
    copy = Path(shutil.copy(path, folder / "present.db"))
    bring_to_present(copy)
    connection = sqlite3.connect(copy)
    connection.row_factory = sqlite3.Row
    return RuledView(SqliteStatements(connection))


def later_steps() -> list[str]:
    """The steps of a version of the bridge that has two more."""
    return [*schema_steps(), *LATER]


def disk_of(capacity: int) -> Callable[[Path], int]:
    """How much is free on a disk of so many bytes that has nothing but one folder."""

    def free(folder: Path) -> int:
        return capacity - sum(file.stat().st_size for file in folder.iterdir())

    return free


def assert_same(before: Iterator[object], after: Iterator[object]) -> None:
    for one, other in zip_longest(before, after):
        assert one == other


def content(view: View) -> Iterator[object]:
    """Everything that a view shows, record by record."""
    yield from of_messages(view, (message.id for message in view.messages(limit=1_000_000)))
    yield from in_lists(view)


def of_messages(view: View, ids: Iterable[int]) -> Iterator[object]:
    """What a view shows of single messages and their patients."""
    for number in ids:
        yield view.message(number)
        yield view.acknowledgment(number)
        yield view.entity("patients", f"P{number}")
        for delivery in view.deliveries_of(number):
            yield delivery
            yield view.attempts_of(delivery.id)


def in_lists(view: View) -> Iterator[object]:
    """What a view shows in lists."""
    yield from view.messages(status=Status.REJECTED, limit=1_000_000)
    yield from view.kept_since(0.0, limit=1_000_000)
    yield from view.aliases(1_000_000)
    yield from view.due_acknowledgments("10.0.0.1:2575", 1_000_000)
    yield view.tally()
    yield view.order_lines("V1"), view.link("Patient/7"), view.note("paused")
    yield view.quarantined(9), view.tasks(), view.remark_counts(9), view.unmapped_codes(9)
    yield view.parked_counts(9), view.mapping_versions(9), view.due_routes()
    yield view.held_about("patients/P1", 1_000_000)
