from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.listeners.mllp import MllpListener
from bridge.message import Reply
from bridge.senders.files import PartKind, miscounted, recognise, renumber, walk
from bridge.senders.replay import (
    MISCOUNTED,
    NO_ANSWER,
    NONE_WANTED,
    NOT_SENT,
    WINDOW,
    HttpDoor,
    Replayed,
    replay,
)
from bridge.service.reactor import GuestReactor
from bridge.settings import Channel, Limits, Mllp

#: what a listener hands messages to, and its address
Door = tuple["FakeIntake", tuple[str, int]]
#: replays the paths through the doors given
Run = Callable[..., Awaitable[list[Replayed]]]

SEPARATORS = "^~\\&"


def message(control_id: str, *, accept: str = "", tail: str = "") -> bytes:
    head = f"MSH|{SEPARATORS}|LAB|HOSP|ZAUTO|CLINIC|20261122090000||ADT^A04|{control_id}|P|2.5.1"
    return f"{head}|||{accept}\rEVN|A04\rPID|1||77\r{tail}".encode()


class FakeIntake:
    """Answers like the bridge: AA dated now, the stored bytes for what it had before."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.stored: dict[bytes, bytes] = {}
        self.taken: list[bytes] = []
        self.numbers = itertools.count(1)
        self.faults: dict[bytes, BaseException] = {}
        self.silent: set[bytes] = set()

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        self.taken.append(body)
        if body in self.faults:
            raise self.faults.pop(body)
        if not body.startswith(b"MSH"):
            return Reply(None, close=True)
        fields = body.split(b"\r")[0].split(b"|")
        if fields[14:15] == [b"NE"] or fields[8].startswith(b"ACK") or body in self.silent:
            return Reply(None)
        return Reply(self.stored.setdefault(body, self.acknowledgment(fields[9].decode())))

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        self.taken.append(head)

    def acknowledgment(self, control_id: str) -> bytes:
        now = self.clock()
        at = time.strftime(f"%Y%m%d%H%M%S.{int(now % 1 * 1000):03}+0000", time.gmtime(now))
        head = f"MSH|{SEPARATORS}|ZAUTO|CLINIC|LAB|HOSP|{at}||ACK^A04|{next(self.numbers)}|P|2.5.1"
        return f"{head}\rMSA|AA|{control_id}\r".encode()


@pytest.fixture
async def door(reactor: GuestReactor) -> AsyncIterator[Door]:
    intake = FakeIntake(reactor.seconds)
    listener = MllpListener(
        Channel(name="adt"),
        Mllp(port=0),
        Limits(frame=65536),
        intake,
        reactor=reactor,
        clock=reactor,
        new_id=lambda: "BRIDGE1",
    )
    yield intake, await listener.start()
    await listener.stop(5)


class FakeWeb:
    """An HTTP server that answers every request with the next script entry."""

    def __init__(self) -> None:
        self.script: list[tuple[int, object]] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append((first.rsplit(" ", 1)[0], headers, body))
                status, told = self.script.pop(0)
                answer = json.dumps(told).encode()
                start = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(start.encode() + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def web() -> AsyncIterator[FakeWeb]:
    fake = FakeWeb()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield fake
    server.close()


@pytest.fixture
def run(reactor: GuestReactor) -> Run:
    async def run_(*paths: Path, **options: object) -> list[Replayed]:
        sent = replay(paths, reactor=reactor, clock=reactor, **options)  # type: ignore[arg-type]
        return [answer async for answer in sent]

    return run_


def write(folder: Path, **files: bytes) -> list[Path]:
    paths = []
    for name, data in files.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(data)
        paths.append(path)
    return paths


# What a file holds.


def test_a_folder_is_walked_in_the_order_of_its_paths(tmp_path: Path) -> None:
    (tmp_path / "error").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("b.hl7", "a.json", "error/c.hl7", "README.md", ".git/d.hl7", ".e.hl7"):
        (tmp_path / name).write_bytes(b"anything")
    (tmp_path / "captured.txt").write_bytes(b"\r\nMSH|^~\\&|")
    names = [str(path.relative_to(tmp_path)) for path in walk([tmp_path])]
    assert names == ["a.json", "b.hl7", "captured.txt", "error/c.hl7"]


def test_a_file_named_itself_is_always_sent(tmp_path: Path) -> None:
    (path,) = write(tmp_path, notes_md=b"# notes")
    assert walk([path]) == [path]


def test_every_message_of_a_batch_is_a_part() -> None:
    data = b"FHS|^~\\&\rBHS|^~\\&\r" + message("A1") + message("A2") + b"BTS|2\rFTS|1\r"
    parts = recognise(Path("batch.hl7"), data)
    assert [(part.kind, part.index, part.control_id) for part in parts] == [
        (PartKind.HL7V2, 0, "A1"),
        (PartKind.HL7V2, 1, "A2"),
    ]
    assert parts[0].message_type == "ADT^A04"


def test_a_file_is_cut_as_the_door_cuts_a_frame() -> None:
    other = message("A3").replace(b"|HOSP|", b"|WARD|", 1)
    parts = recognise(Path("some.hl7"), message("A1") + message("A2") + other + message("A4"))
    assert [part.control_id for part in parts] == ["A1", "A2", "A4"]
    assert parts[1].body == message("A2") + other


def test_text_outside_of_the_messages_of_a_batch_is_sent_as_well() -> None:
    data = b"BHS|^~\\&\rPID|1||9\r" + message("A1") + b"BTS|1\r"
    parts = recognise(Path("batch.hl7"), data)
    assert [(part.kind, part.body) for part in parts] == [
        (PartKind.OTHER, b"PID|1||9\r"),
        (PartKind.HL7V2, message("A1")),
    ]
    assert miscounted(Path("batch.hl7"), data) == []


@pytest.mark.parametrize(
    ("data", "kind", "request_line"),
    [
        (b'{"resourceType": "Patient", "id": "p1"}', PartKind.FHIR, "PUT /Patient/p1"),
        (b'{"resourceType": "Patient"}', PartKind.FHIR, "POST /Patient"),
        (
            b'\xef\xbb\xbf{"resourceType": "Encounter", "id": "a/b"}',
            PartKind.FHIR,
            "PUT /Encounter/a%2Fb",
        ),
        (b'{"resourceType": "Patient", "id": "p1"', PartKind.FHIR, "POST /Patient"),
        (b'{"resourceType": 7}', PartKind.FHIR, "POST "),
        (b"[1, 2]", PartKind.FHIR, "POST "),
        (b"[" * 100_000, PartKind.FHIR, "POST "),
        (b'{"externalVisitId": "V1", "Medications": []}', PartKind.ORDER, "POST /prescriptions"),
        (b'{"externalVisitId": "V1", "Services": []}', PartKind.ORDER, "POST /services"),
        (b'{"externalVisitId": "V1", "Services": [', PartKind.ORDER, "POST /services"),
        (b"no HL7 at all", PartKind.OTHER, " "),
        (b"", PartKind.OTHER, " "),
    ],
)
def test_what_a_file_holds_says_where_it_is_sent(
    data: bytes, kind: PartKind, request_line: str
) -> None:
    (part,) = recognise(Path("some.hl7"), data)
    assert (part.kind, f"{part.method} {part.address}", part.body) == (kind, request_line, data)


@given(st.binary(max_size=200))
def test_any_bytes_are_recognised_as_something(data: bytes) -> None:
    assert recognise(Path("some.hl7"), data)


def test_renumbering_changes_msh_10_and_nothing_else() -> None:
    before = message("A1", tail="OBX|1|ST|MSH|a|b|c|d|e|f|A1\r")
    assert renumber(before, "NEW") == before.replace(b"|A1|", b"|NEW|", 1)
    assert renumber(b"\xef\xbb\xbf" + before, "NEW").startswith(b"\xef\xbb\xbfMSH")


def test_renumbering_does_not_cut_characters() -> None:
    line = r"MSH|^~\&|亅|亅|ZAUTO|CLINIC|2026||ADT^A04|A1|P|2.5.1||||||GB 18030-2000"
    before = f"{line}\rPID|1||77||亅|A1\r".encode("gb18030")
    assert before.count(b"|") > before.decode("gb18030").count("|")
    assert renumber(before, "NEW") == before.replace(b"|A1|", b"|NEW|", 1)


@pytest.mark.parametrize("body", [message(""), b"MSH", b"MSH|^~\\&|A", b"", b"PID|1"])
def test_a_message_without_msh_10_is_not_renumbered(body: bytes) -> None:
    assert renumber(body, "NEW") == body


# Sending.


async def test_messages_are_sent_in_order_and_each_answer_reported(
    door: Door, run: Run, tmp_path: Path
) -> None:
    intake, address = door
    bodies = [message(f"A{n}") for n in range(3 * WINDOW)]
    for n, body in enumerate(bodies):
        (tmp_path / f"{n:03}.hl7").write_bytes(body)
    answers = await run(tmp_path, mllp=address)
    assert intake.taken == bodies
    assert [answer.control_id for answer in answers] == [f"A{n}" for n in range(3 * WINDOW)]
    assert {(answer.answer, answer.duplicate) for answer in answers} == {("AA", False)}
    assert all(answer.seconds >= 0 for answer in answers)


async def test_a_duplicate_within_the_run_is_reported_as_one(
    door: Door, run: Run, tmp_path: Path
) -> None:
    paths = write(tmp_path, a_hl7=message("A1"), b_hl7=message("A2"), c_hl7=message("A1"))
    answers = await run(*paths, mllp=door[1])
    assert [answer.duplicate for answer in answers] == [False, False, True]


async def test_a_duplicate_of_an_earlier_run_is_reported_as_one(
    door: Door, run: Run, tmp_path: Path
) -> None:
    intake, address = door
    (path,) = write(tmp_path, a_hl7=message("A1"))
    now, intake.clock = intake.clock, lambda: now() - 0.5
    intake.stored[message("A1")] = intake.acknowledgment("A1")
    (answer,) = await run(path, mllp=address)
    assert (answer.answer, answer.duplicate) == ("AA", True)


async def test_new_ids_make_nothing_a_duplicate(door: Door, run: Run, tmp_path: Path) -> None:
    numbers = itertools.count(1)
    paths = write(tmp_path, a_hl7=message("A1"), b_hl7=message("A1"))
    answers = await run(*paths, mllp=door[1], new_id=lambda: f"NEW{next(numbers)}")
    assert [answer.control_id for answer in answers] == ["NEW1", "NEW2"]
    assert not any(answer.duplicate for answer in answers)


async def test_what_is_not_hl7_costs_only_itself_its_answer(
    door: Door, run: Run, tmp_path: Path
) -> None:
    paths = write(
        tmp_path,
        a_hl7=message("A1"),
        b_hl7=b"no HL7 at all",
        c_hl7=message("A3"),
        d_hl7=b"",
        e_hl7=message("A5"),
    )
    answers = await run(*paths, mllp=door[1])
    assert [answer.answer for answer in answers] == ["AA", NO_ANSWER, "AA", NO_ANSWER, "AA"]
    assert answers[1].text == "the connection was closed"
    assert not any(answer.duplicate for answer in answers)


async def test_a_frame_too_large_is_reported_as_refused(
    door: Door, run: Run, tmp_path: Path
) -> None:
    paths = write(tmp_path, a_hl7=message("A1", tail="X" * 70_000), b_hl7=message("A2"))
    answers = await run(*paths, mllp=door[1])
    assert [answer.answer for answer in answers] == ["AR", "AA"]
    assert "larger" in answers[0].text


async def test_a_batch_that_counts_others_than_it_holds_is_told_behind_its_messages(
    door: Door, run: Run, tmp_path: Path
) -> None:
    batch = b"BHS|^~\\&\r" + message("A1") + message("A2") + b"BTS|3\r"
    paths = write(
        tmp_path,
        a_hl7=b"FHS|^~\\&\r" + batch + b"FTS|2\r",
        b_hl7=b"\x0b" + batch + b"\x1c\r\x0b" + message("A3") + b"\x1c\r",
        c_hl7=batch.replace(b"BTS|3", b"BTS|2"),
        d_hl7=message("A4"),
        e_hl7=message("A5") + message("A6") + b"BTS|1\r",
    )
    answers = await run(*paths, mllp=door[1])
    told = [(each.path.name, each.text) for each in answers if each.answer == MISCOUNTED]
    assert told == [
        ("a.hl7", "BTS[1]-1 says 3 messages, 2 came"),
        ("a.hl7", "FTS-1 says 2 batches, 1 came"),
        ("b.hl7", "BTS[1]-1 says 3 messages, 2 came"),
        ("e.hl7", "BTS[1]-1 says 1 messages, 2 came"),
    ]
    assert [each.control_id for each in answers if each.answer == "AA"] == [
        *("A1", "A2", "A1", "A2", "A3", "A1", "A2", "A4", "A5", "A6")
    ]
    assert [each.answer for each in answers[:4]] == ["AA", "AA", MISCOUNTED, MISCOUNTED]


async def test_an_application_acknowledgment_is_not_taken_for_another_messages(
    door: Door, run: Run, tmp_path: Path
) -> None:
    intake, address = door
    commit = intake.acknowledgment("A1").replace(b"MSA|AA|", b"MSA|CA|")
    later = intake.acknowledgment("A1")
    intake.stored[message("A1")] = commit + b"\x1c\r\x0b" + later
    paths = write(tmp_path, a_hl7=message("A1"), b_hl7=message("A2"), c_hl7=message("A3"))
    answers = await run(*paths, mllp=address)
    assert [(each.control_id, each.answer) for each in answers] == [
        ("A1", "CA"),
        ("A2", "AA"),
        ("A3", "AA"),
    ]


async def test_a_connection_lost_before_the_answer_is_opened_again(
    door: Door, run: Run, tmp_path: Path
) -> None:
    intake, address = door
    intake.faults[message("A2")] = ZeroDivisionError()
    paths = write(tmp_path, a_hl7=message("A1"), b_hl7=message("A2"), c_hl7=message("A3"))
    answers = await run(*paths, mllp=address)
    assert [answer.answer for answer in answers] == ["AA", "AA", "AA"]


async def test_messages_that_want_no_acknowledgment_are_not_waited_for(
    door: Door, run: Run, tmp_path: Path
) -> None:
    paths = write(
        tmp_path,
        a_hl7=message("A1", accept="NE"),
        b_hl7=message("A2"),
        c_hl7=message("A3", accept="NE"),
        d_hl7=message("A3"),
        e_hl7=message("A4").replace(b"ADT^A04", b"ACK^A04"),
        f_hl7=b"no HL7 at all",
        g_hl7=message("A5", accept="NE"),
    )
    answers = await run(*paths, mllp=door[1])
    assert [answer.answer for answer in answers] == [
        NONE_WANTED,
        "AA",
        NONE_WANTED,
        "AA",
        NONE_WANTED,
        NO_ANSWER,
        NONE_WANTED,
    ]


async def test_messages_answered_only_when_they_fail_are_waited_for_a_little(
    door: Door, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.senders.replay.PERHAPS_SECONDS", 0.01)
    door[0].silent.add(message("A1", accept="ER"))
    paths = write(tmp_path, a_hl7=message("A1", accept="ER"))
    assert [answer.answer for answer in await run(*paths, mllp=door[1])] == [NONE_WANTED]


async def test_a_message_cut_out_of_a_capture_is_sent_without_its_block_ends(
    door: Door, run: Run, tmp_path: Path
) -> None:
    paths = write(
        tmp_path, a_hl7=message("A1") + b"\x0b\r", b_hl7=b"\x0b" + message("A2") + b"\x1c\r"
    )
    answers = await run(*paths, mllp=door[1])
    assert [answer.answer for answer in answers] == ["AA", "AA"]
    assert door[0].taken == [message("A1"), message("A2")]


async def test_without_anybody_there_each_part_is_reported(run: Run, tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    paths = write(
        tmp_path, a_hl7=message("A1"), b_hl7=message("A2"), c_json=b'{"resourceType": "Patient"}'
    )
    url = f"http://127.0.0.1:{port}/fhir"
    answers = await run(*paths, mllp=("127.0.0.1", port), fhir=HttpDoor(url))
    assert [answer.answer for answer in answers] == [NO_ANSWER] * 3


async def test_parts_without_a_door_are_not_sent(run: Run, tmp_path: Path) -> None:
    paths = write(tmp_path, a_hl7=message("A1"), b_json=b'{"resourceType": "Patient"}')
    assert [answer.answer for answer in await run(*paths)] == [NOT_SENT] * 2


async def test_resources_and_orders_go_over_http_with_their_keys(
    door: Door, run: Run, tmp_path: Path
) -> None:
    paths = write(
        tmp_path,
        a_hl7=message("A1"),
        b_json=b'{"resourceType": "Patient", "id": "p1"}',
        c_json=b'{"resourceType": "Patient"',
        d_json=b'{"externalVisitId": "V1", "Services": []}',
        e_hl7=message("A2"),
    )
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "not JSON"}]}
    async with web() as fake:
        fake.script = [(201, {}), (400, outcome), (202, {"duplicate": True})]
        answers = await run(
            *paths,
            mllp=door[1],
            fhir=HttpDoor(f"{fake.url}/fhir", "secret"),
            orders=HttpDoor(f"{fake.url}/orders/", "other"),
        )
    assert [answer.answer for answer in answers] == ["AA", "201", "400", "202", "AA"]
    assert [answer.duplicate for answer in answers] == [False, False, False, True, False]
    assert answers[2].text == "not JSON"
    assert [line for line, _, _ in fake.requests] == [
        "PUT /fhir/Patient/p1",
        "POST /fhir/Patient",
        "POST /orders/services",
    ]
    assert fake.requests[0][1]["authorization"] == "bearer secret"
    assert fake.requests[0][1]["content-type"] == "application/fhir+json"
    assert fake.requests[2][1]["authorization"] == "bearer other"
    assert fake.requests[1][2] == b'{"resourceType": "Patient"'
