"""What the clinic's staff did in ZautoAI, and what became of ZautoAI itself, is respected."""

from __future__ import annotations

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.mllp import field
from tests.acceptance.processes import Sandbox

MOVED = {"status": "IN_PROGRESS", "tokenNumber": 7}


async def test_an_update_keeps_what_staff_changed_of_the_visit(
    sandbox: Sandbox, launch: Launch, connect: Connect
) -> None:
    bridge = await launch(sandbox.url)
    sender = connect(bridge)
    assert (
        field(await sender.send(adt("A04", "C1", Person("41001"), Visit("V41"))), "MSA", 1) == "AA"
    )
    await bridge.became("C1", "delivered")
    await sandbox.put("patient-visits", "V41", MOVED)
    changed = adt(
        "A08", "C2", Person("41001", phone="+919876500999"), Visit("V41", purpose="Cough")
    )
    await sender.send(changed)
    await bridge.became("C2", "delivered")
    visit = await sandbox.record("patient-visits", "V41")
    patient = await sandbox.record("patients", "41001")
    assert visit is not None
    assert patient is not None
    assert visit.items() >= {**MOVED, "purposeOfVisit": "Cough"}.items()
    assert patient["phoneNumber"] == "+919876500999"


async def test_after_a_reset_of_zautoai_the_next_update_makes_everything_again(
    sandbox: Sandbox, launch: Launch, connect: Connect
) -> None:
    bridge = await launch(sandbox.url)
    sender = connect(bridge)
    await sender.send(adt("A04", "C1", Person("41002", email="a@example.org"), Visit("V42")))
    await bridge.became("C1", "delivered")
    await sandbox.reset()
    await sender.send(adt("A08", "C2", Person("41002"), Visit("V42", purpose="Cough")))
    status = await bridge.settled()
    patient = await sandbox.record("patients", "41002")
    visit = await sandbox.record("patient-visits", "V42")
    assert await sandbox.record("providers", "D17")
    assert patient is not None
    assert visit is not None
    assert patient["email"] == "a@example.org"
    assert visit.items() >= {"purposeOfVisit": "Cough", "providerId": "D17"}.items()
    assert (status["messages"]["delivered"], status["messages"]["parked"]) == (2, 0)
