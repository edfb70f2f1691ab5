"""What the demonstration plays on: sandbox, hospital and bridge, on free ports.

Sandbox and bridge are processes of their own, started as a person would start them; the hospital
listens in this one, so that what it receives can be shown. All of it lives in one temporary
folder and is gone afterwards.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.demo.started import Started, starting
from bridge.sandbox.hospital import HospitalReceiver, receiving
from bridge.settings import PREFIX

HOST = "127.0.0.1"
#: bytes the disk must keep free; a demonstration needs no more
FREE_BYTES = 1024 * 1024
#: ZautoAI's limit of an hour, so that the budget is seen at work, and none of a minute
LIMITS = {"hour": 1000, "minute": 1000}


@dataclass(frozen=True, slots=True)
class Keys:
    """What the bridge's HTTP doors take, made anew each time."""

    fhir: str
    orders: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and where."""

    #: settings of the running bridge, for `--config`
    config: Path
    #: `http://127.0.0.1:8090`
    sandbox: str
    #: the bridge's ports on HOST
    mllp_port: int
    http_port: int
    hospital: HospitalReceiver
    keys: Keys
    processes: tuple[Started, ...]

    @property
    def http(self) -> str:
        """The bridge's HTTP door, `http://127.0.0.1:8080`."""
        return f"http://{HOST}:{self.http_port}"

    def check(self) -> None:
        """Raises BridgeError when a process has ended."""
        for process in self.processes:
            process.check()


@dataclass(frozen=True, slots=True)
class _Sandbox:
    process: Started
    url: str
    #: id and secret of the client it made
    client: str
    secret: str


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """Start everything, and stop it however the block ends; raises BridgeError."""
    keys = Keys(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    mllp_port, http_port = _free_ports()
    with tempfile.TemporaryDirectory(prefix="bridge-demo-") as name:
        folder = Path(name)
        async with (
            receiving() as hospital,
            _sandbox(folder, f"http://{HOST}:{http_port}", keys) as sandbox,
        ):
            config = folder / "bridge.yaml"
            settings = {
                "mllp": {"port": mllp_port},
                "http": {"port": http_port},
                "zauto": {"base_url": sandbox.url, "client_id": sandbox.client, "limits": LIMITS},
                "store": {"url": f"sqlite:///{folder / 'bridge.db'}", "free_bytes": FREE_BYTES},
                "hospital": {"port": hospital.port},
            }
            # JSON is YAML, too
            config.write_text(json.dumps(settings), encoding="utf-8")
            async with _bridge(config, sandbox, keys) as bridge:
                processes = (sandbox.process, bridge)
                yield Stage(config, sandbox.url, mllp_port, http_port, hospital, keys, processes)


@asynccontextmanager
async def _sandbox(folder: Path, push_to: str, keys: Keys) -> AsyncIterator[_Sandbox]:
    words = ["sandbox", "--port", "0", "--no-limits", "--push-to", push_to]
    environment = _environment(ORDERS__API_KEY=keys.orders)
    async with starting("sandbox", words, environment, folder / "sandbox.log") as process:
        url = await process.said(r"sandbox listens on (\S+)")
        client = await process.said(r"client id +(\S+)")
        secret = await process.said(r"client secret +(\S+)")
        yield _Sandbox(process, url[1], client[1], secret[1])


@asynccontextmanager
async def _bridge(config: Path, sandbox: _Sandbox, keys: Keys) -> AsyncIterator[Started]:
    words = ["run", "--config", str(config)]
    environment = _environment(
        ZAUTO__CLIENT_SECRET=sandbox.secret, FHIR__API_KEY=keys.fhir, ORDERS__API_KEY=keys.orders
    )
    async with starting("bridge", words, environment, config.with_name("bridge.log")) as process:
        await process.said("HTTP listens on ")
        yield process


def _environment(**values: str) -> dict[str, str]:
    """This process's environment with these settings of the bridge and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return inherited | {PREFIX + name: value for name, value in values.items()}


def _free_ports() -> tuple[int, int]:
    """Two ports nothing listens on: the sandbox is told the bridge's before the bridge starts."""
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]
