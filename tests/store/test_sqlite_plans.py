"""The SQL files: every query is used, and none that runs often ever scans a table."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.delivery import Target
from bridge.message import Status
from bridge.store import rules
from bridge.store.acknowledgments import Answering
from bridge.store.sqlite import opening
from bridge.store.sqlite.lock import hold
from bridge.store.sqlite.sql import SQL, split

#: what is counted by status
KINDS = ("message", *(f"delivery/{target}" for target in Target))
#: run once at start, or read a table that holds few rows: `forget_codes` keeps its own small
MAY_SCAN = {
    *(
        "leased_heads",
        "leased_head_ids",
        "all_aliases",
        "drop_alias",
        "counts",
        "versions",
        "codes",
        "forget_codes",
        "due_routes",
    ),
    *("remark_counts", "remark_totals", "forget_remarks", "parked_counts", "parked_by_cause"),
    # the few deliveries without a clear answer
    *("record_written", "forget_failures", "forget_unclear"),
    # run once at start, and where the clock jumped
    *("shift_lanes", "shift_deliveries", "lanes_quiet_again", "deliveries_quiet_again"),
    *("read_again_later", "shift_breakers", "shift_trouble", "shift_missing_endpoints"),
    *("shift_held_messages", "shift_held_deliveries", "shift_due_acknowledgments"),
    *("shift_remaining", "all_calls", "forget_all_calls"),
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    lock = hold(tmp_path_factory.mktemp("plans") / "bridge.db")
    with closing(opening.connect_writer(lock)) as writer:
        yield writer
    lock.release()


def plan_of(connection: sqlite3.Connection, query: str) -> list[str]:
    sql = SQL[query]
    values = dict.fromkeys(re.findall(r":(\w+)", sql))
    return [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize("query", sorted(set(SQL) - MAY_SCAN))
def test_no_query_scans(connection: sqlite3.Connection, query: str) -> None:
    assert [step for step in plan_of(connection, query) if "SCAN" in step] == []


@pytest.mark.parametrize(
    "query",
    [
        "ready_heads",
        "next_due",
        "next_in_lane",
        "untranslated",
        "ready_head_ids",
        "messages",
        "messages_of_status",
        "messages_of_cause",
        "held_for",
    ],
)
def test_no_hot_query_sorts(connection: sqlite3.Connection, query: str) -> None:
    assert [step for step in plan_of(connection, query) if "TEMP B-TREE" in step] == []


def test_routes_are_found_without_reading_what_is_due_by_them(
    connection: sqlite3.Connection,
) -> None:
    plan = plan_of(connection, "due_routes")
    scans = [step.split()[1] for step in plan if step.startswith("SCAN")]
    assert set(scans) == {"routes"}
    assert sum("SEARCH application_acknowledgment" in step for step in plan) == 2


def test_every_statement_is_used_and_every_used_one_exists() -> None:
    source = "".join(file.read_text() for file in Path(rules.__file__).parent.glob("*.py"))
    calls = r'(?:\.|\b)(?:each|one|all|change|insert|insert_rows)\(\s*"(\w+)"'
    assert set(re.findall(calls, source)) == set(SQL)


@pytest.mark.parametrize("name", sorted(SQL))
def test_parameters_have_names(name: str) -> None:
    assert "?" not in SQL[name]


def test_every_status_has_a_row_to_be_counted_in(connection: sqlite3.Connection) -> None:
    rows = connection.execute("SELECT kind, status FROM tally WHERE kind <> 'quarantine'")
    kept = {status for status in Status if status is not Status.DUPLICATE}
    counted = {(kind, status) for kind in KINDS for status in kept}
    counted |= {("acknowledgment", state) for state in Answering}
    assert {tuple(row) for row in rows} == counted


def test_a_file_of_queries_is_split_by_their_names() -> None:
    text = "-- name: one\nSELECT 1\n\n-- name: two\n-- why\nSELECT\n  2\n"
    assert split(text) == {"one": "SELECT 1", "two": "-- why\nSELECT\n  2"}
