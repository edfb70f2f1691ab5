"""Replay: send files in at the door, as a hospital would, and report each answer."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from twisted.internet.interfaces import IReactorTCP, IReactorTime

from bridge.errors import BridgeError, DoorError
from bridge.hl7v2 import ack
from bridge.message import Acknowledgment
from bridge.senders.connection import MllpConnection, connect
from bridge.senders.files import (
    AckCondition,
    PartKind,
    ReplayPart,
    miscounted,
    read,
    recognise,
    renumber,
    walk,
)

#: messages on the wire before the first of them is answered
WINDOW = 32
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
#: the same, where messages are only answered when they fail, or only when they do not
PERHAPS_SECONDS = 2.0
#: seconds an acknowledgment may be dated before the message it answers was sent: clocks differ
CLOCK_TOLERANCE = 0.1

NO_ANSWER = "no answer"
NOT_SENT = "not sent"
NONE_WANTED = "none wanted"
MISCOUNTED = "wrong count"
"""What stands in `Replayed.answer` where there is no code."""


@dataclass(frozen=True, slots=True)
class HttpDoor:
    """Where FHIR or orders are sent."""

    #: `http://127.0.0.1:8080/fhir`, `http://127.0.0.1:8080/orders`
    url: str
    api_key: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One part of one file, and how the door answered."""

    path: Path
    #: place within its file, from 0
    index: int
    kind: PartKind
    message_type: str
    control_id: str
    #: `AA` … `CR`, an HTTP status, or `no answer`, `not sent`, `none wanted`; of a batch file
    #: `wrong count`
    answer: str
    #: the door says, or its acknowledgment shows, that it had this before
    duplicate: bool
    #: what the door says about it, or why there is no answer
    text: str
    #: from sending to the answer
    seconds: float


async def replay(
    paths: Iterable[Path],
    *,
    mllp: tuple[str, int] | None = None,
    fhir: HttpDoor | None = None,
    orders: HttpDoor | None = None,
    new_id: Callable[[], str] | None = None,
    reactor: IReactorTCP,
    clock: IReactorTime,
) -> AsyncIterator[Replayed]:
    """Send the files in their order and yield each answer in that order.

    Parts whose door is not given are reported as `not sent`. `new_id` gives each HL7 message a
    fresh MSH-10, so that nothing is a duplicate. Messages are sent ahead of their answers on one
    connection; a connection that breaks is opened again and what was not answered sent again.
    """
    pipe = _Pipe(mllp, reactor=reactor, clock=clock) if mllp else None
    web = _Web({PartKind.FHIR: fhir, PartKind.ORDER: orders}, clock)
    try:
        for part in _parts(paths, new_id):
            for answered in await _send(part, pipe, web):
                yield answered
        for answered in await pipe.drain() if pipe else ():
            yield answered
    finally:
        if pipe:
            pipe.close()
        await web.close()


async def _send(part: ReplayPart, pipe: _Pipe | None, web: _Web) -> list[Replayed]:
    if part.kind is PartKind.BATCH:
        before = await pipe.drain() if pipe else []
        return [*before, _reported(part, MISCOUNTED, part.fault)]
    if part.kind in (PartKind.FHIR, PartKind.ORDER):
        before = await pipe.drain() if pipe else []
        return [*before, await web.send(part)]
    return await pipe.send(part) if pipe else [_reported(part, NOT_SENT, "no MLLP address given")]


def _parts(paths: Iterable[Path], new_id: Callable[[], str] | None) -> Iterator[ReplayPart]:
    for path in walk(paths):
        data = read(path)
        for part in (*recognise(path, data), *miscounted(path, data)):
            if new_id is not None and part.kind is PartKind.HL7V2 and part.control_id:
                control_id = new_id()
                body = renumber(part.body, control_id)
                yield replace(part, body=body, control_id=control_id)
            else:
                yield part


@dataclass(slots=True)
class _Sent:
    part: ReplayPart
    #: seconds since the epoch, when it was first put on the wire
    at: float


class _Pipe:
    """Sends messages down one connection ahead of their answers, and pairs the two."""

    def __init__(
        self, address: tuple[str, int], *, reactor: IReactorTCP, clock: IReactorTime
    ) -> None:
        self._address = address
        self._reactor = reactor
        self._clock = clock
        self._connection: MllpConnection | None = None
        #: answers that came on this connection
        self._answered = 0
        #: sent and not answered, oldest first
        self._waiting: deque[_Sent] = deque()
        #: acknowledgments of this run, by control id
        self._seen: dict[str, bytes] = {}

    async def send(self, part: ReplayPart) -> list[Replayed]:
        """Send one message; returns what was answered meanwhile."""
        # Without a control id only its place tells a message's answer, so it is sent alone.
        alone = not part.control_id
        answered = await self._drain_to(0) if alone else []
        self._waiting.append(_Sent(part, self._clock.seconds()))
        if self._connection is not None:
            self._connection.send(part.body)
        return answered + await self._drain_to(0 if alone else WINDOW - 1)

    async def drain(self) -> list[Replayed]:
        """Wait for every answer that is out."""
        return await self._drain_to(0)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    async def _drain_to(self, count: int) -> list[Replayed]:
        answered: list[Replayed] = []
        while len(self._waiting) > count:
            answered += await self._next_answer()
        return answered

    async def _next_answer(self) -> list[Replayed]:
        """Report on at least the oldest message, or connect again and report nothing."""
        if self._connection is None:
            return await self._open()
        if all(sent.part.wanted is AckCondition.NEVER for sent in self._waiting):
            return self._give_up(len(self._waiting), "")
        answer = await self._connection.answer(self._patience())
        if answer is not None:
            self._answered += 1
            return self._pair(answer)
        closed = not self._connection.open
        self.close()
        # A connection that gave answers may have closed on any of the messages behind the last one:
        # only what closes a fresh connection at once is known to be the cause.
        if closed and self._answered:
            return []
        return self._give_up(1, "the connection was closed" if closed else "nothing in time")

    def _patience(self) -> float:
        certain = any(sent.part.wanted is AckCondition.ALWAYS for sent in self._waiting)
        return ANSWER_SECONDS if certain else PERHAPS_SECONDS

    async def _open(self) -> list[Replayed]:
        """Open the connection and send what is not answered; failing that, give up the oldest."""
        try:
            self._connection = await connect(
                *self._address, CONNECT_SECONDS, reactor=self._reactor, clock=self._clock
            )
        except DoorError as error:
            return [self._report(self._waiting.popleft(), NO_ANSWER, str(error))]
        self._answered = 0
        for sent in self._waiting:
            self._connection.send(sent.part.body)
        return []

    def _pair(self, answer: bytes) -> list[Replayed]:
        """Find what an answer answers; what was sent before it will have none."""
        acknowledgment = _acknowledgment(answer)
        place = self._place(acknowledgment)
        if place is None:
            return []
        unanswered = self._give_up(place, "a later message was answered first")
        sent = self._waiting.popleft()
        duplicate = self._duplicate(sent, answer)
        text = acknowledgment.text or "; ".join(error.text for error in acknowledgment.errors)
        return [*unanswered, self._report(sent, acknowledgment.code, text, duplicate=duplicate)]

    def _place(self, acknowledgment: Acknowledgment) -> int | None:
        """Which of those that wait it answers: the first of its control id, else the oldest."""
        if self._follows(acknowledgment):
            return None
        oldest = None
        for place, sent in enumerate(self._waiting):
            if not sent.part.wanted.takes(acknowledgment.code):
                continue
            if sent.part.control_id == acknowledgment.control_id:
                return place
            oldest = place if oldest is None else oldest
        return oldest

    def _follows(self, acknowledgment: Acknowledgment) -> bool:
        """Whether it is an application acknowledgment behind a commit that was reported."""
        before = self._seen.get(acknowledgment.control_id)
        committed = before is not None and _acknowledgment(before).code.startswith("C")
        return committed and acknowledgment.code.startswith("A")

    def _duplicate(self, sent: _Sent, answer: bytes) -> bool:
        """Whether this is a stored acknowledgment: one that came before, or dated before.

        The door answers a duplicate with the bytes it answered the first one, MSH-7 included.
        """
        control_id = sent.part.control_id
        before, self._seen[control_id] = self._seen.get(control_id), answer
        written = _written_at(answer)
        old = written is not None and written < sent.at - CLOCK_TOLERANCE
        return bool(control_id) and (before == answer or old)

    def _give_up(self, count: int, why: str) -> list[Replayed]:
        """Report the oldest so many messages as unanswered."""
        return [self._unanswered(self._waiting.popleft(), why) for _ in range(count)]

    def _unanswered(self, sent: _Sent, why: str) -> Replayed:
        if sent.part.wanted is AckCondition.ALWAYS:
            return self._report(sent, NO_ANSWER, why)
        return self._report(sent, NONE_WANTED, "")

    def _report(self, sent: _Sent, answer: str, text: str, *, duplicate: bool = False) -> Replayed:
        seconds = self._clock.seconds() - sent.at
        return _reported(sent.part, answer, text, duplicate=duplicate, seconds=seconds)


class _Web:
    """Sends resources and orders over HTTP, one after another."""

    def __init__(self, doors: Mapping[PartKind, HttpDoor | None], clock: IReactorTime) -> None:
        self._doors = doors
        self._clock = clock
        self._client: httpx.AsyncClient | None = None

    async def send(self, part: ReplayPart) -> Replayed:
        """Send one part and report the answer."""
        door = self._doors[part.kind]
        if door is None:
            return _reported(part, NOT_SENT, f"no URL is given for what is {part.kind}")
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS)
        url, headers = door.url.rstrip("/") + part.address, _headers(part.kind, door)
        began = self._clock.seconds()
        try:
            answer = await self._client.request(
                part.method, url, content=part.body, headers=headers
            )
        except httpx.HTTPError as error:
            text = str(error) or type(error).__name__
            return _reported(part, NO_ANSWER, text, seconds=self._clock.seconds() - began)
        duplicate, text = _told(answer)
        seconds = self._clock.seconds() - began
        code = str(answer.status_code)
        return _reported(part, code, text, duplicate=duplicate, seconds=seconds)

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.aclose()


def _headers(kind: PartKind, door: HttpDoor) -> dict[str, str]:
    content = "application/fhir+json" if kind is PartKind.FHIR else "application/json"
    key = {"Authorization": f"Bearer {door.api_key}"} if door.api_key else {}
    return {"Content-Type": content, **key}


def _told(answer: httpx.Response) -> tuple[bool, str]:
    """Whether the answer says duplicate, and its words: an OperationOutcome's, or a message."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return False, ""
    if not isinstance(body, dict):
        return False, ""
    return body.get("duplicate") is True, "; ".join(_words(body))


def _words(body: dict[str, Any]) -> Iterator[str]:
    if body.get("resourceType") == "OperationOutcome":
        for issue in body.get("issue", ()):
            yield str(issue.get("diagnostics") or issue.get("code", ""))
    elif isinstance(body.get("message"), str):
        yield body["message"]


def _acknowledgment(answer: bytes) -> Acknowledgment:
    try:
        return ack.read(answer)
    except BridgeError as error:
        return Acknowledgment("?", "", str(error))


def _written_at(answer: bytes) -> float | None:
    """MSH-7 of an acknowledgment, where it tells the zone and parts of a second."""
    fields = answer.split(answer[3:4], 7) if answer.startswith(b"MSH") else []
    if len(fields) < 8:
        return None
    try:
        return datetime.strptime(fields[6].decode("ascii"), "%Y%m%d%H%M%S.%f%z").timestamp()
    except ValueError:
        return None


def _reported(
    part: ReplayPart, answer: str, text: str, *, duplicate: bool = False, seconds: float = 0.0
) -> Replayed:
    named = part.path, part.index, part.kind, part.message_type, part.control_id
    return Replayed(*named, answer, duplicate, text, seconds)
