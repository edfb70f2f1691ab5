"""The whole service in this process: started, stopped, and started again."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.errors import DoorError, StoreUnusable
from bridge.hl7v2.framing import wrap
from bridge.message import Status
from bridge.pipeline.delivery.probe import Probe
from bridge.service.background import BackgroundWork
from bridge.service.control import ControlSocket, ask, socket_path
from bridge.service.doors import Doors
from bridge.service.parts import CheckedParts, read_parts
from bridge.service.pipeline import Pipeline
from bridge.service.service import DELIVERY_GRACE, DOOR_GRACE, Service
from bridge.settings import Settings, load
from bridge.store.sqlite.store import SqliteStore
from tests.patience import PATIENCE
from tests.unit.pipeline.hl7 import adt

PARTS: CheckedParts = read_parts(Settings())
#: nobody listens there
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    def made(**environment: str) -> Settings:
        usual = {
            "BRIDGE_MLLP__PORT": "0",
            "BRIDGE_HTTP__PORT": "0",
            "BRIDGE_STORE__URL": f"sqlite:///{tmp_path}/bridge.db",
            "BRIDGE_STORE__FREE_BYTES": "0",
        }
        return load(None, usual | environment)

    return made


@pytest.fixture
async def service(settings: Callable[..., Settings]) -> AsyncIterator[Service]:
    made = Service(settings(), PARTS)
    yield made
    await made.stop()


async def asked(service: Service, question: dict[str, Any]) -> Any:
    path = socket_path(Path(service.settings.store.url.removeprefix("sqlite:///")))
    return await asyncio.to_thread(ask, path, question)


async def sent(address: tuple[str, int], body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(wrap(body))
    answer = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), PATIENCE)
    writer.close()
    return answer


async def page(address: tuple[str, int], path: str) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    return answer


async def test_it_takes_a_message_and_answers_for_it(service: Service) -> None:
    addresses = await service.start()
    assert b"MSA|AA|C1" in await sent(addresses.mllp, adt())
    report = await asked(service, {"ask": "status"})
    assert sum(report["messages"].values()) == 1
    assert (await page(addresses.http, "/readyz")).startswith(b"HTTP/1.1 200")
    assert b"bridge_messages_received_total" in await page(addresses.http, "/metrics")


async def test_a_full_disk_is_not_ready(settings: Callable[..., Settings]) -> None:
    service = Service(settings(BRIDGE_STORE__FREE_BYTES=str(2**62)), PARTS)
    addresses = await service.start()
    ready = await page(addresses.http, "/readyz")
    assert ready.startswith(b"HTTP/1.1 503")
    assert b"less free than store.free_bytes" in ready
    notices = (await asked(service, {"ask": "status"}))["notices"]
    assert notices[0].startswith("nothing is acknowledged")
    await service.stop()


async def test_a_store_that_cannot_be_written_is_not_ready_until_it_can_be(
    service: Service, tmp_path: Path
) -> None:
    addresses = await service.start()
    with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await sent(addresses.mllp, adt())
        ready = await page(addresses.http, "/readyz")
        assert ready.startswith(b"HTTP/1.1 503")
        assert b"the store cannot be written" in ready
        report = await asked(service, {"ask": "status"})
        assert report["notices"][0].startswith("nothing is acknowledged: the store cannot be")
        assert report["acknowledging"] is False
        other.execute("ROLLBACK")
    # Nobody sends anything more: the bridge finds out by itself.
    await Probe(service.store, service._clock).once()
    assert (await page(addresses.http, "/readyz")).startswith(b"HTTP/1.1 200")
    report = await asked(service, {"ask": "status"})
    assert not any("acknowledged" in each for each in report["notices"])
    assert report["acknowledging"] is True


async def test_what_was_acknowledged_is_there_after_a_stop(
    service: Service, settings: Callable[..., Settings]
) -> None:
    addresses = await service.start()
    await sent(addresses.mllp, adt())
    await service.stop()
    again = Service(settings(), PARTS)
    await again.start()
    kept = again.store.read(lambda view: view.message(1))
    assert kept is not None
    assert kept.message.body == adt()
    await again.stop()


async def test_a_second_service_on_one_store_is_refused_and_leaves_the_first_alone(
    service: Service, settings: Callable[..., Settings]
) -> None:
    await service.start()
    second = Service(settings(), PARTS)
    with pytest.raises(StoreUnusable, match="held by this process"):
        await second.start()
    await second.stop()
    assert (await asked(service, {"ask": "status"}))["running"]


@pytest.mark.parametrize("door", ["MLLP", "HTTP"])
async def test_a_door_that_is_taken_is_told_and_all_else_closed(
    settings: Callable[..., Settings], door: str
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        service = Service(settings(**{f"BRIDGE_{door}__PORT": port}), PARTS)
        with pytest.raises(DoorError, match=f"choose another {door.lower()}.host"):
            await service.start()
        await service.stop()
    after = Service(settings(), PARTS)
    await after.start()
    await after.stop()


async def test_what_was_never_started_may_be_stopped(service: Service) -> None:
    await service.stop()


@pytest.mark.parametrize("connected", [{}, {"BRIDGE_HOSPITAL__PORT": "9"}])
async def test_a_pause_holds_over_a_restart(
    settings: Callable[..., Settings], connected: dict[str, str]
) -> None:
    first = Service(settings(**connected), PARTS)
    await first.start()
    assert (await asked(first, {"ask": "pause", "paused": True}))["paused"] is True
    await first.stop()
    second = Service(settings(**connected), PARTS)
    await second.start()
    assert (await asked(second, {"ask": "status"}))["paused"] is True
    assert all(deliver.paused for deliver in second.pipeline.destinations.delivers.values())
    assert (await asked(second, {"ask": "pause", "paused": False}))["paused"] is False
    await second.stop()


async def test_what_is_not_connected_is_told(service: Service) -> None:
    await service.start()
    told = (await asked(service, {"ask": "status"}))["notices"]
    assert ["ZautoAI is not set up" in told[0], "no hospital is set up" in told[1]] == [True, True]


async def test_what_is_connected_has_a_budget_and_no_notice(
    settings: Callable[..., Settings],
) -> None:
    service = Service(
        settings(
            BRIDGE_ZAUTO__BASE_URL=NOWHERE,
            BRIDGE_ZAUTO__CLIENT_ID="id",
            BRIDGE_ZAUTO__CLIENT_SECRET="secret",
            BRIDGE_HOSPITAL__PORT="9",
        ),
        PARTS,
    )
    await service.start()
    report = await asked(service, {"ask": "status"})
    assert report["notices"] == []
    assert (report["budget"]["used"], report["budget"]["limit"]) == (0, 1000)
    await service.stop()


async def test_work_that_died_is_told_everywhere(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die() -> int:
        raise ZeroDivisionError

    addresses = await service.start()
    monkeypatch.setattr(service.pipeline.work, "once", die)
    with capture_logs() as logged:
        await sent(addresses.mllp, adt())
        await asyncio.wait(service.background._tasks[:1], timeout=PATIENCE)
    assert [line["event"] for line in logged] == ["work has stopped"]
    ready = await page(addresses.http, "/readyz")
    assert ready.startswith(b"HTTP/1.1 503")
    assert b"translation has stopped" in ready
    assert "translation has stopped" in (await asked(service, {"ask": "status"}))["notices"][0]


async def test_translated_work_waits_while_nothing_is_connected(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = await service.start()
    planned = asyncio.Event()
    monkeypatch.setattr(service.pipeline.work, "_planned", planned.set)
    await sent(addresses.mllp, adt())
    await asyncio.wait_for(planned.wait(), PATIENCE)
    assert len(service.store.read(lambda view: view.deliveries_of(1))) == 3
    kept = service.store.read(lambda view: view.message(1))
    assert kept is not None
    assert kept.status is Status.WAITING


def test_a_stop_ends_within_ten_seconds() -> None:
    http_grace = 5
    assert http_grace + DOOR_GRACE + DELIVERY_GRACE < 10


async def test_it_stops_from_the_doors_to_the_store(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def note(owner: Any, method: str) -> None:
        end = getattr(owner, method)

        async def noted(*arguments: Any) -> None:
            await end(*arguments)
            ended.append(f"{owner.__name__}.{method}")

        monkeypatch.setattr(owner, method, noted)

    for stopping in (BackgroundWork, ControlSocket, Doors, Pipeline):
        note(stopping, "stop")
    for closed in (Pipeline, SqliteStore):
        note(closed, "close")
    await service.start()
    await service.stop()
    assert ended == [
        "Doors.stop",
        "ControlSocket.stop",
        "BackgroundWork.stop",
        "Pipeline.stop",
        "Pipeline.close",
        "SqliteStore.close",
    ]
