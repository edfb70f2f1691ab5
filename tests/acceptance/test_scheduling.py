"""Appointments of the samples, from the hospital's message to what ZautoAI then holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import message
from tests.acceptance.mllp import Sender, field
from tests.acceptance.processes import ROOT, Bridge, Sandbox

SAMPLES = ROOT / "samples/hl7v2"
#: the patients of the appointments are known before these are booked
REGISTERED = (
    "adt-a01/01-admitted-with-next-of-kin-and-insurance",
    "adt-a04/01-registered-as-outpatient",
    "adt-a04/03-several-identifiers-with-aadhaar",
)
BOOKED = "siu-s12/01-appointment-booked"
NUMBERED = "siu-s12/02-of-a-visit-with-a-number"
UNTIMED = "siu-s12/03-time-of-the-earliest-resource"
GROUP = "siu-s12/05-two-patients-of-a-group"
#: the visit of the first
VISIT = "SCH2-AP551"


class Clinic:
    """A bridge between a hospital's scheduling and ZautoAI."""

    def __init__(self, bridge: Bridge, sandbox: Sandbox, sender: Sender) -> None:
        self.bridge = bridge
        self.sandbox = sandbox
        self._sender = sender

    async def tell(self, *samples: str) -> str:
        """Send samples one after another, each settled before the next; the last one's status."""
        status = ""
        for sample in samples:
            status = await self.say((SAMPLES / f"{sample}.hl7").read_bytes())
        return status

    async def say(self, body: bytes) -> str:
        """Send a message and wait until it is settled; its status."""
        assert field(await self._sender.send(body), "MSA", 1) in ("AA", "CA")
        await self.bridge.settled()
        return str((await self.bridge.message_of(field(body, "MSH", 10)))["status"])

    async def visit(self, external_id: str = VISIT) -> dict[str, Any]:
        """What ZautoAI holds of a visit, as far as a message of an appointment says it."""
        record = await self.sandbox.record("patient-visits", external_id)
        assert record is not None, external_id
        names = ("patientId", "providerId", "visitDateTime", "patientType", "purposeOfVisit")
        return {name: record.get(name) for name in (*names, "status")}

    async def visits(self) -> int:
        """How many visits there are."""
        answer = await self.sandbox.http.get("/zauto-api/patient-visits", params={"limit": 1})
        return int(answer.json()["pagination"]["totalCount"])


@pytest.fixture
async def clinic(sandbox: Sandbox, launch: Launch, connect: Connect) -> Clinic:
    """Its patients are registered."""
    bridge = await launch(sandbox.url)
    clinic = Clinic(bridge, sandbox, connect(bridge))
    await clinic.tell(*REGISTERED)
    return clinic


async def test_an_appointment_from_its_booking_to_the_no_show(clinic: Clinic) -> None:
    await clinic.tell(BOOKED)
    booked = {
        "patientId": "100301",
        "providerId": "D103",
        "visitDateTime": "2026-03-12T05:00:00Z",
        "patientType": "OUT_PATIENT",
        "purposeOfVisit": "Follow-up of blood pressure",
        "status": "IN_QUEUE",
    }
    assert await clinic.visit() == booked

    await clinic.tell("siu-s13/01-moved-to-another-day")
    moved = {**booked, "visitDateTime": "2026-03-19T05:00:00Z"}
    assert await clinic.visit() == moved

    await clinic.tell("siu-s14/01-another-doctor")
    assert await clinic.visit() == {**moved, "providerId": "D102"}

    assert await clinic.tell("siu-s18/01-assistant-added") == "suppressed"
    assert await clinic.visit() == {**moved, "providerId": "D102"}

    await clinic.tell("siu-s19/01-doctor-changed")
    for sample in (
        "siu-s20/01-service-canceled",
        "siu-s21/01-room-discontinued",
        "siu-s22/01-assistant-deleted",
    ):
        assert await clinic.tell(sample) == "suppressed"
    assert await clinic.visit() == moved

    await clinic.tell("siu-s26/01-did-not-come")
    assert await clinic.visit() == {**moved, "status": "NO_SHOW"}


async def test_what_the_staff_made_of_a_visit_stays_when_it_is_moved(clinic: Clinic) -> None:
    await clinic.tell(BOOKED)
    await clinic.sandbox.put("patient-visits", VISIT, {"status": "IN_PROGRESS"})
    await clinic.tell("siu-s13/01-moved-to-another-day", "siu-s14/01-another-doctor")
    assert (await clinic.visit())["status"] == "IN_PROGRESS"


async def test_a_visit_with_a_number_keeps_it_and_an_error_cancels_it(clinic: Clinic) -> None:
    await clinic.tell(NUMBERED)
    visit = await clinic.visit("V260451")
    assert (visit["providerId"], visit["status"]) == ("D101", "IN_QUEUE")
    await clinic.tell("siu-s17/01-entered-in-error")
    assert await clinic.visit("V260451") == {**visit, "status": "CANCELED"}


async def test_the_earliest_resource_is_the_time_and_a_sparse_cancelling_cancels(
    clinic: Clinic,
) -> None:
    await clinic.tell(UNTIMED)
    visit = await clinic.visit("SCH2-AP553")
    assert visit["visitDateTime"] == "2026-03-16T04:00:00Z"
    await clinic.tell("siu-s15/01-canceled")
    assert await clinic.visit("SCH2-AP553") == {**visit, "status": "CANCELED"}


async def test_each_patient_of_a_group_has_a_visit_that_ends_with_it(clinic: Clinic) -> None:
    await clinic.tell(GROUP, "siu-s16/01-discontinued")
    for patient in ("100301", "100303"):
        visit = await clinic.visit(f"SCH2.G-AP555-{patient}")
        assert (visit["patientId"], visit["status"]) == (patient, "CANCELED")


async def test_slots_are_no_visits_and_say_so(clinic: Clinic) -> None:
    before = await clinic.visits()
    for sample in (
        "siu-s12/04-slot-without-a-patient",
        "siu-s23/01-slot-blocked",
        "siu-s24/01-slot-opened",
    ):
        assert await clinic.tell(sample) == "suppressed"
    assert await clinic.visits() == before
    reasons = [row["reason"] for row in (await clinic.bridge.messages())[-3:]]
    without = (await clinic.bridge.messages())[-3]
    assert any("the message has no PID" in each["text"] for each in without["remarks"])
    assert all("a slot of a schedule is no patient's visit" in reason for reason in reasons[1:])


async def test_registration_finds_the_visit_of_the_appointment(clinic: Clinic) -> None:
    await clinic.tell(BOOKED)
    before = await clinic.visits()
    await clinic.say(arrival("ARR1", alternate="AP551"))
    await clinic.say(arrival("ARR2", ended="20260312112000+0530", trigger="A03"))
    assert await clinic.visits() == before
    assert (await clinic.visit())["status"] == "FINISHED"


def arrival(
    control_id: str, *, alternate: str = "", ended: str = "", trigger: str = "A04"
) -> bytes:
    """The patient of the first appointment, under a visit number."""
    pv1 = {1: "1", 2: "O", 19: "V260460", 44: "20260312102500+0530", 45: ended, 50: alternate}
    return message(
        [
            (
                "MSH",
                {3: "MEDISYS", 4: "SGH", 9: f"ADT^{trigger}", 10: control_id, 11: "P", 12: "2.5"},
            ),
            ("PID", {1: "1", 3: "100301^^^SGH^MR", 5: "Iyer^Lakshmi^Narayan^^Ms.^^L"}),
            ("PV1", pv1),
        ]
    )
