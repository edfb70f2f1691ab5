"""The product as processes of their own: started, looked at from outside, always ended."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
CLIENT = ("zauto_acceptance_00000001", "not-a-secret")
FHIR_KEY = "fhir-door-key"
ORDERS_KEY = "orders-door-key"
#: seconds between two looks at a condition
LOOK_SECONDS = 0.02


async def until(
    look: Callable[[], Any], what: str | Callable[[], str], *, seconds: float = PATIENCE
) -> Any:
    """Look until something true is seen and return it; after `seconds` fail, saying `what`."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await seen
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {seconds} s: {what if isinstance(what, str) else what()}"
            )
        await asyncio.sleep(LOOK_SECONDS)


class Process:
    """One `bridge ...` command; what it prints goes to files."""

    def __init__(self, folder: Path, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.output_file = folder / f"{arguments[0]}.{time.monotonic_ns()}.out"
        self.error_file = self.output_file.with_suffix(".err")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("BRIDGE_")}
        self.started_at = time.time()
        with self.output_file.open("wb") as out, self.error_file.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bridge", *arguments],
                cwd=folder,  # so that no conf/bridge.yaml is found but the test's own
                env={**inherited, "PYTHONPATH": str(ROOT), **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """What it printed."""
        return self.output_file.read_text(encoding="utf-8", errors="replace")

    def errors(self) -> str:
        """What it wrote to standard error: for `bridge run` its log."""
        return self.error_file.read_text(encoding="utf-8", errors="replace")

    def events(self) -> list[dict[str, Any]]:
        """The log's lines; one that is no JSON is shown under `raw`."""
        return [_event(line) for line in self.errors().splitlines()]

    async def printed(self, pattern: str) -> re.Match[str]:
        """The first match in what it prints."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.output())
            assert found or self.ended is None, f"it ended: {self.output()}{self.errors()}"
            return found

        found: re.Match[str] = await until(look, f"'{pattern}' printed", seconds=PATIENCE)
        return found

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def tell_to_stop(self) -> None:
        """SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def end(self, seconds: float = PATIENCE) -> int:
        """Wait until it has ended of itself; its exit code."""
        await until(lambda: self.ended is not None, "the process ends", seconds=seconds)
        assert self.ended is not None
        return self.ended


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {"raw": line}
    return event if isinstance(event, dict) else {"raw": line}


class Sandbox:
    """`bridge sandbox` as its users see it."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE)
        self._before = 0

    async def reset(self) -> None:
        """Back to the test records, and the journal read from here on."""
        (await self.http.post("/sandbox/reset")).raise_for_status()
        self._before = (await self.journal())[-1]["sequence"]

    async def journal(self) -> list[dict[str, Any]]:
        """Every request since the last reset, the bridge's and the test's own."""
        entries: list[dict[str, Any]] = []
        last = self._before
        while page := await self._page(last):
            entries += page
            last = page[-1]["sequence"]
        return entries

    async def _page(self, after: int) -> list[dict[str, Any]]:
        answer = await self.http.get("/sandbox/journal", params={"after": after})
        found: list[dict[str, Any]] = answer.json()["entries"]
        return found

    async def sign_in(self) -> None:
        """Take a token of the API, as any client does."""
        grant = {"grant_type": "client_credentials"}
        credentials = {"client_id": CLIENT[0], "client_secret": CLIENT[1]}
        answer = await self.http.post("/api/auth/oAuth/token", json=grant | credentials)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def record(self, resource: str, external_id: str) -> dict[str, Any] | None:
        """One record as the API shows it, None where there is none."""
        answer = await self.http.get(f"/zauto-api/{resource}/{external_id}")
        if answer.status_code == 404:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()["data"]
        return found

    async def put(self, resource: str, external_id: str, change: Mapping[str, Any]) -> None:
        """Change a record as the clinic's staff would."""
        answer = await self.http.put(f"/zauto-api/{resource}/{external_id}", json=change)
        answer.raise_for_status()

    async def post(self, resource: str, record: Mapping[str, Any]) -> None:
        """Make a record as the clinic's staff would."""
        (await self.http.post(f"/zauto-api/{resource}", json=record)).raise_for_status()


class Bridge:
    """`bridge run` on one store, killed and started again as often as a test likes."""

    def __init__(self, folder: Path, environment: Mapping[str, str], arguments: list[str]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self._arguments = ["run", *arguments]
        self.runs: list[Process] = []
        self.mllp = ("127.0.0.1", 0)
        self.http = httpx.AsyncClient(trust_env=False, timeout=PATIENCE)

    @property
    def process(self) -> Process:
        """The run that is on."""
        return self.runs[-1]

    async def start(self) -> Bridge:
        """Start it, again after a stop, and wait until it listens."""
        self.runs.append(Process(self.folder, self._arguments, self.environment))
        host, port = (await self.process.printed(r"MLLP listens on (\S+):(\d+)")).groups()
        self.mllp = (host, int(port))
        self.http.base_url = (await self.process.printed(r"HTTP listens on (http://\S+)"))[1]
        return self

    def kill(self) -> None:
        """SIGKILL, as a crash or a power cut would."""
        self.process.kill()

    def end(self) -> None:
        """Kill whatever still runs of it."""
        for run in self.runs:
            run.kill()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.tell_to_stop()
        return await self.process.end()

    async def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `bridge ...` with the same settings, run to its end."""
        run = Process(self.folder, list(arguments), self.environment)
        code = await run.end()
        return subprocess.CompletedProcess(list(arguments), code, run.output(), run.errors())

    async def ask(self, question: str, **arguments: Any) -> Any:
        """Ask the control socket what the command line asks it."""
        return await asyncio.to_thread(self._ask, {"ask": question, **arguments})

    def _ask(self, question: Mapping[str, Any]) -> Any:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.settimeout(PATIENCE)
            asked.connect(str(self.folder / "kept" / "bridge.db.sock"))
            asked.sendall(json.dumps(question).encode() + b"\n")
            return json.loads(asked.makefile("rb").readline())["ok"]

    async def status(self) -> dict[str, Any]:
        """What `bridge status --json` prints."""
        found: dict[str, Any] = await self.ask("status")
        return found

    async def messages(self, status: str | None = None) -> list[dict[str, Any]]:
        """What `bridge messages --json` prints, all of it, oldest first."""
        found: list[dict[str, Any]] = await self.ask("messages", status=status, limit=1_000_000)
        return found[::-1]

    async def message(self, number: int) -> dict[str, Any]:
        """What `bridge messages show --reveal --json` prints."""
        found: dict[str, Any] = await self.ask("message", id=number, reveal=True)
        return found

    async def message_of(self, control_id: str) -> dict[str, Any]:
        """The message with this MSH-10."""
        (row,) = [row for row in await self.messages() if row["control_id"] == control_id]
        return await self.message(row["id"])

    async def became(
        self, control_id: str, *statuses: str, seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """The message with this MSH-10, once its status is one of these."""
        last: dict[str, Any] = {}

        async def look() -> bool:
            nonlocal last
            last = await self.message_of(control_id)
            return last["status"] in statuses

        await until(look, lambda: f"{' or '.join(statuses)}, but {last}", seconds=seconds)
        return last

    async def settled(self, *, seconds: float = PATIENCE) -> dict[str, Any]:
        """The status, once nothing waits any more."""
        last: dict[str, Any] = {}

        async def look() -> bool:
            nonlocal last
            last = await self.status()
            return last["messages"]["waiting"] == 0 and "waiting" not in last["deliveries"]

        await until(look, lambda: f"all settled, but {last}", seconds=seconds)
        return last

    async def healthy(self) -> bool:
        """Whether it answers."""
        return (await self.http.get("/healthz")).status_code == 200

    def log(self) -> list[dict[str, Any]]:
        """The log of all its runs."""
        return [event for run in self.runs for event in run.events()]

    def printed(self) -> str:
        """Everything all its runs wrote, for looking for what must not be there."""
        return "".join(run.output() + run.errors() for run in self.runs)

    def failures(self) -> list[dict[str, Any]]:
        """What in the log tells of a fault of the bridge's own."""
        return [e for e in self.log() if "raw" in e or "frames" in e or "error" in e]


def settings(folder: Path, zauto_url: str, **more: str) -> dict[str, str]:
    """The environment of a bridge on free ports; `zauto__quiet_seconds="1"` adds a setting."""
    chosen = {
        "mllp__port": "0",
        "http__port": "0",
        "store__url": f"sqlite:///{folder}/kept/bridge.db",
        "store__free_bytes": "0",
        "zauto__base_url": zauto_url,
        "zauto__client_id": CLIENT[0],
        "zauto__client_secret": CLIENT[1],
        "zauto__limits": "off",
        "zauto__quiet_seconds": "0.3",
        "zauto__deadline_seconds": str(PATIENCE),
        "fhir__api_key": FHIR_KEY,
        "orders__api_key": ORDERS_KEY,
        **more,
    }
    return {f"BRIDGE_{name.upper()}": value for name, value in chosen.items()}
