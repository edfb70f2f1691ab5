"""Names in every kind of charset, from the bytes on the wire or in a file to ZautoAI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.mllp import END, START, field
from tests.acceptance.processes import Sandbox, until

#: by the sending facility whose channel names it: a charset, Python's codec, and names whose second
#: bytes are delimiters
CHANNELS = {
    "GUANGZHOU": ("GB 18030-2000", "gb18030", "亅乗"),
    "TAIPEI": ("BIG-5", "big5", "功許"),
    "OSAKA": ("ISO IR14", "cp932", "表ソ"),
    "PIRAEUS": ("8859/7", "iso8859-7", "Παπά"),
}


def config(folder: Path, setting: str) -> tuple[str, str]:
    """A settings file with a channel a facility, each with its charset as this setting."""
    file = folder / "bridge.yaml"
    channels = [
        f'  - {{name: {facility}, sending_facility: {facility}, {setting}: "{charset}"}}\n'
        for facility, (charset, _, _) in CHANNELS.items()
    ]
    file.write_text("".join(["channels:\n", *channels, "  - {name: default}\n"]))
    return "--config", str(file)


def registration(control_id: str, number: str, name: str, facility: str, charset: str) -> bytes:
    person = Person(number, family=name, given="Anjali")
    text = adt("A04", control_id, person, Visit(f"V{number}"), facility=facility, charset=charset)
    return text


@pytest.mark.parametrize(
    ("setting", "said"), [("default_charset", ""), ("forced_charset", "UNICODE UTF-8")]
)
async def test_a_channel_knows_the_charset_of_its_messages(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path, setting: str, said: str
) -> None:
    bridge = await launch(sandbox.url, *config(tmp_path, setting))
    sender = connect(bridge)
    for n, (facility, (_, codec, name)) in enumerate(CHANNELS.items(), start=1):
        number = f"7100{n}"
        text = registration(f"C{n}", number, name, facility, said)
        answer = await sender.send(text.decode().encode(codec))
        assert (field(answer, "MSA", 1), field(answer, "MSA", 2)) == ("AA", f"C{n}")
        await bridge.became(f"C{n}", "delivered")
        record = await sandbox.record("patients", number)
        assert record is not None
        assert record["fullName"] == f"Anjali {name}"
    assert bridge.failures() == []


async def test_files_are_read_in_what_frames_may_not_carry(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path
) -> None:
    bridge = await launch(sandbox.url)
    folder = tmp_path / "files"
    folder.mkdir()
    wide = {"utf-16": "Παπά", "utf-16-be": "亅乗", "utf-32": "Анна"}
    for n, (codec, name) in enumerate(wide.items(), start=1):
        text = registration(f"W{n}", f"7200{n}", name, "CITY", "UNICODE UTF-16").decode()
        (folder / f"{n}.hl7").write_bytes(text.encode(codec))
    for n, (codec, name, said) in enumerate(
        [("gb18030", "亅乗", "GB 18030-2000"), ("cp932", "表ソ", "ISO IR14")], start=4
    ):
        text = registration(f"W{n}", f"7200{n}", name, "CITY", said).decode()
        (folder / f"{n}.hl7").write_bytes(text.encode(codec))
    host, port = bridge.mllp
    done = await bridge.command("replay", str(folder), "--mllp", f"{host}:{port}")
    assert (done.returncode, "5 sent: 5 AA" in done.stdout) == (0, True)
    await bridge.settled()
    names = [
        (await sandbox.record("patients", f"7200{n}") or {}).get("fullName") for n in range(1, 6)
    ]
    assert names == [f"Anjali {name}" for name in ("Παπά", "亅乗", "Анна", "亅乗", "表ソ")]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-be"])
async def test_utf_16_and_32_are_refused_in_frames_with_the_reason(
    sandbox: Sandbox, launch: Launch, connect: Connect, codec: str
) -> None:
    bridge = await launch(sandbox.url)
    sender = connect(bridge)
    text = registration("C1", "71001", "Nair", "CITY", "UNICODE UTF-16").decode()
    await sender.raw(START + text.encode(codec) + END)
    assert await sender.closed() == b""
    await until(lambda: _in_quarantine(bridge), "put aside")
    (row, *_) = await bridge.ask("quarantine", limit=9)
    assert row["reason"].startswith("This is UTF-16 or UTF-32, whose bytes can be VT and FS")
    shown = await bridge.command("messages", "quarantine")
    assert "send UTF-8" in " ".join(shown.stdout.split())


async def _in_quarantine(bridge) -> bool:
    return bool(await bridge.ask("quarantine", limit=9))


@pytest.mark.parametrize(("accept", "code"), [("", "AE"), ("AL", "CE")])
async def test_bytes_that_are_not_of_the_charset_are_told_by_their_place(
    sandbox: Sandbox, launch: Launch, connect: Connect, accept: str, code: str
) -> None:
    bridge = await launch(sandbox.url)
    sender = connect(bridge)
    body = adt("A04", "C1", Person("71001", family="N?ir"), None, accept=accept)
    wrong = body.replace(b"?", b"\xff")
    answer = await sender.send(wrong)
    assert field(answer, "MSA", 1) == code
    assert field(answer, "ERR", 2) == "MSH^1^18"
    assert field(answer, "ERR", 3).startswith("102^")
    assert f"offset {wrong.index(0xFF)}" in field(answer, "ERR", 8)
    kept = await bridge.message_of("C1")
    assert (kept["status"], kept["answer"]) == ("rejected", code)
