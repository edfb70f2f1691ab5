"""Logs tell what happened, and nothing of a patient."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bridge import logs
from bridge.delivery import Reason
from bridge.logs import ALLOWED, configure, keep_allowed, observe
from tests.logging import logging_restored

SECRET = "Sunita Deshpande 9822012345"
PACKAGE = Path(logs.__file__).parent
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged so far, line by line; everything global is put back afterwards."""
    stream = io.BytesIO()
    with logging_restored():
        configure("INFO", stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_event_with_level_and_time(lines: Lines) -> None:
    structlog.get_logger().info("message kept", channel="default", message=7)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "message kept", "level": "info", "channel": "default", "message": 7}


def test_a_line_holds_no_character_that_cannot_be_seen(lines: Lines) -> None:
    stream = io.BytesIO()
    configure("INFO", stream)
    structlog.get_logger().info("peer", peer="a\u202eb\x7f\u200b")
    assert b'"peer":"a\\u202eb\\u007f\\u200b"' in stream.getvalue()


def test_a_key_that_is_not_allowed_is_dropped_and_named(lines: Lines) -> None:
    structlog.get_logger().info("message kept", full_name=SECRET, lane=f"patient/{SECRET}")
    assert SECRET not in json.dumps(lines())
    assert lines()[0]["dropped"] == ["full_name", "lane"]


@given(st.dictionaries(st.text(max_size=12), st.text(min_size=1)))
def test_whatever_is_logged_only_allowed_keys_come_out(event: dict[str, str]) -> None:
    told = keep_allowed(None, "info", dict(event))
    assert set(told) <= ALLOWED


def test_a_reason_is_told_only_as_a_member_of_its_closed_set(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info("call made", reason=Reason.LIMITED)
    log.info("call made", reason=f"no record of {SECRET}")
    told, untold = lines()
    assert told["reason"] == "over the call limit"
    assert "reason" not in untold
    assert untold["dropped"] == ["reason"]


@pytest.mark.parametrize("usual", ["ADT^A04", "ACK", "Patient", "prescription-order"])
def test_a_usual_message_type_is_told(usual: str) -> None:
    assert keep_allowed(None, "info", {"message_type": usual}) == {"message_type": usual}


@pytest.mark.parametrize("odd", ["98220^12345", "Rao", "DESHPANDE^SUNITA", "MRN00123", ""])
def test_what_stands_in_the_place_of_a_message_type_is_not_told(odd: str) -> None:
    assert keep_allowed(None, "info", {"message_type": odd}) == {"dropped": ["message_type"]}


def test_values_with_an_inside_are_dropped(lines: Lines) -> None:
    structlog.get_logger().info("message kept", status={"name": SECRET}, count=[SECRET])
    assert lines()[0]["dropped"] == ["count", "status"]


def test_an_exception_is_told_by_type_and_place_without_its_message(lines: Lines) -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise LookupError(SECRET) from error
    except LookupError:
        structlog.get_logger().exception("translation failed")
    (line,) = lines()
    assert line["error"] == "LookupError from ValueError"
    assert "test_logs.py" in line["frames"][0]
    assert SECRET not in json.dumps(line)


def test_a_library_line_shows_its_template_and_not_its_arguments(lines: Lines) -> None:
    logging.getLogger("hl7.util").warning("Error decoding value [%s]", SECRET)
    (line,) = lines()
    assert line["template"] == "Error decoding value [%s]"
    assert (line["logger"], line["level"]) == ("hl7.util", "warning")
    assert SECRET not in json.dumps(line)


def test_a_library_text_put_together_beforehand_is_not_told(lines: Lines) -> None:
    logging.getLogger("asyncio").error(f"Task failed: {SECRET}")
    assert lines()[0]["template"] == ""
    assert SECRET not in json.dumps(lines())


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "uvicorn.access"])
def test_libraries_that_log_urls_are_silent(lines: Lines, name: str) -> None:
    logging.getLogger(name).error("GET /zauto-api/patients/%s", SECRET)
    assert lines() == []


def test_library_lines_below_warning_are_left_out(lines: Lines) -> None:
    logging.getLogger("anything").info("started")
    assert lines() == []


class _Level:
    def __init__(self, name: str) -> None:
        self.name = name


class _Failure:
    def __init__(self, value: BaseException) -> None:
        self.value = value

    def getTracebackObject(self) -> Any:  # noqa: N802
        return self.value.__traceback__


def test_a_failure_in_twisted_is_told_by_type(lines: Lines) -> None:
    observe({"log_namespace": "twisted.protocol", "log_failure": _Failure(ValueError(SECRET))})
    (line,) = lines()
    assert (line["logger"], line["error"]) == ("twisted.protocol", "ValueError")
    assert SECRET not in json.dumps(line)


def test_what_twisted_says_when_all_is_well_is_left_out(lines: Lines) -> None:
    observe({"log_namespace": "twisted.internet", "log_level": _Level("info")})
    assert lines() == []


def test_a_crash_is_told_without_its_message(lines: Lines) -> None:
    error = RuntimeError(SECRET)
    sys.excepthook(RuntimeError, error, None)
    (line,) = lines()
    assert (line["level"], line["error"]) == ("critical", "RuntimeError")
    assert SECRET not in json.dumps(line)


def test_a_warning_is_logged_by_category_and_place(lines: Lines) -> None:
    warnings.warn_explicit(f"Expected `int`, got {SECRET}", UserWarning, "a/b/models.py", 12)
    (line,) = lines()
    assert (line["event"], line["error"]) == ("warning", "UserWarning")
    assert (line["file"], line["line"]) == ("a/b/models.py", 12)
    assert SECRET not in json.dumps(line)


def test_a_library_whose_own_handler_fails_prints_no_argument(
    lines: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("a.library")
    own = logging.StreamHandler()
    logger.addHandler(own)
    try:
        logger.warning("%d records", SECRET)
    finally:
        logger.removeHandler(own)
    assert SECRET not in "".join(capfd.readouterr())


def test_a_fault_in_a_test_shows_no_locals(capfd: pytest.CaptureFixture[str]) -> None:
    name = SECRET
    try:
        int(name)
    except ValueError:
        structlog.get_logger().exception("translation failed")
    assert SECRET not in "".join(capfd.readouterr())
    assert structlog.get_config()["processors"] != structlog._config._BUILTIN_DEFAULT_PROCESSORS


SCRIPTS = [
    file
    for file in [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "bench").glob("*.py")]
    if 'if __name__ == "__main__"' in (text := file.read_text(encoding="utf-8"))
    and re.search(r"^(from|import) bridge", text, re.MULTILINE)
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_every_script_configures_the_log_first(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    last = text.partition('if __name__ == "__main__":\n')[2].splitlines()
    commands = [line.strip() for line in last]
    assert commands[0] in ('logs.configure("WARNING")', "main()")
    assert commands[0] != "main()" or "from bridge.cli.app import main" in text


def _log_calls() -> Iterator[tuple[Path, ast.Call]]:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_log(node.func):
                yield file, node


def _is_log(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in ("debug", "info", "warning", "error", "exception", "critical")
        and ast.unparse(function.value).rpartition(".")[2] in ("log", "_log", "logger", "_logger")
    )


def _constant(event: ast.expr) -> bool:
    """A text, or one of two."""
    if isinstance(event, ast.IfExp):
        return _constant(event.body) and _constant(event.orelse)
    return isinstance(event, ast.Constant)


def test_every_event_of_the_package_is_a_constant_and_every_key_allowed() -> None:
    for file, call in _log_calls():
        place = f"{file}:{call.lineno}"
        assert len(call.args) == 1, place
        assert _constant(call.args[0]), place
        keys = {keyword.arg for keyword in call.keywords} - {"exc_info"}
        assert keys <= ALLOWED, f"{place}: {keys - ALLOWED}"
