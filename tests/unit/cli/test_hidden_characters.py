"""Whatever came from outside, no command prints a character that cannot be seen."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bridge import cli
from bridge.causes import Cause, CauseKind
from bridge.cli.app import main
from bridge.delivery import Alias, FieldError, Kind, Outcome, Reason, Request
from bridge.message import Message, Protocol, Status
from bridge.remarks import Remark, RemarkCode
from bridge.store.contract import Transaction
from bridge.store.open import open_store
from bridge.visible import HIDDEN
from tests.unit.cli.conftest import Run
from tests.unit.pipeline.bench import a_patient

HIDDEN_ONES = (
    *(chr(point) for point in range(0x20)),
    *(chr(point) for point in range(0x7F, 0xA0)),
    *(chr(point) for point in range(0x200B, 0x2010)),
    *(chr(point) for point in range(0x2028, 0x202F)),
    *(chr(point) for point in range(0x2060, 0x206A)),
    *("\u061c", "\u00ad", "\ufeff"),
)
#: between two letters each, so that nothing strips it
PLANTED = "".join(f"x{character}y" for character in HIDDEN_ONES)
#: the same as a field of a message can hold it: no segment ends in it
FIELD = PLANTED.replace("x\ry", "").replace("x\ny", "")
MESSAGES = 5
VERBS = (
    *(("messages",), ("messages", "--reveal"), ("messages", "--json"), ("messages", "quarantine")),
    *(("messages", "show", str(number)) for number in range(1, MESSAGES + 1)),
    *(("messages", "show", str(number), "--reveal") for number in range(1, MESSAGES + 1)),
    *(("messages", "show", "2", "--json"), ("messages", "show", "2", "--reveal", "--json")),
    *(("messages", "quarantine", "--reveal"), ("messages", "quarantine", "--reveal", "--json")),
    *(("status",), ("status", "--json"), ("merges", "--reveal"), ("merges", "--reveal", "--json")),
    *(("codes", "--reveal"), ("codes", "--reveal", "--json"), ("remarks",), ("remarks", "--json")),
)


def unseen(printed: str) -> list[str]:
    """What a terminal would obey or hide; lines end in line feeds."""
    return [f"U+{ord(each):04X}" for each in HIDDEN.findall(printed) if each != "\n"]


def keep(tx: Transaction, control_id: str, kind: str, status: Status) -> int:
    body = f"MSH|^~\\&|{FIELD}|{FIELD}|||||{kind}|{control_id}|P|2.5.1\rPID|1||{FIELD}\r"
    given = Message(
        "default", Protocol.HL7V2, kind, control_id, FIELD, FIELD, 1.0, body.encode(), FIELD
    )
    cause = Cause(CauseKind.UNREADABLE, path="PID-3", name="is odd")
    return tx.keep(
        given,
        status=status,
        answer_code="AA",
        acknowledgment=f"MSA|AA|{FIELD}".encode(),
        identity=None,
        cause=cause if status is Status.PARKED else None,
    ).id


def plant(tx: Transaction) -> None:
    """Messages in many states, all of them with such characters in each place that is kept."""
    keep(tx, FIELD, f"ADT^A04{FIELD}", Status.UNMAPPED)
    refused = keep(tx, FIELD, "ADT^A04", Status.WAITING)
    number = tx.add(refused, 0, "patients/P1", a_patient(FIELD, fullName=FIELD), 1.0)
    (delivery,) = tx.deliveries_of(refused)
    attempt = tx.begin(delivery, Request("POST", "patients", FIELD, {"fullName": FIELD}), 1.0)
    said = Outcome(
        Kind.PERMANENT,
        Reason.INVALID,
        400,
        detail=PLANTED,
        field_errors=(FieldError(PLANTED, PLANTED),),
    )
    tx.end(attempt, said, 1.0)
    cause = Cause(CauseKind.REFUSED_FIELDS, fields=("fullName",), said=PLANTED)
    tx.settle(number, Status.PARKED, at=1.0, cause=cause)
    remarks = (Remark(RemarkCode.NOT_A_PHONE, "PID-13", sent=PLANTED),)
    for number, kind, status in ((3, CauseKind.REFUSED, Status.PARKED),):
        kept = keep(tx, FIELD, f"{FIELD}^A04", Status.WAITING)
        assert kept == number
        cause = Cause(kind, name=PLANTED, said=PLANTED)
        tx.mark(kept, status, at=1.0, cause=cause, remarks=remarks, mapping="adt/registered")
    held = keep(tx, FIELD, "ADT^A04", Status.WAITING)
    tx.mark(held, Status.HELD, at=1.0, waits_for=f"patients/{PLANTED}", remarks=remarks)
    keep(tx, FIELD, "Umbrelia^Thistle", Status.UNMAPPED)
    tx.quarantine("default", PLANTED, PLANTED, PLANTED.encode(), 1.0)
    tx.count_code("gender", PLANTED, PLANTED, 1.0)
    tx.count_remark(PLANTED, remarks[0], refused, 1.0)
    tx.put_alias(Alias(f"patients/{PLANTED}", f"patients/{PLANTED}", PLANTED, False, refused, 1.0))


@pytest.fixture
async def planted(run: Run, tmp_path: Path) -> Run:
    store = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 1.0)
    await store.run(plant)
    await store.close()
    return run


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
async def test_no_verb_prints_one(planted: Run, words: tuple[str, ...]) -> None:
    result = await asyncio.to_thread(planted, *words)
    # of `status` the code says whether a person is needed
    assert result.exit_code == 0 or words[0] == "status", result.output
    assert unseen(result.output) == []
    if "--json" in words:
        json.loads(result.stdout)


async def test_what_was_planted_is_shown_by_its_code_point(planted: Run) -> None:
    shown = await asyncio.to_thread(planted, "messages", "show", "3", "--reveal")
    assert "<U+001B>" in shown.stdout
    assert "<U+202E>" in shown.stdout
    whole = json.loads((await asyncio.to_thread(planted, "messages", "--json")).stdout)
    assert {row["control_id"] for row in whole} == {FIELD}


async def test_what_is_no_message_type_is_not_shown_as_one(planted: Run) -> None:
    rows = json.loads((await asyncio.to_thread(planted, "messages", "--json")).stdout)
    odd = "(not a message type)"
    assert [row["message_type"] for row in rows] == [odd, "ADT^A04", odd, "ADT^A04", odd]
    status = json.loads((await asyncio.to_thread(planted, "status", "--json")).stdout)
    assert status["unmapped_types"] == [{"message_type": odd, "count": 2}]
    revealed = await asyncio.to_thread(planted, "messages", "--reveal")
    assert "Umbrelia^Thistle" in revealed.stdout.replace("\n", "")


def test_all_that_is_printed_goes_through_one_module() -> None:
    """Else a text could reach the terminal as it came."""
    printed = re.compile(r"typer\.echo\(|(?<![.\w])print\(|stdout\.(buffer\.)?write|\bConsole\(")
    found = [
        f"{file.name}: {line.strip()}"
        for file in Path(cli.__file__).parent.rglob("*.py")
        if file.name != "tables.py"
        for line in file.read_text().splitlines()
        # the bar of a replay shows numbers only
        if printed.search(line) and "Console(stderr=True)" not in line
    ]
    assert found == []


@pytest.mark.parametrize("more", [(), ("--explain",), ("--json",)])
@pytest.mark.parametrize("place", [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 18, 20])
def test_a_translation_prints_none(
    run: Run, tmp_path: Path, place: int, more: tuple[str, ...]
) -> None:
    msh = "MSH|^~\\&|HIS|LOTUS|BRIDGE|ZAUTO|20260301100000||ADT^A04|C1|P|2.5.1||||||||".split("|")
    msh[place - 1] += FIELD
    pid = f"PID|1||4711^^^LOTUS^MR||Nair{FIELD}^Meera||19840712|F|||12 Lake{FIELD}||98450{FIELD}"
    file = tmp_path / "odd.hl7"
    file.write_bytes(f"{'|'.join(msh)}\rEVN||20260301100000\r{pid}\rPV1|1|O\r".encode())
    result = run("translate", str(file), *more)
    assert unseen(result.output) == []


class _Odd(BaseHTTPRequestHandler):
    """A ZautoAI whose answers hold such characters wherever text can stand."""

    refuses = False

    def do_POST(self) -> None:
        self._say(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600})

    def do_GET(self) -> None:
        if self.refuses:
            errors = [{"field": PLANTED, "message": PLANTED}]
            self._say(400, {"status": "error", "message": PLANTED, "errors": errors})
            return
        record = {"externalId": "P1", "email": PLANTED, "fullName": PLANTED, PLANTED: PLANTED}
        pagination = {"totalCount": PLANTED, "totalPages": PLANTED, "hasNext": True}
        one = "/patients/" in self.path
        data = record if one else [record]
        self._say(200, {"status": "success", "data": data, "pagination": pagination})

    def _say(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(params=["answers", "refuses"])
def odd_zauto(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(_Odd, "refuses", request.param == "refuses")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("BRIDGE_ZAUTO__BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_ID", "client")
    monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_SECRET", "secret")
    yield str(request.param)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("more", [(), ("--json",), ("--reveal",), ("--reveal", "--json")])
@pytest.mark.parametrize("verb", [("get", "patients", "P1"), ("list", "patients")])
def test_what_zauto_answers_is_printed_without(
    run: Run,
    odd_zauto: str,
    verb: tuple[str, ...],
    more: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = ["bridge", "zauto", *verb, *more]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capfd.readouterr()
    assert unseen(printed.out + printed.err + str(ended.value.code or "")) == []
    assert bool(ended.value.code) is (odd_zauto == "refuses")
