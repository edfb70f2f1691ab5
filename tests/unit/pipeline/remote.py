"""A ZautoAI in memory that fails as it is told, and a far end that watches what it is asked."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import orjson

from bridge.delivery import Outcome, Payload, Request
from bridge.pipeline.delivery.deliver import Attempted
from bridge.pipeline.delivery.zauto import ToZauto
from bridge.zauto.answers import Answer, Failure, judge, judge_page
from bridge.zauto.catalogue import Catalogue

#: seconds a lane rests after a request without an answer
QUIET = 60.0


class Fault(StrEnum):
    """How one request goes wrong."""

    NONE = "none"
    UNREACHABLE = "nothing was sent"
    LOST = "no answer, no effect"
    UNHEARD = "no answer, but an effect"
    LATE = "no answer, and the effect comes later"
    FAILED = "500 without effect"
    FAILED_AFTER = "500 after the effect"
    CUT = "an answer cut short, after the effect"
    GATEWAY = "502 of a proxy"
    NOT_THE_API = "404 of somebody else"
    LIMITED = "429"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    INVALID = "400 for one field"


_AFTER_EFFECT = (Fault.UNHEARD, Fault.FAILED_AFTER, Fault.CUT)


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Remote:
    """Records by resource and external id, and the rules of the API document."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self.records: dict[tuple[str, str], Payload] = {}
        #: creations of each record since the last wipe
        self.creations: Counter[tuple[str, str]] = Counter()
        self.requests: list[Request] = []
        #: one for each request that comes; when they are used up all goes well
        self.faults: Iterator[Fault] = iter(())
        #: how a field whose record is missing is named in the answer
        self.naming: Callable[[str], tuple[str, ...]] = lambda field: (field,)
        self._late: list[tuple[float, Request]] = []

    def wipe(self) -> None:
        """Forget all records, as the vendor's sandbox does every night."""
        self.records.clear()
        self.creations.clear()

    async def send(self, request: Request) -> Outcome:
        """Answer one request as ZautoAI and the network between would."""
        self.requests.append(request)
        await asyncio.sleep(0)
        self.catch_up()
        if not request.by_list:
            return judge(request, self.answered(request), now=self._clock())
        outcome = judge_page(request, self.answered(request), now=self._clock())
        assert outcome is not None
        return outcome

    def catch_up(self) -> None:
        """Do what was asked long ago and is due by now."""
        due = [request for at, request in self._late if at <= self._clock()]
        self._late = [entry for entry in self._late if entry[0] > self._clock()]
        for request in due:
            self._done(request)

    def answered(self, request: Request) -> Answer | Failure:
        """The answer to one request, or why there is none."""
        fault = next(self.faults, Fault.NONE)
        if fault is Fault.INVALID and request.method == "GET":
            fault = Fault.NONE
        if fault is Fault.NONE:
            return self._done(request)
        if fault is Fault.LATE:
            self._late.append((self._clock() + QUIET / 2, request))
        if fault in _AFTER_EFFECT:
            self._done(request)
        return _FAILED[fault]

    def _done(self, request: Request) -> Answer:
        key = (request.resource, request.external_id)
        match request.method:
            case "POST":
                return self._created(key, request.body or {})
            case "PUT":
                return self._updated(key, request.body or {})
            case "DELETE":
                return self._deleted(key)
        return self._listed(key) if request.by_list else self._shown(key)

    def _created(self, key: tuple[str, str], body: Payload) -> Answer:
        if key in self.records:
            return refusal(409, "DUPLICATE_EXTERNAL_ID")
        missing = self._catalogue[key[0]].required() - body.keys()
        if missing:
            return refusal(400, "VALIDATION_FAILED", *sorted(missing))
        if lost := self._lost(key[0], body):
            return refusal(404, "REFERENCED_RESOURCE_NOT_FOUND", *self.naming(lost))
        self.records[key] = dict(body)
        self.creations[key] += 1
        return self._shown(key, 201)

    def _deleted(self, key: tuple[str, str]) -> Answer:
        if self.records.pop(key, None) is None:
            return refusal(404, "RESOURCE_NOT_FOUND")
        return Answer(
            200, {}, orjson.dumps({"status": "success", "message": "deleted"}), complete=True
        )

    def _updated(self, key: tuple[str, str], body: Payload) -> Answer:
        if key not in self.records:
            return refusal(404, "RESOURCE_NOT_FOUND")
        if lost := self._lost(key[0], body):
            return refusal(404, "REFERENCED_RESOURCE_NOT_FOUND", *self.naming(lost))
        held = {**self.records[key], **body}
        self.records[key] = {name: value for name, value in held.items() if value is not None}
        return self._shown(key)

    def _lost(self, resource: str, body: Payload) -> str:
        for name, referent in self._catalogue[resource].referents().items():
            if body.get(name) and (referent, str(body[name])) not in self.records:
                return name
        return ""

    def _listed(self, key: tuple[str, str]) -> Answer:
        found = [
            {**record, "id": "own", "externalId": number}
            for (resource, number), record in self.records.items()
            if resource == key[0] and key[1] in number
        ]
        return answer(200, {"status": "success", "data": found, "pagination": {"hasNext": False}})

    def _shown(self, key: tuple[str, str], status: int = 200) -> Answer:
        if key not in self.records:
            return refusal(404, "RESOURCE_NOT_FOUND")
        data = {**self.records[key], "id": "own", "externalId": key[1]}
        return answer(status, {"status": "success", "data": data})


class Watched(ToZauto):
    """Notes what is under way for whom, and which delivery wrote to which record."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.under_way: Counter[str] = Counter()
        self.most_in_a_lane = 0
        self.writers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)

    async def send(self, attempted: Attempted) -> Outcome:
        delivery, request = attempted.delivery, attempted.request
        call = delivery.call
        whose = str(call.payload.get("patientId", f"{call.resource}/{call.external_id}"))
        whose = whose.removeprefix("patients/")
        self.under_way[whose] += 1
        self.most_in_a_lane = max(self.most_in_a_lane, self.under_way[whose])
        if request.method != "GET":
            self.writers[request.resource, request.external_id].append(delivery.id)
        try:
            return await super().send(attempted)
        finally:
            self.under_way[whose] -= 1


def answer(status: int, body: object, *, headers: dict[str, str] | None = None) -> Answer:
    """A whole JSON answer."""
    return Answer(status, headers or {}, orjson.dumps(body), complete=True)


def refusal(status: int, code: str = "", *fields: str) -> Answer:
    """An error envelope of the API."""
    errors = [{"field": field, "message": f"{field} 4711 is not right"} for field in fields]
    return answer(status, {"status": "error", "errorCode": code, "message": code, "errors": errors})


_FAILED: dict[Fault, Answer | Failure] = {
    Fault.UNREACHABLE: Failure.UNREACHABLE,
    Fault.LOST: Failure.NO_ANSWER,
    Fault.UNHEARD: Failure.NO_ANSWER,
    Fault.LATE: Failure.NO_ANSWER,
    Fault.FAILED: refusal(500),
    Fault.FAILED_AFTER: refusal(500),
    Fault.CUT: Answer(201, {}, b'{"status": "succ', complete=False),
    Fault.GATEWAY: Answer(502, {}, b"<html>", complete=True),
    Fault.NOT_THE_API: Answer(404, {}, b"<html>", complete=True),
    Fault.LIMITED: Answer(429, {"x-ratelimit-reset": "30"}, b"{}", complete=True),
    Fault.UNAUTHORIZED: refusal(401, "INVALID_TOKEN"),
    Fault.FORBIDDEN: refusal(403),
    Fault.INVALID: refusal(400, "VALIDATION_FAILED", "fullName"),
}
