"""An order reaches the hospital once its visit is known, and is settled by what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.sandbox.hospital import SILENCE, HospitalReceiver, HospitalReply
from tests.acceptance.conftest import Connect
from tests.acceptance.hl7 import Person, Visit, adt, message
from tests.acceptance.mllp import field
from tests.acceptance.processes import ORDERS_KEY, Bridge, Sandbox, settings
from tests.patience import PATIENCE

KEY = {"X-API-Key": ORDERS_KEY}


class Receiver(HospitalReceiver):
    """The sandbox's hospital, with its connections counted."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await super().talk(reader, writer)


@pytest.fixture(scope="module")
async def hospital() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.talk, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()
    receiver.hang_up()


@pytest.fixture(scope="module")
async def running(
    one_sandbox: Sandbox, hospital: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bridge]:
    folder = tmp_path_factory.mktemp("orders")
    chosen = settings(folder, one_sandbox.url, hospital__port=str(hospital.port))
    bridge = Bridge(folder, chosen, [])
    try:
        yield await bridge.start()
        await bridge.http.aclose()
    finally:
        bridge.end()


@pytest.fixture
def bridge(running: Bridge, hospital: Receiver) -> Bridge:
    """The bridge, not connected to the hospital, which has received nothing yet."""
    hospital.hang_up()
    hospital.received.clear()
    hospital.connections = 0
    return running


async def push(bridge: Bridge, visit: str, medicine: str = "Paracetamol") -> dict[str, Any]:
    """Push a prescription; the message it is kept as."""
    line = {"externalMedicineId": "M1", "name": medicine, "dose": "1 tablet", "frequency": "1-0-1"}
    order = {"externalVisitId": visit, "Medications": [line]}
    answer = await bridge.http.post("/orders/prescriptions", json=order, headers=KEY)
    assert answer.status_code == 202
    return await bridge.message(answer.json()["data"]["id"])


async def register(bridge: Bridge, connect: Connect, visit: str) -> None:
    await connect(bridge).send(adt("A04", f"C{visit}", Person("71001"), Visit(visit)))
    await bridge.became(f"C{visit}", "delivered")


async def became(bridge: Bridge, order: dict[str, Any], status: str) -> dict[str, Any]:
    await bridge.settled()
    found = await bridge.message(order["id"])
    assert found["status"] == status
    return found


async def test_an_order_for_an_unknown_visit_is_held_and_sent_when_the_visit_comes(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    order = await push(bridge, "V71")
    await became(bridge, order, "held")
    status = await bridge.command("status", "--json")
    assert '"waits_for":"patient-visits/•••"' in status.stdout.replace(" ", "")
    assert hospital.received == []
    await register(bridge, connect, "V71")
    async with asyncio.timeout(PATIENCE):
        await hospital.wait_for(1)
    await became(bridge, order, "delivered")
    (sent,) = hospital.received
    assert field(sent, "MSH", 9) == "RDE^O11^RDE_O11"
    assert 0 < len(field(sent, "MSH", 10)) <= 20
    assert field(sent, "PID", 3).startswith("71001")
    assert field(sent, "PV1", 19).startswith("V71")


async def test_an_order_that_had_no_answer_is_sent_again_as_it_was(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    hospital.planned.append(SILENCE)
    await register(bridge, connect, "V72")
    order = await push(bridge, "V72")
    async with asyncio.timeout(PATIENCE):
        await hospital.wait_for(1)
    hospital.hang_up()
    await became(bridge, order, "delivered")
    first, second = hospital.received
    assert first == second
    assert hospital.connections == 2


async def test_an_answer_to_another_message_closes_the_connection_and_settles_nothing(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    hospital.planned.append(HospitalReply("AA", control_id="NOT-OURS"))
    await register(bridge, connect, "V73")
    order = await became(bridge, await push(bridge, "V73"), "delivered")
    first, second = hospital.received
    assert first == second
    assert hospital.connections == 2
    assert [a["outcome"] for a in order["deliveries"][0]["attempts"]] == ["unknown", "delivered"]


async def test_an_order_the_hospital_refuses_is_parked_and_the_next_one_goes(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    hospital.planned.append(HospitalReply("AE", error=204))
    await register(bridge, connect, "V74")
    refused = await push(bridge, "V74")
    taken = await push(bridge, "V74", "Ibuprofen")
    parked = await became(bridge, refused, "parked")
    await became(bridge, taken, "delivered")
    assert parked["verdict"] == "hospital"
    assert len(hospital.received) == 2


async def test_an_order_in_flight_at_a_kill_is_sent_again_with_the_same_control_id(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    hospital.planned.append(SILENCE)
    await register(bridge, connect, "V75")
    order = await push(bridge, "V75")
    async with asyncio.timeout(PATIENCE):
        await hospital.wait_for(1)
    bridge.kill()
    await bridge.start()
    await became(bridge, order, "delivered")
    first, second = hospital.received
    assert field(first, "MSH", 10) == field(second, "MSH", 10)


async def test_the_same_order_pushed_again_is_one_order(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    await register(bridge, connect, "V76")
    first, second = await push(bridge, "V76"), await push(bridge, "V76")
    assert first["id"] == second["id"]
    await became(bridge, first, "delivered")
    assert len(hospital.received) == 1


async def test_a_service_is_charged_once_whatever_is_pushed_and_killed(
    bridge: Bridge, connect: Connect, hospital: Receiver
) -> None:
    await register(bridge, connect, "V79")

    async def say(status: str, price: float) -> dict[str, Any]:
        line = {"externalServiceId": "S1", "name": "ECG", "price": price, "status": status}
        order = {"externalVisitId": "V79", "Services": [line]}
        answer = await bridge.http.post("/orders/services", json=order, headers=KEY)
        assert answer.status_code == 202
        return await bridge.message(answer.json()["data"]["id"])

    hospital.planned.append(SILENCE)
    placed = await say("SCHEDULED", 250)
    async with asyncio.timeout(PATIENCE):
        await hospital.wait_for(1)
    bridge.kill()
    await bridge.start()
    await became(bridge, placed, "delivered")
    await became(bridge, await say("ordered", 250), "suppressed")
    for status, price in (("SCHEDULED", 300), ("CANCELLED", 300), ("SCHEDULED", 300)):
        await became(bridge, await say(status, price), "delivered")
    first, again, *rest = hospital.received
    assert first == again
    sent = [first, *rest]
    assert [field(body, "ORC", 1) for body in sent] == ["NW", "XO", "CA", "NW"]
    numbers = [field(body, "ORC", 2) for body in sent]
    assert (numbers[0], numbers[0]) == (numbers[1], numbers[2])
    assert numbers[3] != numbers[0]
    charges = [line.split("|") for body in sent for line in body.decode().split("\r")]
    charged = [line for line in charges if line[0] == "FT1"]
    assert [(line[6], line[12]) for line in charged] == [
        ("CG", "250&INR"),
        ("CD", "250&INR"),
        ("CG", "300&INR"),
        ("CD", "300&INR"),
        ("CG", "300&INR"),
    ]
    assert len({line[2] for line in charged}) == 5


async def test_two_patients_who_change_beds_keep_their_visits_and_orders_find_them_there(
    bridge: Bridge, connect: Connect, hospital: Receiver, one_sandbox: Sandbox
) -> None:
    sender = connect(bridge)
    beds = {"V77": ("71007", "W1^12^A"), "V78": ("71008", "W2^3^B")}
    for visit, (number, _) in beds.items():
        stay = Visit(visit, patient_class="I")
        await sender.send(adt("A01", f"C{visit}", Person(number, family=visit), stay))
        await bridge.became(f"C{visit}", "delivered")
    records = [("patients", n) for n, _ in beds.values()] + [("patient-visits", v) for v in beds]
    before = [await one_sandbox.record(*each) for each in records]
    assert None not in before
    swapped = [("MSH", {3: "HIS", 4: "CITY", 9: "ADT^A17", 10: "CSWAP", 11: "P", 12: "2.5.1"})]
    for visit, (number, bed) in beds.items():
        # a name typed wrongly in such a message is nobody's new name
        swapped.append(("PID", {3: f"{number}^^^CITY^MR", 5: "Typed^Wrongly"}))
        swapped.append(("PV1", {2: "I", 3: bed, 19: visit}))
    assert field(await sender.send(message(swapped)), "MSA", 1) == "AA"
    await bridge.became("CSWAP", "suppressed")
    assert [await one_sandbox.record(*each) for each in records] == before
    for visit, (number, bed) in beds.items():
        hospital.received.clear()
        await became(bridge, await push(bridge, visit), "delivered")
        (sent,) = hospital.received
        assert field(sent, "PID", 3).startswith(number)
        assert field(sent, "PID", 5).startswith(visit)
        assert field(sent, "PV1", 3).startswith(bed)
