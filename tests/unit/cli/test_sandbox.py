"""`bridge sandbox` and what is asked of a running one."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bridge.errors import DoorError
from bridge.sandbox.accounts import Accounts, ClientCredentials
from bridge.sandbox.database import Database


@contextmanager
def running(status: int, answer: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Something that answers every POST so, and what it was asked."""
    asked: list[tuple[str, bytes]] = []

    class Talk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Talk) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("client", ["id", "id:", ":secret"])
def test_a_client_of_the_sandbox_needs_id_and_secret(run: Any, client: str) -> None:
    result = run("sandbox", "--client", client)
    assert result.exit_code == 2
    assert "ID:SECRET" in result.output


def test_a_new_client_is_made_in_the_file_and_its_secret_printed(run: Any, tmp_path: Path) -> None:
    result = run("sandbox", "--new-client", "hospital", "--read-only", "--state", "s.db")
    made = re.fullmatch(
        r"client id      (zauto_hospital_[0-9a-f]{8})\nclient secret  (zauto_[0-9a-f]{64})\n",
        result.output,
    )
    assert made is not None, result.output
    state = Database(tmp_path / "s.db")
    assert Accounts(state).knows(ClientCredentials(made[1], made[2]))
    assert state.db.execute("SELECT read_only FROM clients").fetchone() == (1,)
    state.close()


def test_a_new_client_is_asked_of_the_sandbox_that_runs(run: Any) -> None:
    made = {"client_id": "zauto_a_00000000", "client_secret": "zauto_s"}
    with running(201, made) as (url, asked):
        result = run("sandbox", "--new-client", "a", "--port", url.rpartition(":")[2])
    assert result.output == "client id      zauto_a_00000000\nclient secret  zauto_s\n"
    assert [(path, json.loads(body)) for path, body in asked] == [
        ("/sandbox/clients", {"name": "a", "read_only": False})
    ]


def test_a_name_that_is_none_is_told(run: Any) -> None:
    result = run("sandbox", "--new-client", "a b", "--state", "s.db")
    assert isinstance(result.exception, DoorError)
    assert "letters, digits and hyphens" in str(result.exception)


def test_a_reset_is_asked_for(run: Any) -> None:
    with running(200, {"message": "Test data was reset"}) as (url, asked):
        result = run("sandbox", "reset", "--url", url)
    assert result.output == "Test data was reset\n"
    assert asked == [("/sandbox/reset", b"")]


def test_the_sandbox_at_the_port_is_asked(run: Any) -> None:
    with running(200, {"message": "Test data was reset"}) as (url, asked):
        result = run("sandbox", "--port", url.rpartition(":")[2], "reset")
    assert result.exit_code == 0
    assert asked == [("/sandbox/reset", b"")]


def test_an_order_is_pushed_and_the_answer_printed(run: Any, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"externalVisitId": "v1"}')
    with running(202, {"id": 7}) as (url, asked):
        result = run("sandbox", "push", "services", "order.json", "--url", url)
    assert json.loads(result.output) == {"id": 7}
    assert asked == [("/sandbox/push/services", b'{"externalVisitId": "v1"}')]


def test_what_the_sandbox_refuses_is_told(run: Any) -> None:
    with running(409, {"message": "no partner is known"}) as (url, _):
        result = run("sandbox", "reset", "--url", url)
    assert isinstance(result.exception, DoorError)
    assert "answered 409" in str(result.exception)
    assert "no partner is known" in str(result.exception)


def test_a_sandbox_that_does_not_run_is_told(run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = run("sandbox", "reset", "--url", f"http://127.0.0.1:{port}")
    assert isinstance(result.exception, DoorError)
    assert "start one with 'bridge sandbox'" in str(result.exception)


def test_an_order_that_is_not_there_is_told(run: Any) -> None:
    result = run("sandbox", "push", "services", "gone.json")
    assert isinstance(result.exception, DoorError)
    assert str(result.exception).startswith("gone.json: cannot be read")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--reset-at", "25:00"], "HH:MM"),
        (["--push-auth", "magic"], "key, bearer, basic, hmac"),
        (["--push-to", "127.0.0.1:8080"], "http://HOST:PORT"),
        (["--port", "65536"], "65535"),
    ],
)
def test_an_option_that_is_wrong_is_told(run: Any, words: list[str], told: str) -> None:
    result = run("sandbox", *words)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_a_plan_of_faults_that_is_wrong_is_told(run: Any, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("- {fault: {kind: explode}}")
    result = run("sandbox", "--fault-plan", "plan.yaml")
    assert isinstance(result.exception, DoorError)
    assert "0.fault.kind" in str(result.exception)
