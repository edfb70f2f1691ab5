"""Keeps what a command's process has of patients to its own user: its files and its memory."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

#: new files are for their user only
_PRIVATE = 0o077
#: prctl(2), of <linux/prctl.h>
_PR_SET_DUMPABLE = 4

#: what the user had set, once `confine` replaced it; process-wide as the umask itself
_users_umask: int | None = None


def confine() -> None:
    """Make new files private (umask 077) and memory dumps impossible, for this process."""
    global _users_umask
    _users_umask = os.umask(_PRIVATE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _refuse_dumps()


@contextmanager
def users_umask() -> Iterator[None]:
    """Let files made here have the modes that the user has set for files.

    For tests beside mappings only: they hold no patient, and the service, which often runs as
    another user, reads them at its next start.
    """
    if _users_umask is None:
        yield
        return
    private = os.umask(_users_umask)
    try:
        yield
    finally:
        os.umask(private)


def _refuse_dumps() -> None:
    """Dumps that go to a program (systemd-coredump, apport) do not heed the limit (core(5))."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (AttributeError, OSError):
        # Only Linux has it.
        return
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
