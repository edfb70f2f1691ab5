"""The sandbox behind a real socket: life cycle, journal, reset, push."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.errors import DoorError
from bridge.sandbox.accounts import Accounts, ClientCredentials
from bridge.sandbox.database import Database
from bridge.sandbox.parts import Options
from bridge.sandbox.push import Partner, Signature
from bridge.sandbox.serve import TEST_CLIENT, Placement, running, serve
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import load
from tests.patience import PATIENCE

CATALOGUE = load(mappings_folder() / "zauto")
PROVIDER = {"id": "d1", "fullName": "Dr. Farah Khan"}


def calling(url: str, **more: Any) -> httpx.AsyncClient:
    """A client of the sandbox at this address."""
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False, **more)


@asynccontextmanager
async def logged_in(
    url: str, client: ClientCredentials = TEST_CLIENT
) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(url) as api:
        asked = {"grant_type": "client_credentials"}
        asked |= {"client_id": client.client_id, "client_secret": client.client_secret}
        answer = await api.post("/api/auth/oAuth/token", json=asked)
        api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield api


@dataclass
class FakePartner:
    """An HTTP server for one order a connection."""

    answer: bytes = b'HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\n{"id":7}'
    asked: list[bytes] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self.asked.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def partner() -> AsyncIterator[tuple[FakePartner, str]]:
    fake = FakePartner()
    server = await asyncio.start_server(fake.talk, "127.0.0.1", 0)
    yield fake, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_a_restart_keeps_records_clients_tokens_and_journal(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    async with (
        running(CATALOGUE, file=file, client=TEST_CLIENT) as sandbox,
        logged_in(sandbox.url) as api,
    ):
        token = api.headers["Authorization"]
        await api.post("/zauto-api/providers", json=PROVIDER)
        await api.delete("/zauto-api/providers/test-provider-001")
    async with (
        running(CATALOGUE, file=file) as sandbox,
        httpx.AsyncClient(
            timeout=PATIENCE, base_url=sandbox.url, headers={"Authorization": token}
        ) as api,
    ):
        assert sandbox.client is None
        assert (await api.get("/zauto-api/providers/d1")).status_code == 200
        assert (await api.get("/sandbox/journal")).json()["last"] == 4
        again = await api.get("/zauto-api/providers/test-provider-001")
        assert again.status_code == 200, "the test records are there at every start"


async def test_a_first_start_makes_a_client_and_tells_its_secret_once(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    async with running(CATALOGUE, file=file) as sandbox:
        made = sandbox.client
        assert made is not None
        async with logged_in(sandbox.url, made) as api:
            assert (await api.get("/zauto-api/patients")).status_code == 200
    async with running(CATALOGUE, file=file) as sandbox:
        assert sandbox.client is None
        assert Accounts(sandbox.state).knows(made)


async def test_a_port_that_is_taken_is_named() -> None:
    async with running(CATALOGUE) as first:
        with pytest.raises(DoorError, match=f"127.0.0.1:{first.port} cannot be listened on"):
            async with running(CATALOGUE, port=first.port):
                pass


async def test_a_file_another_sandbox_holds_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    async with running(CATALOGUE, file=file):
        with pytest.raises(DoorError, match="stop the sandbox that holds it"):
            Database(file, wait_seconds=0)


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    state = Database(file)
    state.db.execute("PRAGMA user_version=99")
    state.close()
    with pytest.raises(DoorError, match="version 99"):
        Database(file)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, only some notes of a person" * 30)
    with pytest.raises(DoorError, match=r"notes\.txt"):
        Database(file)


async def test_the_journal_holds_every_request_in_order_and_never_a_token() -> None:
    async with (
        running(CATALOGUE, client=TEST_CLIENT, options=Options()) as sandbox,
        logged_in(sandbox.url) as api,
    ):
        await api.post("/zauto-api/providers", json=PROVIDER)
        await api.post("/zauto-api/providers", json=PROVIDER)
        await api.put("/zauto-api/providers/d1", json={"email": "f@example.org"})
        await api.get("/zauto-api/nowhere", headers={"Authorization": "Bearer wrong"})
        body = (await api.get("/sandbox/journal?after=1")).json()
    told = [
        (e["sequence"], e["client"], e["method"], e["status"], e["external_id"], e["created"])
        for e in body["entries"]
    ]
    me = TEST_CLIENT.client_id
    assert told == [
        (2, me, "POST", 201, "d1", True),
        (3, me, "POST", 409, "d1", False),
        (4, me, "PUT", 200, "d1", False),
        (5, "", "GET", 404, "", False),
    ]
    assert {e["resource"] for e in body["entries"][:3]} == {"providers"}
    assert body["entries"][2]["path"] == "/zauto-api/providers/d1"
    assert body["last"] == 5


async def test_a_journal_position_must_be_a_number() -> None:
    async with (
        running(CATALOGUE) as sandbox,
        calling(sandbox.url) as api,
    ):
        assert (await api.get("/sandbox/journal?after=x")).status_code == 400


async def test_a_reset_brings_the_test_records_back_and_keeps_the_journal() -> None:
    async with (
        running(CATALOGUE, client=TEST_CLIENT) as sandbox,
        logged_in(sandbox.url) as api,
    ):
        await api.post("/zauto-api/providers", json=PROVIDER)
        await api.put("/zauto-api/patients/test-patient-001", json={"fullName": "Changed"})
        assert (await api.post("/sandbox/reset")).status_code == 200
        listed = (await api.get("/zauto-api/providers")).json()["data"]
        assert [record["externalId"] for record in listed] == ["test-provider-001"]
        patient = (await api.get("/zauto-api/patients/test-patient-001")).json()["data"]
        assert patient["fullName"] == "Test Patient"
        entries = (await api.get("/sandbox/journal")).json()["entries"]
        assert [e["path"] for e in entries][3] == "/sandbox/reset"


async def test_health_needs_no_token() -> None:
    async with (
        running(CATALOGUE) as sandbox,
        calling(sandbox.url) as api,
    ):
        assert (await api.get("/sandbox/health")).json() == {"status": "up"}


@pytest.mark.parametrize("kind", ["prescriptions", "services"])
async def test_an_order_is_pushed_with_the_key_and_the_partners_answer_told(
    partner: tuple[FakePartner, str], kind: str
) -> None:
    fake, url = partner
    order = b'{"externalVisitId": "v1", "Medications": []}'
    async with (
        running(CATALOGUE, options=Options(partner=Partner(url, Signature("s3cret")))) as sandbox,
        calling(sandbox.url) as api,
    ):
        headers = {"Idempotency-Key": "k1"}
        answer = await api.post(f"/sandbox/push/{kind}", content=order, headers=headers)
    (asked,) = fake.asked
    head, _, body = asked.partition(b"\r\n\r\n")
    assert head.startswith(f"POST /orders/{kind} HTTP/1.1".encode())
    assert b"x-api-key: s3cret" in head.lower()
    assert b"idempotency-key: k1" in head.lower()
    assert body == order
    assert (answer.status_code, answer.content) == (202, b'{"id":7}')


async def test_a_partner_that_does_not_answer_is_told(partner: tuple[FakePartner, str]) -> None:
    fake, url = partner
    fake.answer = b""
    async with (
        running(CATALOGUE, options=Options(partner=Partner(url))) as sandbox,
        calling(sandbox.url) as api,
    ):
        answer = await api.post("/sandbox/push/services", content=b"{}")
        unknown = await api.post("/sandbox/push/meals", content=b"{}")
    assert answer.status_code == 502
    assert "did not answer" in answer.json()["message"]
    assert unknown.status_code == 404


async def test_without_a_partner_a_push_says_what_to_do() -> None:
    async with (
        running(CATALOGUE) as sandbox,
        calling(sandbox.url) as api,
    ):
        answer = await api.post("/sandbox/push/services", content=b"{}")
    assert answer.status_code == 409
    assert "--push-to" in answer.json()["message"]


async def test_an_order_arrives_once_the_partner_is_up_again(
    partner: tuple[FakePartner, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.sandbox.outbox.BACKOFF", (0.0,))
    fake, url = partner
    fake.answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    async with (
        running(CATALOGUE, options=Options(partner=Partner(url))) as sandbox,
        calling(sandbox.url) as api,
    ):
        answer = await api.post("/sandbox/push/services", content=b"{}")
        assert answer.status_code == 503
        fake.answer = FakePartner().answer
        while (pushes := (await api.get("/sandbox/pushes")).json()["pushes"]) and (
            pushes[0]["progress"] == "waiting"
        ):
            pass
    assert (pushes[0]["progress"], pushes[0]["status"]) == ("delivered", 202)
    assert pushes[0]["attempts"] == len(fake.asked) >= 2


def test_killing_it_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    with (
        started(SERVE_FILE, str(file)) as (process, url),
        httpx.Client(timeout=PATIENCE, base_url=url) as api,
    ):
        asked = {"grant_type": "client_credentials"}
        asked |= {"client_id": TEST_CLIENT.client_id, "client_secret": TEST_CLIENT.client_secret}
        token = api.post("/api/auth/oAuth/token", json=asked).json()["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"
        for number in range(20):
            made = api.post("/zauto-api/providers", json={**PROVIDER, "id": f"d{number}"})
            assert made.status_code == 201
        process.kill()
        process.wait()
    state = Database(file)
    assert all(state.records.find("providers", f"d{number}") for number in range(20))
    state.close()


async def test_a_cancelled_sandbox_lets_go_of_its_port() -> None:
    told: asyncio.Queue[int] = asyncio.Queue()
    serving = asyncio.create_task(
        serve(
            CATALOGUE, Placement(port=0), None, Options(), lambda made: told.put_nowait(made.port)
        )
    )
    port = await told.get()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)


SERVE = """
import asyncio
from bridge.sandbox.parts import Options
from bridge.sandbox.serve import Placement, serve
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import load
catalogue = load(mappings_folder() / "zauto")
place = Placement(port=0)
asyncio.run(serve(catalogue, place, None, Options(), lambda s: print(s.url, flush=True)))
"""
SERVE_FILE = (
    SERVE.replace("port=0", "port=0, file=FILE")
    .replace("None", "CLIENT")
    .replace(
        "catalogue =",
        "import pathlib, sys; from bridge.sandbox.serve import TEST_CLIENT as CLIENT\n"
        "FILE = pathlib.Path(sys.argv[1])\n"
        "catalogue =",
    )
)


@contextmanager
def started(program: str, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A sandbox in a process of its own, and its address."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().decode().strip()


def test_sigterm_ends_the_process_cleanly_while_a_client_is_connected() -> None:
    with (
        started(SERVE) as (process, url),
        httpx.Client(timeout=PATIENCE, base_url=url, trust_env=False) as api,
    ):
        assert api.get("/zauto-api/patients/MRN-1").status_code == 401
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, b"", b"")
