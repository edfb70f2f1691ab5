"""Brings a store to the schema of this version: a copy, one transaction, and one compaction.

A kill at any moment leaves the schema as it was or as it will be; the next start continues.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import structlog

from bridge.errors import StoreUnusable
from bridge.store import rows
from bridge.store.sqlite.space import free_bytes

#: how much room is free in a folder, in bytes
Free = Callable[[Path], int]

#: `PRAGMA auto_vacuum` of a file that never gives pages back
_KEEPS_PAGES = 0
#: room for a migration, in sizes of the store: the copy; the log, which holds each page once; what
#: new columns and indexes add
_MIGRATION_ROOM = 2.25
#: room for a compaction, in sizes of the store: a temporary file; the log; page headers
_COMPACTION_ROOM = 2.1
#: bytes of the store that are migrated or compacted in a second, on a slow disk
_BYTES_A_SECOND = 20_000_000
#: pages copied at once
_PAGES_AT_ONCE = 4096
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Room:
    """Room on the store's disk, in bytes."""

    needed: int
    free: int

    @property
    def is_enough(self) -> bool:
        return self.free >= self.needed

    def __str__(self) -> str:
        needed, free = in_units(self.needed, ceil), in_units(self.free, int)
        return f"{needed} needed, {free} free"


def free_pages_later(connection: sqlite3.Connection) -> None:
    """Have a new file keep account of its free pages, so that they can be given back one day.

    Only before its first page is written, which a change to WAL does already. An existing file is
    changed by its compaction.
    """
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """How many schema steps a file has had; raises StoreUnusable."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise StoreUnusable(f"{path} cannot be read as a store: {error}.") from error
    return int(version)


def refuse_newer(path: Path, version: int, known: int) -> None:
    """Raise StoreUnusable where a file has a schema that this version does not know."""
    if version <= known:
        return
    raise StoreUnusable(
        f"{path} was written by a newer version of the bridge (schema {version}, this one "
        f"knows {known}): install that version, or {_way_back(path, known)}."
    )


def _way_back(path: Path, known: int) -> str:
    copy = latest_copy(path, known)
    if copy is None:
        return "restore an older copy"
    made = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
    return (
        f"go back to {copy}, the copy that an update made on {made:%Y-%m-%d at %H:%M} UTC, without "
        "what was kept since"
    )


def migrate(
    connection: sqlite3.Connection, path: Path, steps: Sequence[str], free: Free = free_bytes
) -> None:
    """Bring the schema to this version, all or nothing, and compact a file that never was.

    The caller holds the store alone. Raises StoreUnusable; then nothing was changed.
    """
    version = version_of(connection, path)
    refuse_newer(path, version, len(steps))
    if _is_new(connection):
        _run_steps(connection, path, steps, version)
    elif version < len(steps):
        _copy_if_room(connection, path, (version, len(steps)), free)
        _run_steps(connection, path, steps, version)
        structlog.get_logger().info("store migrated", schema_version=len(steps))
    if _keeps_pages(connection):
        _compact_if_room(connection, path, free)


def copy_of(path: Path, version: int) -> Path:
    """The copy of a store that is made before it leaves a version of its schema."""
    return path.with_name(f"{path.name}.before-{version}")


def latest_copy(path: Path, known: int) -> Path | None:
    """The copy of the highest version up to one that is known, if any is there."""
    copies = (copy_of(path, version) for version in range(known, 0, -1))
    return next((copy for copy in copies if copy.exists()), None)


def statements_of(script: str) -> Iterator[str]:
    """The statements of a script, one by one; a trigger with its inner `;` is one of them."""
    *pieces, rest = script.split(";")
    statement = ""
    for piece in pieces:
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if (statement + rest).strip():
        yield (statement + rest).strip()


def in_units(size: int, rounded: Callable[[float], int] = round) -> str:
    """A number of bytes for people: `1.3 GB`."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{rounded(value * 10) / 10:g} {_UNITS[unit]}"


def room_to_migrate(size: int, free: int) -> Room:
    return Room(ceil(size * _MIGRATION_ROOM), free)


def room_to_compact(size: int, free: int) -> Room:
    return Room(ceil(size * _COMPACTION_ROOM), free)


def seconds_for(size: int) -> int:
    """About how long a store of this size takes to be migrated, or compacted, at the most."""
    return ceil(size / _BYTES_A_SECOND)


def _is_new(connection: sqlite3.Connection) -> bool:
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not objects


def _size_of(connection: sqlite3.Connection) -> int:
    """Bytes of the store, those that are still in its log included."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(page_size)


def _keeps_pages(connection: sqlite3.Connection) -> bool:
    (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    return bool(mode == _KEEPS_PAGES)


def _copy_if_room(
    connection: sqlite3.Connection, path: Path, versions: tuple[int, int], free: Free
) -> None:
    """Copy a store before its migration; raises StoreUnusable, too, where the disk has no room."""
    before, after = versions
    copy = copy_of(path, before)
    part = copy.with_name(f"{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        _empty_log(connection)
        size = _size_of(connection)
        room = room_to_migrate(size, free(path.parent) + _size_of_file(copy))
        if not room.is_enough:
            raise StoreUnusable(
                f"{path} has too little room on its disk for the copy and the log of its migration "
                f"from schema {before} to {after} ({room}): make room and start again. Nothing was "
                "changed."
            )
        _announce("store migration starts", size, room)
        # Messages may have been kept since by an older version, so it is worth less than the store.
        copy.unlink(missing_ok=True)
        _copy(connection, part, copy)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise StoreUnusable(
            f"{path} could not be copied to {copy} before its migration: {error}. Nothing was "
            "changed."
        ) from error


def _size_of_file(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _announce(event: str, size: int, room: Room) -> None:
    """Log what is about to keep the start waiting, in bytes and seconds."""
    structlog.get_logger().info(
        event, size=size, needed=room.needed, free=room.free, seconds=seconds_for(size)
    )


def _copy(connection: sqlite3.Connection, part: Path, copy: Path) -> None:
    """Copy a store so that under the copy's name there is a whole one on the disk, or none."""
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(part, isolation_level=None)) as target:
        # A copy that is not whole is thrown away, so it needs no journal.
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        connection.backup(target, pages=_PAGES_AT_ONCE)
    _sync(part)
    part.replace(copy)
    _sync(copy.parent)


def _sync(path: Path) -> None:
    """Have a file or a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run_steps(
    connection: sqlite3.Connection, path: Path, steps: Sequence[str], version: int
) -> None:
    """Run the steps after a version in one transaction; raises StoreUnusable."""
    # Without effect inside a transaction; the caller turns them on for the work that follows.
    connection.execute("PRAGMA foreign_keys = OFF")
    # what steps compute of rows that earlier versions kept
    connection.create_function("checksum", -1, rows.checksum)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, step in enumerate(steps[version:], start=version + 1):
            _run_step(connection, path, number, step)
        _refuse_dangling(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        # SQLite may have rolled back already, as it does on a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    _empty_log(connection)


def _run_step(connection: sqlite3.Connection, path: Path, number: int, step: str) -> None:
    try:
        for statement in statements_of(step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    except sqlite3.Error as error:
        raise StoreUnusable(
            f"{path} could not be migrated to schema {number}: {error}. Nothing was changed."
        ) from error


def _refuse_dangling(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreUnusable where a row refers to one that does not exist."""
    row = connection.execute("PRAGMA foreign_key_check").fetchone()
    if row is not None:
        raise StoreUnusable(
            f"{path} could not be migrated: a row of '{row[0]}' refers to a row of '{row[2]}' that "
            "does not exist. Nothing was changed: go on with the version before, and report it."
        )


def _empty_log(connection: sqlite3.Connection) -> None:
    """Bring the log into the file and give its room back.

    Where somebody reads, or the disk is full, it is left to a later checkpoint.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return


def _compact_if_room(connection: sqlite3.Connection, path: Path, free: Free) -> None:
    """Compact a store, or leave it for another start: it works without, only never shrinks."""
    log = structlog.get_logger()
    try:
        _empty_log(connection)
        size = _size_of(connection)
        room = room_to_compact(size, free(path.parent))
        if not room.is_enough:
            log.warning(
                "store not compacted: too little room",
                size=size,
                needed=room.needed,
                free=room.free,
            )
            return
        _announce("store compaction starts", size, room)
        _compact(connection, path.parent)
    except (OSError, sqlite3.Error):
        # A damaged store cannot be compacted, and still serves what is whole in it.
        log.warning("store not compacted", exc_info=True)
    else:
        log.info("store compacted", size=_size_of(connection))


def _compact(connection: sqlite3.Connection, folder: Path) -> None:
    """Write the whole file again, as one that keeps account of its free pages."""
    free_pages_later(connection)
    # The temporary file holds patient data: it belongs in the store's private folder, not in /tmp.
    _keep_temporary_files_in(connection, str(folder))
    try:
        connection.execute("VACUUM")
    finally:
        _keep_temporary_files_in(connection, "")
    _empty_log(connection)


def _keep_temporary_files_in(connection: sqlite3.Connection, folder: str) -> None:
    """Where SQLite puts temporary files, in this whole process; '' is where it usually does.

    A SQLite that was built without this leaves them there: deleted as they are opened, mode 0600.
    """
    quoted = folder.replace("'", "''")
    connection.execute(f"PRAGMA temp_store_directory = '{quoted}'")
