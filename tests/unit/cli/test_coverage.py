"""`bridge coverage`: as a table, a page and JSON, of files and of what the store kept."""

from __future__ import annotations

import asyncio
import json
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.coverage.page import Markup, page, tag
from bridge.cli.since import seconds_of
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.store.open import open_store
from tests.unit.cli.conftest import Run
from tests.unit.pipeline.hl7 import adt, message

#: what of the message below is a patient's
SECRETS = ("4711", "Nair", "Meera", "9845000001", "V-77", "19840712", "Lake Road", "PV1|")
BODY = adt(visit="V-77") + b"PV2|||||X\rZPI|1|Nair\r"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "registration.hl7"
    path.write_bytes(BODY)
    return path


def keep(tmp_path: Path, *ages: float) -> None:
    """Messages kept so many seconds ago, in the store of the command."""

    async def run() -> None:
        store = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=time.time)
        for age in ages:
            kept = message(BODY, time.time() - age)
            await store.run(
                lambda tx, kept=kept: tx.keep(
                    kept,
                    status=Status.WAITING,
                    answer_code="CA",
                    acknowledgment=b"",
                    identity=None,
                )
            )
        await store.close()

    asyncio.run(run())


def test_what_is_never_mapped_comes_first(run: Run, file: Path) -> None:
    result = run("coverage", str(file))
    assert result.exit_code == 0
    assert "1 message: 3 paths came that no rule reads." in result.output
    table = result.output.partition("never mapped")[2]
    assert table.index("PV2-5") < table.index("rules never used")
    assert "whole segment: 1 2" in table


def test_what_is_thrown_away_is_shown_without_asking(run: Run, tmp_path: Path) -> None:
    odd = tmp_path / "odd.hl7"
    odd.write_bytes(adt().replace(b"19840712", b"12/07/1984"))
    result = run("coverage", str(odd))
    assert "1 path came with values that were thrown away" in result.output
    assert "values thrown away, with a remark" in result.output
    (line,) = (one for one in result.output.splitlines() if one.strip().startswith("PID-7 "))
    assert line.split()[-3:] == ["1", "0", "1"]
    assert "12/07/1984" not in result.output


def test_all_shows_what_is_covered_and_by_which_rule(run: Run, file: Path) -> None:
    plain, whole = (run("coverage", str(file), *more).output for more in ((), ("--all",)))
    assert "fullName 1" not in plain
    assert "fullName 1" in whole


@pytest.mark.parametrize("words", [[], ["--json"], ["--all", "--html", "page.html"]])
def test_no_value_of_a_message_is_shown(run: Run, file: Path, words: list[str]) -> None:
    shown = run("coverage", str(file), *words).output
    if "page.html" in words:
        shown += Path("page.html").read_text()
    assert [secret for secret in SECRETS if secret in shown] == []


def test_json_holds_every_row(run: Run, file: Path) -> None:
    report = json.loads(run("coverage", "--json", str(file)).stdout)
    assert report["complete"] is False
    (mapping,) = report["mappings"]
    assert mapping["rows"][0] | {"name": ""} == {
        "path": "PV2-5",
        "name": "",
        "present": 1,
        "state": "never mapped",
        "used": None,
        "thrown_away": 0,
        "rules": [],
    }


def test_the_store_is_read_back_to_the_time_that_is_meant(run: Run, tmp_path: Path) -> None:
    keep(tmp_path, 90_000, 3000, 60)
    for span, count in (("2d", 3), ("1h", 2), ("5m", 1)):
        report = json.loads(run("coverage", "--since", span, "--json").stdout)
        assert report["messages"] == count


def test_a_page_is_whole_and_loads_nothing(run: Run, file: Path) -> None:
    assert "written to page.html" in run("coverage", str(file), "--html", "page.html").output
    text = Path("page.html").read_text()
    checker = _Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.loaded == []
    assert "PV2-5" in text


class _Checker(HTMLParser):
    """Notes tags left open and what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, name: str, attributes: Any) -> None:
        if name != "meta":
            self.open.append(name)
        self.loaded += [value for key, value in attributes if key in ("src", "href")]

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name


def test_a_page_that_cannot_be_written_is_told(run: Run, file: Path) -> None:
    result = run("coverage", str(file), "--html", "nowhere/page.html")
    assert isinstance(result.exception, BridgeError)
    told = "--html nowhere/page.html: cannot be written: No such file or directory"
    assert str(result.exception) == told


def test_a_page_shows_what_cannot_be_seen() -> None:
    assert tag("b", "a\u202eb\x1b") == "<b>a&lt;U+202E&gt;b&lt;U+001B&gt;</b>"


def test_what_stands_in_a_page_is_escaped() -> None:
    assert tag("td", "<b>&", title='"') == '<td title="&quot;">&lt;b&gt;&amp;</td>'
    assert tag("td", tag("b", "x")) == Markup("<td><b>x</b></td>")
    report: dict[str, Any] = {
        "mappings_hashes": {"": "<script>"},
        "messages": 1,
        "refused": 0,
        "unreadable": 0,
        "mappings": [],
        "codes": [{"table": "gender", "code": "<script>", "count": 1}],
        "unmapped_types": [],
        "idle_mappings": ["<script>"],
    }
    assert "<script>" not in page(report, "<script>")


@pytest.mark.parametrize(("span", "seconds"), [("30m", 1800), ("24h", 86_400), ("7d", 604_800)])
def test_a_span_is_so_long(span: str, seconds: int) -> None:
    assert seconds_of(span) == seconds


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name files or folders"),
        (["x.hl7", "--since", "7d"], "not both"),
        (["--since", "week"], "24h or 7d"),
        (["--since", "7d"], "there is no store"),
        (["nowhere"], "no such file: nowhere"),
    ],
)
def test_what_cannot_be_looked_at_is_said(run: Run, words: list[str], told: str) -> None:
    result = run("coverage", *words)
    assert isinstance(result.exception, BridgeError)
    assert told in str(result.exception)
