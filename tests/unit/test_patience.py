"""No test waits less than a minute of wall clock for what must come, and none measures speed."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.patience import PATIENCE

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("*.py"))
LEAST = 60
#: calls that wait, by the place of their seconds
WAITS = {
    "wait_for": 1,
    "timeout": 0,
    "settimeout": 0,
    "until": None,
    "communicate": None,
    "run": None,
    "Client": None,
    "AsyncClient": None,
    "urlopen": None,
    "join": 0,
    "settled": None,
    "became": None,
}
#: keywords of those calls that hold seconds
KEYWORDS = ("timeout", "seconds")


def name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def seconds_of(call: ast.Call) -> Iterator[ast.expr]:
    """What the call is given as seconds to wait."""
    place = WAITS[name(call)]
    if place is not None and len(call.args) > place:
        yield call.args[place]
    yield from (each.value for each in call.keywords if each.arg in KEYWORDS)


def is_short(seconds: ast.expr) -> bool:
    value = seconds.value if isinstance(seconds, ast.Constant) else None
    return isinstance(value, int | float) and value < LEAST


def hasty(text: str) -> list[str]:
    """The calls in this source that wait too short a time."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    waits = (call for call in calls if name(call) in WAITS)
    return [ast.unparse(call) for call in waits if any(map(is_short, seconds_of(call)))]


def test_the_patience_of_tests_is_a_minute_at_least_and_their_limit_is_longer() -> None:
    options = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    limit = options["tool"]["pytest"]["ini_options"]["timeout"]
    assert LEAST <= PATIENCE < limit / 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_no_wait_is_short(file: Path) -> None:
    assert hasty(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_every_http_client_is_patient(file: Path) -> None:
    """Unless told, httpx waits five seconds; a client of an ASGI application waits for none."""
    calls = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)]
    clients = [call for call in calls if name(call) in ("Client", "AsyncClient")]
    named = [{each.arg for each in call.keywords} for call in clients]
    assert [words for words in named if not words & {"timeout", "transport"}] == []


def test_no_example_of_a_property_has_a_deadline() -> None:
    assert hypothesis.settings.default is not None
    assert hypothesis.settings.default.deadline is None


@pytest.mark.parametrize(
    "text",
    [
        "await asyncio.wait_for(engine.wait_for(2), 20)",
        "async with asyncio.timeout(5): pass",
        "subprocess.run([], timeout=30)",
        "await until(look, 'it is', seconds=20.0)",
        "connection.settimeout(10)",
    ],
)
def test_a_short_wait_is_noticed(text: str) -> None:
    source = "async def test() -> None:\n    " + text
    assert len(hasty(source)) == 1
