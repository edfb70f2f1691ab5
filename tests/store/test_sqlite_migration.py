"""A store of an older schema is copied, migrated at once, and compacted; nothing is lost."""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import StoreUnusable
from bridge.logs import configure
from bridge.store import rows
from bridge.store.contract import Store
from bridge.store.open import open_store, open_view
from bridge.store.sqlite import migrate, opening
from bridge.store.sqlite.sql import schema_steps
from tests.logging import logging_restored
from tests.store import schema_12
from tests.store.samples import keep
from tests.store.schema_12 import (
    assert_same,
    at_present,
    bring_to_present,
    content,
    in_lists,
    later_steps,
    of_messages,
)

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "bridge.db"
    schema_12.build(path, 50)
    return path


@pytest.fixture
def path(few: Path, tmp_path: Path) -> Path:
    """A store of schema 12 with 50 messages in each status."""
    return Path(shutil.copy(few, tmp_path / "bridge.db"))


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged so far."""
    stream = io.BytesIO()
    with logging_restored():
        configure("INFO", stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of the bridge that has two more steps."""
    monkeypatch.setattr(opening, "schema_steps", later_steps)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many bytes are free on the disk."""

    def free(size: int) -> None:
        monkeypatch.setattr(opening, "migrate", partial(migrate.migrate, free=lambda _: size))

    return free


def opened(path: Path) -> Store:
    return open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 300.0)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as file:
        return file.execute(f"PRAGMA {name}").fetchone()[0]


async def test_10000_messages_of_each_status_are_the_same_before_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bridge.db"
    schema_12.build(path, 10_000)
    before = at_present(path, tmp_path)
    monkeypatch.setattr(opening, "schema_steps", later_steps)
    store = opened(path)
    some = range(1, 80_000, 97)
    try:
        store.read(lambda view: assert_same(in_lists(before), in_lists(view)))
        store.read(lambda view: assert_same(of_messages(before, some), of_messages(view, some)))
    finally:
        await store.close()
    # deliveries are counted by destination since
    assert rows_lost(migrate.copy_of(path, 12), path) == {"tally": len(schema_12.STATUSES)}


def rows_lost(before: Path, after: Path) -> dict[str, int]:
    """How many rows of each table are in one store and not, in the same columns, in another."""
    with closing(sqlite3.connect(after, isolation_level=None)) as file:
        file.execute("ATTACH ? AS before", (str(before),))
        tables = file.execute("SELECT name FROM before.sqlite_master WHERE type = 'table'")
        return {name: lost for (name,) in tables.fetchall() if (lost := _lost(file, name))}


def _lost(file: sqlite3.Connection, table: str) -> int:
    info = file.execute(f"PRAGMA before.table_info({table})")
    columns = ", ".join(name for _, name, *_ in info)
    query = f"SELECT {columns} FROM before.{table} EXCEPT SELECT {columns} FROM main.{table}"
    (lost,) = file.execute(f"SELECT count(*) FROM ({query})").fetchone()
    return int(lost)


async def test_everything_is_the_same_before_and_after(
    path: Path, tmp_path: Path, later: None
) -> None:
    before = content(at_present(path, tmp_path))
    store = opened(path)
    try:
        store.read(lambda view: assert_same(before, content(view)))
        assert await store.run(lambda tx: tx.number("uhid", "P7", 9)) == 5
        assert (await store.run(keep)).id == len(schema_12.STATUSES) * 50 + 1
    finally:
        await store.close()
    assert pragma(path, "user_version") == len(later_steps())


async def test_the_copy_is_the_store_before_private_and_named_for_its_schema(
    path: Path, tmp_path: Path, later: None
) -> None:
    original = Path(shutil.copy(path, tmp_path / "original.db"))
    await opened(path).close()
    copy = tmp_path / "bridge.db.before-12"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert pragma(copy, "user_version") == 12
    assert rows_lost(original, copy) == rows_lost(copy, original) == {}
    assert not list(tmp_path.glob("*.part*"))


async def test_the_copy_has_what_is_still_in_the_log(path: Path, later: None) -> None:
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA wal_autocheckpoint = 0")
    writing.execute("UPDATE note SET value = 'no'")
    await opened(path).close()
    writing.close()
    with closing(sqlite3.connect(migrate.copy_of(path, 12))) as copy:
        assert copy.execute("SELECT value FROM note").fetchone() == ("no",)


async def test_a_copy_of_an_earlier_attempt_is_replaced(path: Path, later: None) -> None:
    migrate.copy_of(path, 12).write_bytes(b"of an earlier attempt")
    path.with_name("bridge.db.before-12.part").write_bytes(b"not whole")
    await opened(path).close()
    assert pragma(migrate.copy_of(path, 12), "user_version") == 12
    assert not path.with_name("bridge.db.before-12.part").exists()


async def test_a_new_store_and_one_of_this_schema_are_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        await opened(tmp_path / "bridge.db").close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bridge.db", "bridge.db.lock"]


def test_too_little_room_for_the_copy_and_the_log_refuses_the_start(
    path: Path, tmp_path: Path, later: None, room: Callable[[int], None]
) -> None:
    size = path.stat().st_size
    before = path.read_bytes()
    room(ceil(size * 2.25) - 1)
    needed = migrate.in_units(ceil(size * 2.25), ceil)
    with pytest.raises(StoreUnusable, match=rf"from schema 12 to .*\({needed} needed, .* free\)"):
        opened(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.before-*"))


async def test_as_much_room_as_is_needed_is_enough(
    path: Path, later: None, room: Callable[[int], None]
) -> None:
    room(ceil(path.stat().st_size * 2.25))
    await opened(path).close()
    assert pragma(path, "user_version") == len(later_steps())


async def test_the_room_of_an_earlier_copy_counts_as_free(
    path: Path, later: None, room: Callable[[int], None]
) -> None:
    shutil.copy(path, migrate.copy_of(path, 12))
    room(ceil(path.stat().st_size * 1.25))
    await opened(path).close()
    assert pragma(path, "user_version") == len(later_steps())


async def test_a_copy_that_cannot_be_made_refuses_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch, later: None
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.store.sqlite.migrate.os.fsync", full)
    with pytest.raises(StoreUnusable, match=r"could not be copied .*No space.*Nothing was changed"):
        opened(path)
    monkeypatch.undo()
    assert not list(path.parent.glob("*.before-*"))
    assert pragma(path, "user_version") == 12
    await opened(path).close()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("CREATE TABLE extra (id INTEGER); SELECT nonsense;", "schema {last}: .*nonsense"),
        ("DELETE FROM message WHERE id = 3;", "a row of '[a-z_]+' refers to a row of 'message'"),
    ],
)
async def test_a_step_that_fails_leaves_the_store_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, reason: str
) -> None:
    before = path.read_bytes()
    steps = [*later_steps(), step]
    monkeypatch.setattr(opening, "schema_steps", lambda: steps)
    with pytest.raises(StoreUnusable, match=reason.format(last=len(steps))):
        opened(path)
    assert path.read_bytes() == before
    monkeypatch.setattr(opening, "schema_steps", schema_steps)
    await opened(path).close()


async def test_an_older_bridge_names_the_copy_that_is_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "schema_steps", later_steps)
    await opened(path).close()
    monkeypatch.setattr(opening, "schema_steps", lambda: schema_steps()[:12])
    for attempt in (opened, lambda path: open_view(f"sqlite:///{path}")):
        with pytest.raises(StoreUnusable, match=r"newer .*go back to .*db.before-12, .* UTC"):
            attempt(path)
    migrate.copy_of(path, 12).unlink()
    with pytest.raises(StoreUnusable, match=r"newer .*restore an older copy"):
        opened(path)


async def test_a_migration_is_announced_with_bytes_and_seconds(
    path: Path, later: None, lines: Lines
) -> None:
    size = path.stat().st_size
    await opened(path).close()
    starts, migrated, compaction, compacted = lines()
    assert (starts["event"], starts["size"], starts["needed"], starts["seconds"]) == (
        "store migration starts",
        size,
        ceil(size * 2.25),
        1,
    )
    assert (migrated["event"], migrated["schema_version"]) == ("store migrated", len(later_steps()))
    assert compaction["event"] == "store compaction starts"
    assert compaction["needed"] == ceil(compaction["size"] * 2.1)
    assert compacted["event"] == "store compacted"
    assert not any("dropped" in line for line in lines())


def test_the_operators_page_names_room_and_events() -> None:
    page = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")
    assert f"{migrate._MIGRATION_ROOM} times" in page
    assert f"{migrate._COMPACTION_ROOM} times" in page
    assert f"the estimate allows {migrate.seconds_for(100_000_000)} s" in page
    source = Path(migrate.__file__).read_text(encoding="utf-8")
    events = re.findall(r'"(store (?:migra|compac|not)[a-z: ]*)"', source)
    assert len(events) == 6
    assert [event for event in events if event not in page] == []


async def test_a_new_store_gives_pages_back_without_a_compaction(
    tmp_path: Path, lines: Lines
) -> None:
    await opened(tmp_path / "bridge.db").close()
    assert pragma(tmp_path / "bridge.db", "auto_vacuum") == 2
    assert lines() == []


async def test_a_store_is_compacted_at_the_first_start_that_has_room(
    path: Path, room: Callable[[int], None], lines: Lines
) -> None:
    bring_to_present(path)
    with closing(sqlite3.connect(path)) as file:
        file.executescript("DELETE FROM alias; DELETE FROM entity; PRAGMA wal_checkpoint;")
    size = path.stat().st_size
    room(ceil(size * 2.1) - 1)
    await opened(path).close()
    (warning,) = lines()
    assert (warning["event"], warning["level"]) == (
        "store not compacted: too little room",
        "warning",
    )
    assert (warning["needed"], warning["free"]) == (ceil(size * 2.1), ceil(size * 2.1) - 1)
    assert (pragma(path, "auto_vacuum"), path.stat().st_size) == (0, size)
    room(ceil(size * 2.1))
    await opened(path).close()
    assert pragma(path, "auto_vacuum") == 2
    assert path.stat().st_size < size
    assert pragma(path, "journal_mode") == "wal"
    logged = len(lines())
    await opened(path).close()
    assert len(lines()) == logged


async def test_a_compaction_keeps_its_temporary_file_in_the_stores_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_to_present(path)
    folders = []
    monkeypatch.setattr(
        migrate, "_keep_temporary_files_in", lambda _, folder: folders.append(folder)
    )
    await opened(path).close()
    assert folders == [str(tmp_path), ""]


async def test_a_damaged_store_is_opened_uncompacted(tmp_path: Path, lines: Lines) -> None:
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.create_function("checksum", -1, rows.checksum)
        file.executescript("".join(schema_steps()))
        file.executescript(
            f"PRAGMA user_version = {len(schema_steps())}; PRAGMA journal_mode = WAL;"
        )
        file.execute("INSERT INTO quarantine VALUES (1, '', '', '', zeroblob(100000), 1.0)")
        (page,) = file.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'quarantine'"
        ).fetchone()
    with path.open("r+b") as damaged:
        damaged.seek((page - 1) * 4096)
        damaged.write(b"\xff" * 4096)
    store = opened(path)
    assert (await store.run(keep)).id == 1
    await store.close()
    assert [line["event"] for line in lines()][-1] == "store not compacted"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_540_000, "1.5 MB"),
        (87_000_000_000, "87 GB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_bytes_are_shown_in_units(size: int, text: str) -> None:
    assert migrate.in_units(size) == text


def test_room_is_never_shown_as_enough_where_it_is_not() -> None:
    assert str(migrate.Room(needed=1_010_000, free=1_009_999)) == "1.1 MB needed, 1 MB free"


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        ("-- only; a comment", ["-- only; a comment"]),
        ("SELECT 1; SELECT ';';\n", ["SELECT 1;", "SELECT ';';"]),
        ("/* ; */ SELECT 1", ["/* ; */ SELECT 1"]),
        (
            "CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END; SELECT 3;",
            ["CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END;", "SELECT 3;"],
        ),
    ],
)
def test_a_script_is_split_into_statements(script: str, statements: list[str]) -> None:
    assert list(migrate.statements_of(script)) == statements


def test_the_statements_of_the_steps_are_the_steps() -> None:
    as_scripts, split = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    for each in (as_scripts, split):
        each.create_function("checksum", -1, rows.checksum)
    for step in later_steps():
        as_scripts.executescript(step)
    for statement in chain.from_iterable(map(migrate.statements_of, later_steps())):
        split.execute(statement)
    schemas = [
        each.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        for each in (as_scripts, split)
    ]
    assert schemas[0] == schemas[1]
