"""The control socket: how the command line asks a running service.

A Unix socket beside the store, mode 0600, so that only who may read the store may ask. One JSON
object a line each way: `{"ask": "status"}` is answered `{"ok": ...}` or `{"error": "..."}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog

from bridge.errors import BridgeError, DoorError
from bridge.reports.report import Report

#: bytes of one question
LONGEST_QUESTION = 64 * 1024
#: bytes a socket's path may have (sun_path of unix(7), less its NUL)
LONGEST_PATH = 107

#: answers one kind of question from its arguments
Answer = Callable[[Mapping[str, Any]], Awaitable[Any]]


def socket_path(store: Path) -> Path:
    """Where the socket of the service that holds this store is."""
    return store.with_name(store.name + ".sock")


class ControlSocket:
    """Answers questions on the socket until stopped."""

    def __init__(self, path: Path, answers: Mapping[str, Answer]) -> None:
        self._path = path
        self._answers = answers
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Bind the socket; one left behind by a killed service is replaced (the store's lock
        shows that no other service lives)."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        with _short(self._path) as path:
            bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            bound.bind(path)
        self._path.chmod(0o600)
        self._server = await asyncio.start_unix_server(
            self._converse, sock=bound, limit=LONGEST_QUESTION
        )

    async def stop(self) -> None:
        """Close the socket and remove it."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # ValueError: a question without an end.
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(await self._answer(line) + b"\n")
                await writer.drain()

    async def _answer(self, line: bytes) -> bytes:
        try:
            question = orjson.loads(line)
            answer = self._answers[question["ask"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return orjson.dumps({"error": "the service does not know this question"})
        try:
            return orjson.dumps({"ok": await answer(question)}, default=Report.plain)
        except BridgeError as error:
            return orjson.dumps({"error": str(error)})
        except Exception as failure:  # noqa: BLE001 - who asks must not wait in vain
            structlog.get_logger().error("question failed", exc_info=failure)
            return orjson.dumps({"error": "the service failed on this question; its log has more"})


def ask(path: Path, question: Mapping[str, Any], *, seconds: float = 30.0) -> Any:
    """Ask the service behind a socket; raises DoorError when none answers there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            with _short(path) as short:
                connection.connect(short)
            connection.sendall(orjson.dumps(question) + b"\n")
            with connection.makefile("rb") as lines:
                answer = orjson.loads(lines.readline())
    except (OSError, orjson.JSONDecodeError) as error:
        raise DoorError(f"no service answers at {path}") from error
    if "error" in answer:
        raise BridgeError(str(answer["error"]))
    return answer["ok"]


@contextlib.contextmanager
def _short(path: Path) -> Any:
    """A name for the path that fits into a socket address, however deep its folder lies."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
