"""A fault in any command shows where it is, and neither its message nor any local variable."""

from __future__ import annotations

import asyncio
import json
import shlex
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import app as module
from bridge.cli import options
from bridge.demo import expected
from bridge.service.reactor import start_reactor, stop_reactor
from bridge.zauto import catalogue
from tests.logging import logging_restored
from tests.unit.cli.test_help import BY_NAME, COMMANDS

ROOT = Path(__file__).parents[3]
NAME = "Quillomena Zephyrinthala"
PHONE = "+919812345607"


def fault(*_: object, **__: object) -> Any:
    patient = {"fullName": NAME}
    raise LookupError(f"{PHONE} of {patient['fullName']}")


def chained(*_: object, **__: object) -> Any:
    try:
        fault()
    except LookupError as error:
        raise ValueError(NAME) from error


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A fault in what every command does early: settings, catalogue, expectations, a request."""
    monkeypatch.setattr(options, "load", chained)
    monkeypatch.setattr(catalogue, "load", chained)
    monkeypatch.setattr(expected, "read", chained)
    monkeypatch.setattr(urllib.request, "build_opener", chained)
    monkeypatch.chdir(ROOT)
    with logging_restored():
        yield


#: groups that do nothing themselves
GROUPS = ("zauto", "mapping")


@pytest.mark.parametrize("name", [each for each in COMMANDS if each not in GROUPS])
def test_a_fault_in_a_command_is_logged_without_its_message_and_locals(
    planted: None, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    example = BY_NAME[name].help.partition("Example: ")[2].strip().splitlines()[0]
    monkeypatch.setattr("sys.argv", shlex.split(example))
    with pytest.raises(SystemExit) as ended:
        module.main()
    out, err = capfd.readouterr()
    assert "a fault inside the bridge" in str(ended.value.code)
    (line,) = err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["error"]) == ("crashed", "ValueError from LookupError")
    assert event["frames"][-1].startswith("unit/cli/test_planted_fault.py:")
    for shown in (out, err, str(ended.value.code)):
        assert NAME not in shown
        assert PHONE not in shown


def _in_a_task() -> None:
    async def leave() -> None:
        await asyncio.wait([asyncio.ensure_future(_fault())])

    asyncio.run(leave())


async def _fault() -> None:
    fault()


def _in_a_callback() -> None:
    async def call() -> None:
        asyncio.get_running_loop().call_soon(fault)
        await asyncio.sleep(0)

    asyncio.run(call())


def _in_a_thread() -> None:
    thread = threading.Thread(target=fault)
    thread.start()
    thread.join()


def _in_a_finalizer() -> None:
    class Finalized:
        def __del__(self) -> None:
            fault()

    Finalized()


def _in_the_reactor() -> None:
    async def call() -> None:
        reactor = start_reactor(asyncio.get_running_loop())
        over = asyncio.Event()
        reactor.callLater(0, fault)
        reactor.callLater(0, over.set)
        await over.wait()
        stop_reactor(reactor)

    asyncio.run(call())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "place", [_in_a_task, _in_a_callback, _in_a_thread, _in_a_finalizer, _in_the_reactor]
)
def test_a_fault_that_nobody_catches_is_logged_without_its_message_and_locals(
    capfd: pytest.CaptureFixture[str], place: Any
) -> None:
    with logging_restored():
        module.logs.configure("WARNING")
        place()
    err = "".join(capfd.readouterr())
    assert "LookupError" in err
    assert NAME not in err
    assert PHONE not in err


def test_no_command_prints_tracebacks_of_its_own() -> None:
    for app in (module.app, *(each.typer_instance for each in module.app.registered_groups)):
        assert app is not None
        assert not app.pretty_exceptions_show_locals
    assert not module.app.pretty_exceptions_enable
