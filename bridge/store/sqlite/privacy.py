"""Keeps the store's files to the user that the bridge runs as."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bridge.errors import StoreUnusable

#: files that SQLite keeps beside the database
_BESIDE = ("-wal", "-shm", "-journal")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def make_folder(folder: Path) -> None:
    """Make the folder (0700) where it is missing; raises StoreUnusable where others may write it.

    The sticky bit does not help: it keeps others from replacing the store, but not from putting a
    log of their own beside it, which SQLite would then write patients' data into.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & _WRITABLE_BY_OTHERS:
        raise StoreUnusable(
            f"{folder} can be written by other users (mode {mode:04o}), who could replace the "
            f"store: run `chmod go-w {folder}`, or put the store into a folder of its own."
        )
    if found.st_uid not in (0, os.geteuid()):
        raise StoreUnusable(
            f"{folder} belongs to another user (uid {found.st_uid}), who could replace the store: "
            "run the bridge as that user, or put the store into a folder of its own."
        )


def refuse_foreign(path: Path, found: os.stat_result) -> None:
    """Raises StoreUnusable where a file is not a regular one of this user."""
    refuse_irregular(path, found)
    if found.st_uid != os.geteuid():
        raise StoreUnusable(
            f"{path} belongs to another user (uid {found.st_uid}): run the bridge as that user, or "
            f"run `chown` on it (the bridge has uid {os.geteuid()})."
        )


def refuse_irregular(path: Path, found: os.stat_result) -> None:
    """Raises StoreUnusable where a path is not a regular file, but a link, folder or device."""
    if stat.S_ISLNK(found.st_mode):
        raise StoreUnusable(
            f"{path} is a symbolic link: set `store.url` to the file that it leads to."
        )
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnusable(f"{path} is not a regular file: set `store.url` to another path.")


def close_to_others(path: Path) -> None:
    """Make what SQLite left beside the database private (0600), as it comes from a copy.

    SQLite gives these files the database's mode where it makes them. They are not opened here:
    closing a descriptor of one would drop SQLite's locks on it. Only for a folder that others
    cannot write.
    """
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        try:
            found = beside.lstat()
        except FileNotFoundError:
            continue
        refuse_foreign(beside, found)
        beside.chmod(0o600)
