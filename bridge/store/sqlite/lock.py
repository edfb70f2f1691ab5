"""The lock that makes this process the only one that writes: on the database file itself.

flock(2) belongs to the file, not to a name, so every path of one file meets the same lock. On a
local disk it does not touch the fcntl locks that SQLite takes on the same file. Those have a trap:
a process that closes *any* descriptor of a file drops all fcntl locks it holds on it
(https://sqlite.org/howtocorrupt.html, 2.2). So the descriptor stays open until SQLite has closed
its last connection, and nothing else here opens and closes the file.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from bridge.errors import StoreUnusable
from bridge.store.sqlite.mounts import network_file_system
from bridge.store.sqlite.privacy import refuse_foreign, refuse_irregular

#: device and number of a file
Inode: TypeAlias = tuple[int, int]

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
#: bytes of the earlier versions' lock: a pid, and a device and inode
_MOST_KEPT = 200
#: where the kernel lists the locks of all processes
_LOCKS = Path("/proc/locks")
#: files this process holds. Process-wide, because what it guards is: the kernel drops fcntl locks
#: by process.
_held: set[Inode] = set()
_guard = threading.Lock()


class FileLock:
    """The lock on one file, while it is held; `hold` takes it."""

    def __init__(self, path: Path, inode: Inode, descriptors: Sequence[int]) -> None:
        self.path = path
        self._inode = inode
        #: of the file itself, then of the lock that earlier versions take; none once released
        self._descriptors = list(descriptors)

    def refuse_replaced(self) -> None:
        """Raises StoreUnusable where the path is not the locked file any more."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            found = None
        if found is None or _inode(found) != self._inode:
            raise StoreUnusable(
                f"{self.path} was replaced while the bridge had it open: put the right file there, "
                "and start the bridge again."
            )

    def release(self) -> None:
        """Give the lock back; only after SQLite has closed its last connection."""
        with _guard:
            if not self._descriptors:
                return
            # In reverse: a process that finds the file free must get the earlier lock, too.
            while self._descriptors:
                os.close(self._descriptors.pop())
            _held.discard(self._inode)


def hold(path: Path) -> FileLock:
    """Take the lock, and make the file (0600) where it is missing.

    Raises StoreUnusable where another process has it, or the file is not one to keep patients'
    data in, and OSError where it cannot be opened.
    """
    with _guard:
        with suppress(FileNotFoundError):
            found = path.lstat()
            refuse_foreign(path, found)
            _refuse_twice(path, _inode(found))
        _refuse_log_alone(path)
        file = os.open(path, _FLAGS, 0o600)
        inode = _inode(os.fstat(file))
        # Put there since the look above. It stays open: closing it would drop SQLite's locks.
        _refuse_twice(path, inode)
        try:
            earlier = _lock_alone(path, file)
        except BaseException:
            os.close(file)
            raise
        _held.add(inode)
    return FileLock(path, inode, (file, earlier))


def _lock_alone(path: Path, file: int) -> int:
    """Lock the file, and what earlier versions lock instead, of which it returns the descriptor."""
    found = os.fstat(file)
    refuse_foreign(path, found)
    if kind := network_file_system(found.st_dev):
        raise StoreUnusable(
            f"{path} is on a network file system ({kind}), where SQLite's locks and log are not "
            "safe: set `store.url` to a file on a local disk."
        )
    os.fchmod(file, 0o600)
    _lock(path, file)
    if found.st_nlink > 1:
        raise StoreUnusable(
            f"{path} has further names (hard links): opened by another one, SQLite would not find "
            "its log, and what is in it would be lost. Delete the other names, or make copies of "
            "them."
        )
    return _lock_as_earlier(path, _inode(found))


def _lock_as_earlier(path: Path, inode: Inode) -> int:
    """Take the lock of versions that locked a file beside the store, and leave the pid they name,
    and which file the log is of.

    Needed as long as such a version may be started on the same store. Raises StoreUnusable where
    the log is another file's.
    """
    beside = path.with_name(path.name + ".lock")
    with suppress(FileNotFoundError):
        refuse_irregular(beside, beside.lstat())
    file = os.open(beside, _FLAGS, 0o600)
    try:
        os.fchmod(file, 0o600)
        _lock(path, file)
        _refuse_log_of_another(path, inode, os.pread(file, _MOST_KEPT, 0))
        os.truncate(file, 0)
        os.write(file, f"{os.getpid()}\n{_told(inode)}\n".encode())
    except BaseException:
        os.close(file)
        raise
    return file


def _lock(path: Path, file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = _holder(file)
        known = f"pid {pid}" if pid else f"pid not known: `fuser {path}` may show it"
        raise StoreUnusable(
            f"{path} is held by another process ({known}): stop that process, or set `store.url` "
            "to another file."
        ) from error


def _holder(file: int) -> str:
    """Pid of the process that has the lock, as the kernel knows it; "" where it does not say.

    It does not for a process of another container. A pid in a file would be wrong there, and after
    a kill.
    """
    found = os.fstat(file)
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with suppress(OSError):
        for line in _LOCKS.read_text("ascii").splitlines():
            # 3: FLOCK  ADVISORY  WRITE 22049 fe:00:3055790 0 EOF
            _, kind, _, access, pid, inode, *_ = line.split()
            if (kind, access, inode) == ("FLOCK", "WRITE", place):
                return pid
    return ""


def _refuse_log_alone(path: Path) -> None:
    """Raise StoreUnusable where there is a log and no store: SQLite would delete the log."""
    if _size(path) == 0 and (log := _log_size(path)):
        raise StoreUnusable(
            f"{path} is missing or empty, and its log {path.name}-wal is not ({log} bytes, maybe "
            "messages that were acknowledged): put the store back beside its log, or move the log "
            "away to begin with an empty store."
        )


def _refuse_log_of_another(path: Path, inode: Inode, kept: bytes) -> None:
    """Raise StoreUnusable where the file was replaced since the log was written.

    SQLite would write the log's pages into it. `kept` is what the process before left.
    """
    _, _, before = kept.decode("ascii", "replace").strip().partition("\n")
    if before and before != _told(inode) and _log_size(path):
        raise StoreUnusable(
            f"{path} is not the file that its log {path.name}-wal was written for: put that file "
            "back, or move the log away, which loses what is in it. Where store and log were "
            f"copied together, delete {path.name}.lock."
        )


def _log_size(path: Path) -> int:
    return _size(path.with_name(path.name + "-wal"))


def _size(path: Path) -> int:
    """Bytes of a file; 0 where there is none, or something else has its name."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _told(inode: Inode) -> str:
    return f"{inode[0]}:{inode[1]}"


def _refuse_twice(path: Path, inode: Inode) -> None:
    if inode in _held:
        raise StoreUnusable(f"{path} is held by this process already (pid {os.getpid()}).")


def _inode(found: os.stat_result) -> Inode:
    return found.st_dev, found.st_ino
