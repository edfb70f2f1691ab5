"""Whatever becomes of a call to ZautoAI, the record ends right and nothing is made twice."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import count
from typing import Any, TypeAlias

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, adt
from tests.acceptance.mllp import Sender
from tests.acceptance.processes import Bridge, Sandbox, settings, until
from tests.acceptance.relay import (
    Fault,
    Relay,
    answer_for_another,
    answer_lost,
    arrive_late,
    change_then_lose,
    cut_answer,
    in_flight,
    never_arrive,
    relaying,
    say,
)
from tests.patience import PATIENCE

QUIET = 0.3
#: seconds the clock of a log line and that of a request may differ by rounding
ROUNDING = 0.01
_numbers = count(61_001)


class Scene:
    """One bridge before a relay; each patient is used once."""

    def __init__(self, bridge: Bridge, relay: Relay, sandbox: Sandbox, sender: Sender) -> None:
        self.bridge = bridge
        self.relay = relay
        self.sandbox = sandbox
        self.sender = sender

    async def tell(self, person: Person, control_id: str = "", trigger: str = "A04") -> str:
        """Send a message about a patient; its control id."""
        control_id = control_id or f"C{person.number}"
        await self.sender.send(adt(trigger, control_id, person, None))
        return control_id

    async def told(self, person: Person, *, status: str = "delivered") -> dict[str, Any]:
        """Send a registration; the message once it is settled so."""
        return await self.bridge.became(await self.tell(person), status)

    def methods(self, person: Person) -> list[str]:
        """The requests made about a patient."""
        return self.relay.methods("patients", person.number)

    async def name_of(self, person: Person) -> str | None:
        """What the patient is called at ZautoAI."""
        record = await self.sandbox.record("patients", person.number)
        return record["fullName"] if record else None


#: makes a scene of its own: `await alone(zauto__quiet_seconds="1")`
Alone: TypeAlias = Callable[..., Awaitable[Scene]]


@pytest.fixture
def person() -> Person:
    """Somebody nobody has heard of."""
    return Person(str(next(_numbers)))


@pytest.fixture(scope="module")
async def scene(
    one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """One bridge for all the tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("calls")
    async with AsyncExitStack() as ending:
        relay = await ending.enter_async_context(relaying(one_sandbox.url))
        bridge = Bridge(folder, settings(folder, relay.url), [])
        ending.callback(bridge.end)
        ending.push_async_callback(bridge.http.aclose)
        await bridge.start()
        sender = await ending.enter_async_context(Sender(lambda: bridge.mllp))
        yield Scene(bridge, relay, one_sandbox, sender)
        assert bridge.failures() == []


@pytest.fixture
def alone(sandbox: Sandbox, relay: Relay, launch: Launch, connect: Connect) -> Alone:
    """Makes a scene of its own, for what stops all calls for a while."""

    async def make(**more: str) -> Scene:
        bridge = await launch(relay.url, **more)
        return Scene(bridge, relay, sandbox, connect(bridge))

    return make


@pytest.mark.parametrize(
    "fault",
    [answer_lost, cut_answer],
    ids=["the answer is lost", "the answer is cut"],
)
async def test_a_creation_that_took_effect_unseen_is_not_repeated(
    fault: Fault, scene: Scene, person: Person
) -> None:
    await assert_not_repeated(fault, scene, person)


async def test_a_creation_that_took_effect_after_the_deadline_is_not_repeated(
    alone: Alone, person: Person
) -> None:
    await assert_not_repeated(arrive_late, await alone(zauto__deadline_seconds="3"), person)


async def assert_not_repeated(fault: Fault, scene: Scene, person: Person) -> None:
    scene.relay.plan("POST", "patients", fault)
    await scene.told(person)
    assert scene.methods(person) == ["POST", "GET"]
    created, read = scene.relay.of("patients", person.number)
    assert created.ended is not None
    assert read.began - created.ended >= QUIET * 0.9 - ROUNDING  # waits differ by a tenth
    assert await scene.name_of(person) == "Anjali Nair"


@pytest.mark.parametrize(
    "fault",
    [
        never_arrive,
        say(500),
        say(502),
        say(504, b"<html>Gateway Timeout</html>"),
        say(200, b"<html>Please sign in</html>", content_type="text/html"),
        say(200, {"status": "error", "message": "try later"}),
    ],
    ids=["lost", "500", "502", "504", "HTML with 200", "an error with 200"],
)
async def test_a_creation_that_had_no_effect_is_repeated_after_a_look(
    fault: Fault, scene: Scene, person: Person
) -> None:
    scene.relay.plan("POST", "patients", fault)
    await scene.told(person)
    assert scene.methods(person) == ["POST", "GET", "POST"]


async def test_a_creation_that_somebody_changed_meanwhile_is_updated(
    scene: Scene, person: Person
) -> None:
    async def staff() -> None:
        await scene.sandbox.put("patients", person.number, {"fullName": "Anjali Menon"})

    scene.relay.plan("POST", "patients", change_then_lose(staff))
    await scene.told(person)
    assert scene.methods(person) == ["POST", "GET", "PUT"]
    assert await scene.name_of(person) == "Anjali Nair"


async def test_retry_after_is_kept_to(scene: Scene, person: Person) -> None:
    scene.relay.plan("POST", "patients", say(503, retry_after="1"))
    await scene.told(person)
    refused, read, *_ = scene.relay.of("patients", person.number)
    assert read.began - refused.began >= 0.9 - ROUNDING
    assert scene.methods(person) == ["POST", "GET", "POST"]


async def test_over_the_limit_everything_waits_until_the_reset(
    scene: Scene, person: Person
) -> None:
    now = int(time.time())
    limited = {"status": "error", "errorCode": "RATE_LIMIT_EXCEEDED", "message": "slow down"}
    headers = {"x_ratelimit_reset": str(now + 2), "x_ratelimit_remaining": "0"}
    scene.relay.plan("POST", "patients", say(429, limited, **headers))
    other = Person(str(next(_numbers)))
    control_id = await scene.tell(person)
    await until(lambda: scene.methods(person), "the call is refused")
    await scene.told(other)
    message = await scene.bridge.became(control_id, "delivered")
    assert scene.methods(person) == ["POST", "POST"]
    again = scene.relay.of("patients", person.number)[1]
    assert again.began >= now + 2 - ROUNDING
    assert scene.relay.of("patients", other.number)[0].began >= now + 2 - ROUNDING
    assert len(message["deliveries"][0]["attempts"]) == 2


async def test_a_token_that_is_refused_is_renewed_once_and_nobody_notices(
    scene: Scene, person: Person
) -> None:
    before = len(scene.relay.asked)
    expired = {"status": "error", "errorCode": "INVALID_TOKEN", "message": "expired"}
    scene.relay.plan("POST", "patients", say(401, expired))
    message = await scene.told(person)
    assert [each.resource for each in scene.relay.asked[before:]] == ["patients", "", "patients"]
    assert message["status"] == "delivered"


async def test_the_same_person_under_a_taken_id_is_updated(scene: Scene, person: Person) -> None:
    record = {"id": person.number, "uhid": int(person.number), "fullName": "A. Nair"}
    record |= {"phoneNumber": "+919876500000", "bloodGroup": "O+", "dateOfBirth": "1990-04-12"}
    await scene.sandbox.post("patients", record)
    await scene.told(person)
    assert scene.methods(person) == ["POST", "GET", "PUT"]
    kept = await scene.sandbox.record("patients", person.number)
    assert kept is not None
    assert (kept["fullName"], kept["bloodGroup"]) == ("Anjali Nair", "O+")


@pytest.mark.parametrize(
    "other", [{"uhid": 7_700_001}, {"dateOfBirth": "1961-01-01"}], ids=["uhid", "date of birth"]
)
async def test_another_person_under_a_taken_id_is_left_alone(
    other: dict[str, Any], scene: Scene, person: Person
) -> None:
    record = {"id": person.number, "uhid": int(person.number), "fullName": "Ravi Pillai"}
    await scene.sandbox.post("patients", {**record, "phoneNumber": "+919876500000", **other})
    message = await scene.told(person, status="parked")
    assert scene.methods(person) == ["POST", "GET"]
    assert await scene.name_of(person) == "Ravi Pillai"
    assert message["reason"].startswith("conflict")


async def test_an_update_of_what_was_deleted_there_makes_it_again(
    scene: Scene, person: Person
) -> None:
    await scene.told(person)
    await scene.sandbox.http.delete(f"/zauto-api/patients/{person.number}")
    moved = Person(person.number, given="Lakshmi")
    await scene.bridge.became(await scene.tell(moved, "AGAIN", "A08"), "delivered")
    assert scene.methods(person) == ["POST", "PUT", "POST"]
    assert await scene.name_of(person) == "Lakshmi Nair"


async def test_a_404_that_is_not_the_apis_own_is_never_taken_for_absent(
    scene: Scene, person: Person
) -> None:
    await scene.told(person)
    scene.relay.plan("PUT", "patients", say(404, b"<html>Not Found</html>"))
    moved = Person(person.number, given="Lakshmi")
    await scene.bridge.became(await scene.tell(moved, f"M{person.number}", "A08"), "delivered")
    assert scene.methods(person) == ["POST", "PUT", "GET", "PUT"]


async def test_what_is_refused_as_invalid_is_parked_with_its_fields(
    scene: Scene, person: Person
) -> None:
    errors = [{"field": "phoneNumber", "message": "must be a valid phone"}]
    refusal = {"status": "error", "errorCode": "VALIDATION_FAILED", "errors": errors}
    scene.relay.plan("POST", "patients", say(400, refusal))
    message = await scene.told(person, status="parked")
    assert "phoneNumber" in message["reason"]
    assert "must be a valid phone" in message["reason"]
    assert scene.methods(person) == ["POST"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"status": "error", "errorCode": "INVALID_TOKEN"}),
        (403, {"status": "error", "errorCode": "FORBIDDEN"}),
        (302, b""),
    ],
)
async def test_what_only_a_person_can_mend_stops_calls_and_parks_nothing(
    status: int, body: object, alone: Alone, person: Person
) -> None:
    scene = await alone()
    scene.relay.plan("POST", "patients", *[say(status, body, location="/elsewhere")] * 20)
    await scene.tell(person)

    async def told() -> Any:
        return [n for n in (await scene.bridge.status())["notices"] if "stopped" in n]

    assert await until(told, "a notice says so")
    await scene.tell(Person(str(next(_numbers))))
    counts = (await scene.bridge.status())["messages"]
    assert (counts["waiting"], counts["parked"]) == (2, 0)
    assert len([each for each in scene.relay.asked if each.resource]) <= 2
    assert not [each for each in scene.relay.asked if each.path == "/elsewhere"]


async def test_an_answer_for_another_record_parks_and_stops_that_resource(
    alone: Alone, person: Person
) -> None:
    scene = await alone()
    scene.relay.plan("POST", "patients", answer_for_another)
    await scene.told(person, status="parked")
    after = await scene.tell(Person(str(next(_numbers))))
    await until(
        lambda: any(e.get("event") == "calls stopped" for e in scene.bridge.log()), "it is told"
    )
    assert (await scene.bridge.message_of(after))["status"] == "waiting"
    assert len([each for each in scene.relay.asked if each.resource]) == 1


async def test_what_was_in_flight_at_a_kill_is_read_after_the_quiet_time_and_then_settled(
    alone: Alone,
) -> None:
    quiet = 1.0
    scene = await alone(zauto__quiet_seconds=str(quiet), zauto__deadline_seconds=str(PATIENCE))
    done, lost, changed = (Person(str(next(_numbers))) for _ in range(3))

    async def staff() -> None:
        await scene.sandbox.put("patients", changed.number, {"fullName": "Anjali Menon"})

    faults = {done: answer_lost, lost: never_arrive, changed: change_then_lose(staff)}
    for who, fault in faults.items():
        scene.relay.plan("POST", "patients", in_flight(fault), of=who.number)
        await scene.tell(who)
    await until(lambda: all(scene.methods(who) for who in faults), "all are in flight")
    await until(lambda: _done_and_changed(scene, done, changed), "two took effect")
    scene.bridge.kill()
    await scene.relay.next_run()
    await scene.bridge.start()
    await scene.bridge.settled()

    assert scene.methods(done) == ["POST", "GET"]
    assert scene.methods(lost) == ["POST", "GET", "POST"]
    assert scene.methods(changed) == ["POST", "GET", "PUT"]
    assert [await scene.name_of(who) for who in faults] == ["Anjali Nair"] * 3
    first = next(each for each in scene.relay.asked if each.run == 1 and each.resource)
    assert first.began - _opened_at(scene.bridge) >= quiet - ROUNDING


async def _done_and_changed(scene: Scene, done: Person, changed: Person) -> bool:
    return bool(await scene.name_of(done)) and await scene.name_of(changed) == "Anjali Menon"


def _opened_at(bridge: Bridge) -> float:
    """When the last run had taken up what was left."""
    (opened,) = [e for e in bridge.process.events() if e.get("event") == "store open"]
    return datetime.fromisoformat(opened["timestamp"]).timestamp()
