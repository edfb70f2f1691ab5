"""Which file system a file is on."""

from __future__ import annotations

import os
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
#: file systems where flock(2) is made of the locks that SQLite takes, so that both disturb each
#: other, and where the shared memory of SQLite's log does not reach other machines
#: (https://sqlite.org/wal.html, flock(2) under NFS and CIFS)
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3"})


def network_file_system(device: int) -> str:
    """Name of the network file system that is this device, "" where it is none, or not known."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        # 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw (proc_pid_mountinfo(5))
        mount, _, file_system = line.partition(" - ")
        kind = file_system.partition(" ")[0]
        if kind in _NETWORK and wanted in mount.split():
            return kind
    return ""
