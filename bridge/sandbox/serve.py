"""Serving the sandbox with uvicorn, as a process of its own or inside a test."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bridge.errors import DoorError
from bridge.sandbox.accounts import Accounts, ClientCredentials
from bridge.sandbox.app import make_app
from bridge.sandbox.database import Database
from bridge.sandbox.parts import UNLIMITED, Options
from bridge.sandbox.wire import CONNECTION
from bridge.zauto.catalogue import Catalogue

#: seconds requests under way have to end when the sandbox stops
DRAIN_SECONDS = 1
#: what tests and the demonstration log in with
TEST_CLIENT = ClientCredentials("zauto_test_00000000", "zauto_" + "0" * 64)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that is listening."""

    #: `http://127.0.0.1:8090`
    url: str
    host: str
    port: int
    state: Database
    #: a client just made, whose secret is known now and never again; None when there was one
    client: ClientCredentials | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a sandbox is to be."""

    host: str = "127.0.0.1"
    #: 0 takes a free one
    port: int = 8090
    #: what keeps its records; None for memory
    file: Path | None = None


@asynccontextmanager
async def running(
    catalogue: Catalogue,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    file: Path | None = None,
    client: ClientCredentials | None = None,
    options: Options = UNLIMITED,
) -> AsyncIterator[Sandbox]:
    """A sandbox in this event loop; port 0 takes a free one, `file` None keeps it in memory.

    `client` is let in beside those the file knows; without any, one is made. Raises DoorError
    when the port or the file cannot be had.
    """
    with _state(file) as state, _listening(host, port) as listening:
        made = _first_client(Accounts(state), client)
        app = make_app(catalogue, state, options)
        bound = int(listening.getsockname()[1])
        async with _served(app, listening):
            yield Sandbox(f"http://{_bracketed(host)}:{bound}", host, bound, state, made)


async def serve(
    catalogue: Catalogue,
    place: Placement,
    client: ClientCredentials | None,
    options: Options,
    announce: Callable[[Sandbox], None],
) -> None:
    """Serve until SIGTERM, SIGINT or cancellation; `announce` is told once it listens."""
    stop = asyncio.Event()
    with _stopped_by_signals(stop):
        where = asdict(place)
        async with running(catalogue, **where, client=client, options=options) as sandbox:
            announce(sandbox)
            await stop.wait()


class _Protocol(HttpToolsProtocol):
    """Shows each request its connection, for faults that no server plays."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}


class _Server(uvicorn.Server):
    """uvicorn without its hold on signals, telling when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def _served(app: Starlette, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,  # its lines hold ids of patients
        http=_Protocol,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    started = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            raise DoorError(
                "the sandbox's server ended before it listened"
            ) from serving.exception()
        yield
    finally:
        started.cancel()
        server.should_exit = True
        await asyncio.wait({serving})


@contextmanager
def _state(file: Path | None) -> Iterator[Database]:
    state = Database(file)
    try:
        yield state
    finally:
        state.close()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
        # inherited by every connection; asyncio sets it only where the socket names its protocol
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise DoorError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    with listening:
        yield listening


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _first_client(accounts: Accounts, given: ClientCredentials | None) -> ClientCredentials | None:
    """Let the given client in, or make one when there is none; what was made."""
    if given is not None:
        accounts.add(given)
        return None
    return None if accounts.any() else accounts.make("sandbox")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
