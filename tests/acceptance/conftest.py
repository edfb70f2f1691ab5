"""A sandbox for all, a bridge for each that asks; every process is ended, whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.acceptance.mllp import Sender
from tests.acceptance.processes import CLIENT, Bridge, Process, Sandbox, settings
from tests.acceptance.relay import Relay, relaying
from tests.conftest import REPORT

Launch = Callable[..., Awaitable[Bridge]]
Connect = Callable[[Bridge], Sender]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines that are printed below the tests."""
    lines: list[str] = []
    yield lines
    request.node.user_properties.append((REPORT, lines))


@pytest.fixture(scope="session")
async def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A running `bridge sandbox --no-limits`."""
    folder = tmp_path_factory.mktemp("sandbox")
    arguments = ["sandbox", "--port", "0", "--no-limits", "--client", ":".join(CLIENT)]
    process = Process(folder, arguments, {})
    try:
        sandbox = Sandbox(process, (await process.printed(r"(http://\S+)"))[1])
        await sandbox.sign_in()
        yield sandbox
        await sandbox.http.aclose()
    finally:
        process.kill()


@pytest.fixture
async def sandbox(one_sandbox: Sandbox) -> Sandbox:
    """The sandbox, with nothing in it but its test records."""
    await one_sandbox.reset()
    return one_sandbox


@pytest.fixture(scope="module")
async def one_bridge(
    one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bridge]:
    """A running bridge that delivers to the sandbox, one for all tests of a module."""
    folder = tmp_path_factory.mktemp("bridge")
    bridge = Bridge(folder, settings(folder, one_sandbox.url), [])
    try:
        yield await bridge.start()
        await bridge.http.aclose()
    finally:
        bridge.end()


@pytest.fixture
async def relay(sandbox: Sandbox) -> AsyncIterator[Relay]:
    """The sandbox with a relay before it."""
    async with relaying(sandbox.url) as relay:
        yield relay


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Starts a bridge: `await launch(url, hospital__port="2600")`."""
    async with AsyncExitStack() as ending:

        async def start(url: str, *arguments: str, **more: str) -> Bridge:
            bridge = Bridge(tmp_path, settings(tmp_path, url, **more), list(arguments))
            ending.callback(bridge.end)
            ending.push_async_callback(bridge.http.aclose)
            return await bridge.start()

        yield start


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """A sender of a hospital: `connect(bridge)`."""
    senders: list[Sender] = []

    def sender(bridge: Bridge) -> Sender:
        senders.append(Sender(lambda: bridge.mllp))
        return senders[-1]

    yield sender
    for each in senders:
        each.hang_up()
