"""Nothing that tells of a person is in what the bridge logs, counts or shows unasked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge.sandbox.hospital import HospitalReply, receiving
from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.mllp import END, START
from tests.acceptance.processes import FHIR_KEY, ORDERS_KEY, Bridge
from tests.acceptance.relay import Relay, answer_for_another, never_arrive, say

PERSON = Person(
    "7319462",
    family="Zephyrinthala",
    given="Quillomena",
    born="19770913",
    phone="+919812345607",
    address="77 Xanthorrhoea Lane",
    email="quillo@example.org",
)
VISIT = Visit("VISIT-5150-K", doctor=("DOC-808", "Bramblewick", "Ottoline"), purpose="Gloamache")
NO_PHONE = Person("7319463", family="Zephyrinthala", given="Umbrelia", phone=None)
REFUSED = Person("7319464", family="Thistlequard", phone="+919812345608")
MEDICINE = "Florblemycin"
ORDER_KEY = "ORDER-NUMBER-90210"

#: in MSH-9, and not like a message type: shown with --reveal only, and never logged
MISPLACED = "Umbrelia^Thistle"

TELLING = (
    "7319462 7319463 7319464 7319465 7319466 Zephyrinthala Quillomena Umbrelia Thistlequard "
    "9812345607 9812345608 Xanthorrhoea quillo@ 19770913 1977-09-13 VISIT-5150 DOC-808 "
    "Bramblewick Ottoline Gloamache Florblemycin ORDER-NUMBER"
).split()


def telling(text: str) -> list[str]:
    """What in the text tells of a person."""
    return [word for word in TELLING if word.lower() in text.lower()]


@pytest.fixture
def faults(relay: Relay) -> Relay:
    """A ZautoAI that quotes what it was sent in most of its answers."""
    quoted = {
        "status": "error",
        "errorCode": "VALIDATION_FAILED",
        "message": "7319464 Thistlequard is refused",
        "errors": [{"field": "phoneNumber", "message": "+919812345608 is no phone"}],
    }
    relay.plan("POST", "patients", say(400, quoted), of=REFUSED.number)
    gateway = b"<html>No route to /zauto-api/patients/7319462</html>"
    relay.plan("POST", "patients", say(502, gateway), never_arrive, of=PERSON.number)
    relay.plan("PUT", "patients", say(500, quoted), of=PERSON.number)
    relay.plan("POST", "providers", answer_for_another)
    return relay


async def tell_all(bridge: Bridge, connect: Connect) -> None:
    """Good and bad, by every door."""
    hospital = connect(bridge)
    await hospital.send(adt("A04", "P1", PERSON, VISIT))
    await hospital.send(adt("A08", "P2", replace(PERSON, family="Zephyrinthala-Roe"), VISIT))
    await hospital.send(adt("A04", "P3", NO_PHONE, VISIT))
    await hospital.send(adt("A04", "P4", REFUSED, None))
    await hospital.send(adt("A04", "P5", PERSON, None, version="3"))
    await hospital.send(adt("A04", "P6", PERSON, None).replace(b"Quillomena", b"Quillomena\xff"))
    await hospital.send(adt("A04", "P7", PERSON, None).replace(b"ADT^A04", MISPLACED.encode()))
    await connect(bridge).raw(b"Zephyrinthala 7319462" + START + b"PID|1||7319462" + END)
    await tell_over_http(bridge)


async def tell_over_http(bridge: Bridge) -> None:
    fhir, orders = {"X-API-Key": FHIR_KEY}, {"X-API-Key": ORDERS_KEY, "Idempotency-Key": ORDER_KEY}
    patient = {"resourceType": "Patient", "id": "7319465", "birthDate": "Quillomena"}
    order = {"externalVisitId": VISIT.number, "Medications": [{"name": MEDICINE, "dose": "1"}]}
    http = bridge.http
    await http.put("/fhir/Patient/7319465", json=patient, headers=fhir)
    await http.put("/fhir/Patient/7319466", json=patient, headers=fhir)
    await http.get("/fhir/Patient?name=Zephyrinthala", headers=fhir)
    await http.post("/fhir/Patient", content=b'{"resourceType": "Quillomena', headers=fhir)
    await http.get("/visits/VISIT-5150-K?phone=9812345607")
    await http.post("/orders/prescriptions", json=order, headers=orders)
    await http.post(
        "/orders/prescriptions", json={**order, "Medications": MEDICINE}, headers=orders
    )


async def test_no_patient_data_is_logged_whatever_comes(
    faults: Relay, launch: Launch, connect: Connect
) -> None:
    async with receiving() as hospital:
        hospital.usual = HospitalReply("AE", error=204)
        bridge = await launch(
            faults.url,
            "--log-level",
            "DEBUG",
            hospital__port=str(hospital.port),
        )
        await tell_all(bridge, connect)
        await bridge.became("P4", "parked")
        await bridge.became("P1", "parked")
        metrics = (await bridge.http.get("/metrics")).text
        unasked = await bridge.command("messages", "--json")
        rows = json.loads(unasked.stdout)
        shown = [await bridge.ask("message", id=row["id"], reveal=False) for row in rows]
        bridge.kill()
        await bridge.start()
        await bridge.stop()
    assert len(bridge.log()) > 4
    assert telling(bridge.printed()) == []
    assert telling(metrics) == []
    assert len(rows) >= 10
    assert telling(unasked.stdout) == []
    assert telling(json.dumps(shown)) == []
