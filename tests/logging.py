"""Logging as it was, after a test that configures it."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logging_restored() -> Iterator[None]:
    """Put everything back that `bridge.logs.configure` sets in a process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning)
    configuration = structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning = hooks
        structlog.configure(**configuration)
