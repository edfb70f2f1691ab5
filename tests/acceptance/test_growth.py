"""A new resource and a new message type are four YAML files and nothing else.

A made-up ZautoAI resource, allergies, is made of the AL1 segments of ADT^Z60. The files are
checked, a message is translated, the sandbox serves the resource, the bridge delivers to it, and
the reference of the API describes it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.zauto import catalogue
from bridge.zauto.reference import reference
from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, adt
from tests.acceptance.mllp import field
from tests.acceptance.processes import CLIENT, ROOT, Process, Sandbox

FILES = {
    "zauto/allergies.yaml": """
        name: allergies
        path: /zauto-api/allergies
        title: Allergy
        fields:
          id: {required: true}
          patientId: {required: true, refers_to: patients}
          substance: {required: true, about: what the patient does not bear}
          severity: {enum: [MILD, MODERATE, SEVERE]}
          reaction: {}
        shown: [create, read, update]
        search: [substance]
        """,
    "hl7v2/allergies.yaml": """
        about: Allergies of a patient; each is a record of its own.
        messages: [ADT^Z60]
        calls:
          - {create: patients, use: patient_from_pid, required: true}
          - {upsert: allergies, use: allergy_from_al1, each: AL1}
        """,
    "parts/allergy_from_al1.yaml": """
        source: hl7v2
        resource: allergies
        id: {from: [PID-3.1, AL1-3.1], join: "-"}
        requires: [substance]
        fields:
          patientId: {id_of: patients}
          substance: {from: [AL1-3.2, AL1-3.1]}
          severity: {from: AL1-4.1, codes: allergy_severity}
          reaction: {from: AL1-5}
        """,
    "codes/allergy_severity.yaml": """
        about: HL7 table 0128
        rows: {MI: MILD, MO: MODERATE, SV: SEVERE}
        """,
}
ALLERGIES = (
    adt("Z60", "G1", Person("61001"), None)
    + b"AL1|1|DA|PCN^Penicillin|SV|Hives\rAL1|2|FA|NUT^Peanuts|MO\rAL1|3|FA\r"
)


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    """The shipped folder with the four files in it."""
    folder = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", folder)
    for name, text in FILES.items():
        lines = [line[8:] for line in text.splitlines()[1:]]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
async def grown(tmp_path: Path, mappings: Path) -> AsyncIterator[Sandbox]:
    """A sandbox of the grown API."""
    arguments = ["sandbox", "--port", "0", "--no-limits", "--mappings", str(mappings)]
    process = Process(tmp_path, [*arguments, "--client", ":".join(CLIENT)], {})
    try:
        sandbox = Sandbox(process, (await process.printed(r"(http://\S+)"))[1])
        await sandbox.sign_in()
        yield sandbox
        await sandbox.http.aclose()
    finally:
        process.kill()


async def test_a_resource_and_a_message_type_grow_by_yaml_alone(
    grown: Sandbox, mappings: Path, launch: Launch, connect: Connect, tmp_path: Path
) -> None:
    bridge = await launch(grown.url, mappings__folder=str(mappings))
    checked = await bridge.command("check")
    assert (checked.returncode, checked.stderr) == (0, "")
    sample = tmp_path / "a60.hl7"
    sample.write_bytes(ALLERGIES)
    told = await bridge.command("translate", str(sample), "--explain")
    assert "upsert allergies 61001-PCN" in told.stdout
    assert "no substance for allergies" in told.stdout
    answer = await connect(bridge).send(ALLERGIES)
    assert field(answer, "MSA", 1) == "AA"
    await bridge.became("G1", "delivered")
    penicillin = await grown.record("allergies", "61001-PCN")
    peanuts = await grown.record("allergies", "61001-NUT")
    assert penicillin is not None
    assert peanuts is not None
    assert penicillin.items() >= {"severity": "SEVERE", "reaction": "Hives"}.items()
    assert peanuts.items() >= {"patientId": "61001", "substance": "Peanuts"}.items()


def test_the_reference_describes_what_was_added(mappings: Path) -> None:
    page = reference(catalogue.load(mappings / "zauto"))
    assert "what the patient does not bear" in page
    assert "`/zauto-api/allergies`" in page
