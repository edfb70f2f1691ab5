"""Finds the store of a URL by its scheme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bridge.errors import StoreUnusable
from bridge.store.contract import Store, View
from bridge.store.sqlite.opening import path_of
from bridge.store.sqlite.store import open_sqlite, view_sqlite

_SQLITE = "sqlite"


def open_store(url: str, *, free_bytes: int, clock: Callable[[], float]) -> Store:
    """Open a store to read and write, alone.

    Below `free_bytes` of free space nothing new is kept; `clock` gives seconds since the epoch.
    Raises StoreUnusable.
    """
    _refuse_unknown(url)
    return open_sqlite(url, free_bytes=free_bytes, clock=clock)


def place_of(url: str) -> Path:
    """The file of a store, beside which its service's socket is; raises StoreUnusable."""
    _refuse_unknown(url)
    return path_of(url)


def open_view(url: str) -> View:
    """Open a store to read only, as the command line does where no service runs.

    Raises StoreUnusable.
    """
    _refuse_unknown(url)
    return view_sqlite(url)


def _refuse_unknown(url: str) -> None:
    if url.partition(":")[0] != _SQLITE:
        raise StoreUnusable("No store is known for such a URL: set store.url to sqlite:///path.db.")
