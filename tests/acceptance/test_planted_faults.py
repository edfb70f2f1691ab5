"""A fault while people's data is at hand: the log shows where it is, and nothing of the person.

The fault is planted in a process of its own, as `bridge run`, `bridge sandbox` and `bridge replay`
are started: its message and the local variables of its frame hold a patient's name.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, adt
from tests.acceptance.mllp import HungUp, Sender
from tests.acceptance.processes import (
    CLIENT,
    FHIR_KEY,
    ROOT,
    Bridge,
    Process,
    Sandbox,
    settings,
    until,
)

Send = Callable[[Bridge, Sender], Awaitable[None]]

PERSON = Person("7319462", family="Zephyrinthala", given="Quillomena", phone="+919812345607")
PATIENT = {
    "resourceType": "Patient",
    "id": PERSON.number,
    "name": [{"text": "Quillomena Zephyrinthala"}],
}
TELLING = ("Zephyrinthala", "Quillomena", "9812345607", "7319462")
#: read by Python before anything else of a process
PLANT = """
import importlib, os

def fault(*arguments, **_):
    patient = {"fullName": "Quillomena Zephyrinthala", "phone": "+919812345607"}
    raise RuntimeError(f"no record of {patient}, 7319462: {arguments}")

module, _, place = os.environ["PLANTED"].partition(":")
holder, inner = importlib.import_module(module), place.split(".")
for name in inner[:-1]:
    holder = getattr(holder, name)
setattr(holder, inner[-1], fault)
"""


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A folder whose `sitecustomize` plants a fault where PLANTED says."""
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PLANT)
    return folder


def planted(plant: Path, place: str) -> dict[str, str]:
    return {"PYTHONPATH": f"{plant}:{ROOT}", "PLANTED": place}


def telling(text: str) -> list[str]:
    return [word for word in TELLING if word in text]


def faulty(process: Process) -> bool:
    """Whether the fault is in its log, by its type."""
    return any(event.get("error", "").startswith("RuntimeError") for event in process.events())


async def by_mllp(bridge: Bridge, sender: Sender) -> None:
    try:
        await sender.send(adt("A04", "P1", PERSON, None))
    except HungUp:
        sender.hang_up()


async def by_fhir(bridge: Bridge, sender: Sender) -> None:
    headers = {"X-API-Key": FHIR_KEY, "Content-Type": "application/fhir+json"}
    await bridge.http.put("/fhir/Patient/7319462", json=PATIENT, headers=headers)


@pytest.mark.parametrize(
    ("place", "send"),
    [
        ("bridge.listeners.connection:Connection.dataReceived", by_mllp),
        ("bridge.pipeline.intake.keep:Intake.take_hl7", by_mllp),
        ("bridge.pipeline.planning.work:translate", by_mllp),
        ("bridge.senders.zauto:ZautoSender.send", by_mllp),
        ("bridge.listeners.fhir:FhirListener._take", by_fhir),
        ("bridge.pipeline.intake.keep:Intake.take_fhir", by_fhir),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
async def test_a_fault_of_the_service(
    sandbox: Sandbox, tmp_path: Path, connect: Connect, plant: Path, place: str, send: Send
) -> None:
    bridge = Bridge(tmp_path, settings(tmp_path, sandbox.url) | planted(plant, place), [])
    try:
        await bridge.start()
        await send(bridge, connect(bridge))
        await until(lambda: faulty(bridge.process), lambda: f"logged: {bridge.process.errors()}")
        await bridge.stop()
    finally:
        bridge.end()
        await bridge.http.aclose()
    assert telling(bridge.printed()) == []
    assert [event for event in bridge.log() if "raw" in event] == []


async def test_a_fault_of_the_sandbox(tmp_path: Path, plant: Path) -> None:
    words = ["sandbox", "--port", "0", "--no-limits", "--client", ":".join(CLIENT)]
    place = planted(plant, "bridge.sandbox.collection:Collection.read")
    process = Process(tmp_path, words, place)
    try:
        sandbox = Sandbox(process, (await process.printed(r"(http://\S+)"))[1])
        await sandbox.sign_in()
        answer = await sandbox.http.get("/zauto-api/patients/7319462")
        await until(lambda: faulty(process), lambda: f"logged: {process.errors()}")
        await sandbox.http.aclose()
    finally:
        process.kill()
    assert answer.status_code == 500
    assert telling(answer.text + process.output() + process.errors()) == []


async def test_a_fault_while_replaying(
    sandbox: Sandbox, launch: Launch, tmp_path: Path, plant: Path
) -> None:
    bridge = await launch(sandbox.url)
    file = tmp_path / "one.hl7"
    file.write_bytes(adt("A04", "P1", PERSON, None))
    words = ["replay", str(file), "--mllp", f"{bridge.mllp[0]}:{bridge.mllp[1]}"]
    process = Process(
        tmp_path, words, planted(plant, "bridge.senders.connection:MllpConnection.dataReceived")
    )
    assert await process.end() == 1
    assert faulty(process)
    assert telling(process.output() + process.errors()) == []


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["translate", "one.hl7"], "bridge.pipeline.planning.translate:translate"),
        (["translate", "one.hl7", "--explain"], "bridge.pipeline.planning.translate:apply"),
        (["coverage", "one.hl7"], "bridge.study.coverage.measure:Survey.add"),
        (
            ["whatif", "--mappings", "changed", "one.hl7"],
            "bridge.study.whatif.sides:Sides.__init__",
        ),
        (["fixture", "--file", "one.hl7", "--to", "out"], "bridge.study.fixtures:scrub"),
        (["check"], "bridge.study.trial:translate"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else each,
)
async def test_a_fault_of_a_command_that_reads_messages(
    tmp_path: Path, plant: Path, words: list[str], place: str
) -> None:
    (tmp_path / "one.hl7").write_bytes(adt("A04", "P1", PERSON, None))
    (tmp_path / "changed").mkdir()
    process = Process(tmp_path, words, planted(plant, place))
    code = await process.end()
    shown = process.output() + process.errors()
    assert telling(shown) == []
    assert code == 1, shown
    assert faulty(process)
    last = process.errors().splitlines()[-1]
    assert last.startswith("bridge: a fault inside the bridge"), last
    assert [json.loads(line)["event"] for line in process.errors().splitlines()[:-1]]
