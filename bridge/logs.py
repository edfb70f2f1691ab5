"""What the bridge tells of itself while it runs: JSON lines that never hold patient data.

A line is an event (a constant sentence) and keys of a closed list; a key that is not on it is
left out and only its name is shown under `dropped`. Of an exception the type and the frames are
shown, never its message: it can quote what was being read. Lines of libraries show their
template, never its arguments, because httpx and others log URLs and with them record ids.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, MutableMapping
from enum import Enum
from types import TracebackType
from typing import Any, BinaryIO, TextIO, cast

import orjson
import structlog

from bridge.message import shown_type
from bridge.visible import visible_json

#: numbers, flags and words of closed sets that say nothing of a person; `message`, `delivery`
#: and `attempt` are row ids of the store
ALLOWED = frozenset(
    "event level timestamp dropped logger template file line error frames"
    " channel listener protocol message_type message delivery attempt attempts position"
    " target resource interaction method step kind reason verdict status code http_status"
    " count waiting held parked quarantined recovered released total limit used remaining"
    " seconds milliseconds due_in retry_after bytes size needed free connections pressure"
    " host port address peer pid signal version schema_version mapping mappings_hash setting"
    " paused duplicate location files lost mended certificate why".split()
)
#: a closed set's member, because the store keeps sentences under the same names
_MEMBERS = frozenset({"reason", "verdict", "kind", "step"})
_PLAIN = (str, int, float, bool, type(None))
#: libraries that log each request with its URL
_SILENT = ("httpx", "httpcore", "uvicorn.access")
_MOST_FRAMES = 30

Event = MutableMapping[str, Any]


def configure(level: str = "INFO", stream: BinaryIO | None = None) -> None:
    """Send the bridge's own lines from `level` on, and libraries' warnings, to standard error.

    Every way into the package calls this first (`bridge.cli.app.main`, the tests, the benchmarks):
    structlog as it comes prints the local variables of each frame, and those hold patients.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _show_frames,
            keep_allowed,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(stream or _standard_error()),
        cache_logger_on_first_use=True,
    )
    _route_libraries()
    _route_warnings()
    _route_crashes()


def crashed(raised: BaseException) -> None:
    """Log an error that ended a command, by type and frames."""
    _tell_crash("crashed", raised, raised.__traceback__)


def keep_allowed(_logger: object, _method: str, event: Event) -> Event:
    """The event with what may be told; the names of all other keys under `dropped`."""
    told = {key: value for key, value in event.items() if key in ALLOWED and _fits(key, value)}
    if len(told) != len(event):
        told["dropped"] = sorted(key for key in event if key not in told and key.isidentifier())
    return told


def observe(event: Mapping[str, Any]) -> None:
    """Take an event of Twisted's log (an observer of `twisted.logger`): failures and warnings."""
    level = getattr(event.get("log_level"), "name", "info")
    failure = event.get("log_failure")
    if failure is None and level not in ("warn", "error", "critical"):
        return
    raised = getattr(failure, "value", None)
    structlog.get_logger().warning(
        "library",
        logger=str(event.get("log_namespace", "twisted")),
        exc_info=(type(raised), raised, failure.getTracebackObject()) if failure else None,
    )


def frames(raised: BaseException, trace: TracebackType | None = None) -> list[str]:
    """Where an exception came from, outermost first: `bridge/hl7v2/reader.py:12 read`."""
    summary = traceback.extract_tb(trace or raised.__traceback__)[-_MOST_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in summary]


def _fits(key: str, value: object) -> bool:
    if key in _MEMBERS:
        return isinstance(value, Enum)
    if key == "message_type":
        return isinstance(value, str) and bool(value) and shown_type(value) == value
    if key in ("frames", "dropped"):
        return isinstance(value, list)
    return isinstance(value, (*_PLAIN, Enum))


def _show_frames(_logger: object, _method: str, event: Event) -> Event:
    raised, trace = _raised(event.pop("exc_info", None))
    if raised is not None:
        event["error"] = " from ".join(_types(raised))
        event["frames"] = frames(raised, trace)
    return event


def _raised(given: object) -> tuple[BaseException | None, TracebackType | None]:
    if isinstance(given, BaseException):
        return given, given.__traceback__
    if isinstance(given, tuple):
        return given[1], given[2]
    current = sys.exc_info() if given else (None, None, None)
    return current[1], current[2]


def _types(raised: BaseException) -> list[str]:
    """The exception's type, then the types of what caused it."""
    names: list[str] = []
    cause: BaseException | None = raised
    while cause is not None and len(names) < 10:
        names.append(type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return names


def _short(path: str) -> str:
    return "/".join(path.split("/")[-3:])


def _as_json(event: Event, **_: object) -> bytes:
    return visible_json(orjson.dumps(event, default=str))


class _StandardError:
    """Standard error as it is when a line is written: who replaces `sys.stderr` gets the line."""

    def write(self, line: bytes) -> None:
        sys.stderr.buffer.write(line)

    def flush(self) -> None:
        sys.stderr.buffer.flush()


def _standard_error() -> BinaryIO:
    return cast(BinaryIO, _StandardError())


class _Libraries(logging.Handler):
    """Takes what libraries log through the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        # without arguments the text was put together before and may hold anything
        template = record.msg if record.args and isinstance(record.msg, str) else ""
        structlog.get_logger().log(
            record.levelno,
            "library",
            logger=record.name,
            template=template,
            file=_short(record.pathname),
            line=record.lineno,
            exc_info=record.exc_info,
        )


def _route_libraries() -> None:
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)
    # a handler of a library that fails would print the line's arguments
    logging.raiseExceptions = False
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _route_warnings() -> None:
    """Show a warning by its category and place; its text can quote a value (pydantic's do)."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        structlog.get_logger().warning(
            "warning", error=category.__name__, file=_short(filename), line=lineno
        )

    warnings.showwarning = show


def _route_crashes() -> None:
    """Show what nobody caught by type and frames too; Python itself would print its message."""
    sys.excepthook = lambda _, raised, trace: _tell_crash("crashed", raised, trace)
    threading.excepthook = lambda args: _tell_crash(
        "thread crashed", args.exc_value, args.exc_traceback
    )
    sys.unraisablehook = lambda args: _tell_crash(
        "error while cleaning up", args.exc_value, args.exc_traceback
    )


def _tell_crash(event: str, raised: BaseException | None, trace: TracebackType | None) -> None:
    told = None if raised is None else (type(raised), raised, trace)
    structlog.get_logger().critical(event, exc_info=told)
