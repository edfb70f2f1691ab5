"""Certificates of a running bridge, renewed without a restart."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path
from typing import Any

from bridge.settings import Tls
from tests.acceptance.conftest import Launch
from tests.acceptance.hl7 import Person, adt
from tests.acceptance.mllp import END, START, field
from tests.acceptance.processes import Bridge, Sandbox, until
from tests.doors.certificates import Authority
from tests.patience import PATIENCE


class Caller:
    """A sender over TLS, and the certificate he was shown."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        shown: Any = writer.get_extra_info("ssl_object")
        self.certificate: bytes = shown.getpeercert(binary_form=True)

    @classmethod
    async def connected(cls, bridge: Bridge, context: ssl.SSLContext) -> Caller:
        return cls(*await asyncio.open_connection(*bridge.mllp, ssl=context))

    async def send(self, control_id: str) -> str:
        """MSA-1 of what answers a registration."""
        self._writer.write(START + adt("A04", control_id, Person("71001"), None) + END)
        block = await asyncio.wait_for(self._reader.readuntil(END), PATIENCE)
        return field(block, "MSA", 1)

    def hang_up(self) -> None:
        self._writer.transport.abort()


def chosen(tls: Tls) -> dict[str, str]:
    """The settings that name its files."""
    return {"mllp__tls__certificate": str(tls.certificate), "mllp__tls__key": str(tls.key)}


async def test_on_sighup_who_connects_next_is_shown_the_new_one_and_who_is_there_stays(
    sandbox: Sandbox, launch: Launch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    bridge = await launch(sandbox.url, **chosen(authority.listener()))
    before = await Caller.connected(bridge, authority.sender())
    assert await before.send("C1") == "AA"
    authority.listener()
    bridge.process.signal(signal.SIGHUP)
    await until(lambda: _logged(bridge, "certificates reloaded"), "reloaded")
    after = await Caller.connected(bridge, authority.sender())
    assert after.certificate != before.certificate
    assert [await each.send(f"D{n}") for n, each in enumerate((before, after))] == ["AA", "AA"]
    for each in (before, after):
        each.hang_up()


async def test_on_sighup_wrong_files_are_told_and_the_old_one_stays(
    sandbox: Sandbox, launch: Launch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    tls = authority.listener()
    bridge = await launch(sandbox.url, **chosen(tls))
    before = await Caller.connected(bridge, authority.sender())
    tls.certificate.write_text("half a file")
    bridge.process.signal(signal.SIGHUP)
    await until(lambda: _logged(bridge, "certificates not reloaded"), "told")
    after = await Caller.connected(bridge, authority.sender())
    assert after.certificate == before.certificate
    assert await after.send("C1") == "AA"
    for each in (before, after):
        each.hang_up()


def _logged(bridge: Bridge, event: str) -> bool:
    return any(str(line.get("event", "")).startswith(event) for line in bridge.log())
