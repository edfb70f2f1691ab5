"""Every master file event of the samples, from the wire to what ZautoAI holds in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.mllp import Sender, field
from tests.acceptance.processes import Bridge, Sandbox, settings

SAMPLES = Path(__file__).parents[2] / "samples/hl7v2"
#: what is to be there by resource and id; None must not be
Records = Mapping[tuple[str, str], Mapping[str, str] | None]


class End(NamedTuple):
    """How a sample ends."""

    status: str
    records: Records


ENDS = {
    "mfn-m02/01-new-doctor": End(
        "delivered", {("providers", "D104"): {"fullName": "Dr. Ritu Saxena"}}
    ),
    "mfn-m02/02-doctors-and-specialities": End(
        "delivered",
        {
            ("providers", "D105"): {"fullName": "Dr. Joan Fernandes"},
            ("providers", "D104"): {
                "fullName": "Dr. Ritu Saxena",
                "email": "ritu.saxena@example.in",
            },
            ("providers", "D101"): None,
            ("specialities", "CAR"): {"name": "Cardiology"},
            ("specialities", "Sports Medicine"): {"name": "Sports Medicine"},
        },
    ),
    "mfn-m02/03-one-bad-entry-among-good-ones": End(
        "parked",
        {("providers", "D116"): {"fullName": "Dr. Saju George"}, ("providers", "D117"): None},
    ),
    "mfn-m04/01-charge-master": End(
        "delivered",
        {
            ("services", "XR-CHEST"): {
                "name": "X-ray chest PA",
                "description": "X-ray of the chest, posterior to anterior",
            },
            ("services", "ECG"): {"name": "ECG", "description": "ECG"},
            # which the message deletes: it was there before
            ("services", "OZONE"): {"name": "Ozone bath", "description": "Ozone"},
        },
    ),
    "mfn-m05/01-places": End(
        "delivered",
        {
            ("facilities", "SGH-OPD2"): {"name": "Outpatients, second floor"},
            ("facilities", "SGH-W4-12-B"): None,
        },
    ),
    "mfn-m06/01-clinical-study": End("suppressed", {}),
    "mfn-m08/01-numeric-test": End(
        "delivered",
        {
            ("services", "NA"): {"name": "Serum sodium", "description": "Sodium in serum"},
            ("services", "MCV"): None,
        },
    ),
    "mfn-m09/01-test-in-words": End(
        "delivered", {("services", "UCLAR"): {"name": "Urine clarity"}}
    ),
    "mfn-m10/01-battery": End(
        "delivered", {("services", "SRV-CBC"): {"name": "Complete blood count"}}
    ),
    "mfn-m11/01-calculated": End("delivered", {("services", "AGAP"): {"name": "Anion gap"}}),
    "mfn-m12/01-attributes": End("delivered", {("services", "BLCX"): {"name": "Blood culture"}}),
    "mfn-m15/01-medicines": End(
        "delivered",
        {
            ("medicines", "MED-001"): {"name": "Paracetamol 500 mg"},
            ("medicines", "MED-002"): {"name": "Amlodipine 5 mg"},
            # which the whole file (REP) does not name: it was there before
            ("medicines", "MED-OLD"): {"name": "Old tonic"},
        },
    ),
}
BEFORE = (
    ("services", {"id": "OZONE", "name": "Ozone bath", "description": "Ozone"}),
    ("medicines", {"id": "MED-OLD", "name": "Old tonic"}),
)


class Scene(NamedTuple):
    """A bridge that all samples go to, one after another."""

    bridge: Bridge
    sandbox: Sandbox
    sender: Sender


@pytest.fixture(scope="module")
async def scene(
    one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """A bridge before a sandbox in which some records stand already."""
    await one_sandbox.reset()
    for resource, record in BEFORE:
        await one_sandbox.post(resource, record)
    folder = tmp_path_factory.mktemp("master")
    async with AsyncExitStack() as ending:
        bridge = Bridge(folder, settings(folder, one_sandbox.url), [])
        ending.callback(bridge.end)
        ending.push_async_callback(bridge.http.aclose)
        await bridge.start()
        sender = await ending.enter_async_context(Sender(lambda: bridge.mllp))
        yield Scene(bridge, one_sandbox, sender)
        assert bridge.failures() == []


@pytest.mark.parametrize("name", sorted(ENDS))
async def test_a_master_file_ends_as_records(scene: Scene, name: str) -> None:
    body = (SAMPLES / f"{name}.hl7").read_bytes()
    answer = await scene.sender.send(body)
    assert (field(answer, "MSH", 9)[:3], field(answer, "MSA", 1)) == ("MFK", "AA")
    entries = body.count(b"\rMFE|")
    assert answer.count(b"\rMFA|") == entries
    assert answer.count(b"|S|") == entries
    await scene.bridge.became(field(body, "MSH", 10), ENDS[name].status)
    for (resource, number), wanted in ENDS[name].records.items():
        record = await scene.sandbox.record(resource, number)
        assert (record is None) is (wanted is None), f"{resource}/{number}"
        assert record is None or wanted is None or record.items() >= wanted.items()


def test_every_sample_of_a_master_file_is_told_of_here() -> None:
    files = SAMPLES.glob("mfn-*/*.hl7")
    assert {f"{file.parent.name}/{file.stem}" for file in files} == set(ENDS)


async def test_what_is_left_alone_is_told_to_the_operator(scene: Scene) -> None:
    body = (SAMPLES / "mfn-m04/01-charge-master.hl7").read_bytes()
    changed = body.replace(b"SGH0000713", b"SGH0009713").replace(b"||ECG\r", b"||ECG at rest\r")
    await scene.sender.send(changed)
    message = await scene.bridge.became("SGH0009713", "delivered")
    (remark,) = (each for each in message["remarks"] if each["path"] == "services #2")
    assert remark["text"].startswith("not called: MFE-1 is none of MAC, MAD, MUP")
    assert "ZautoAI has no mark for a service" in remark["text"]


async def test_a_name_that_comes_later_frees_a_parked_entry(scene: Scene) -> None:
    body = (SAMPLES / "mfn-m02/03-one-bad-entry-among-good-ones.hl7").read_bytes()
    mended = body.replace(b"SGH0000712", b"SGH0009712").replace(b"|D117\r", b"|D117||Rego^Ann\r")
    assert mended != body
    await scene.sender.send(mended)
    await scene.bridge.became("SGH0009712", "delivered")
    record = await scene.sandbox.record("providers", "D117")
    assert record is not None
    assert record["fullName"] == "Ann Rego"
