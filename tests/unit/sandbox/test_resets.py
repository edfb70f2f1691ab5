"""The nightly reset, by a clock that only the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from bridge.sandbox.database import Database
from bridge.sandbox.journal import Effect
from bridge.sandbox.parts import Options, SandboxParts, make_parts
from bridge.zauto.catalogue import Catalogue
from tests.unit.sandbox.conftest import Clock

PROVIDER = b'{"id": "d1", "fullName": "Dr. Farah Khan"}'


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock(at("2026-03-01T22:00"))


def start(
    catalogue: Catalogue, state: Database, clock: Clock, nightly: time | None
) -> SandboxParts:
    return make_parts(catalogue, state, Options(nightly=nightly, clock=clock))


def holds(parts: SandboxParts) -> bool:
    return parts.state.records.find("providers", "d1") is not None


@pytest.mark.parametrize(
    ("nightly", "now", "is_reset"),
    [
        (time(2, 30), "2026-03-02T02:29", False),
        (time(2, 30), "2026-03-02T02:30", True),
        (time(23, 0), "2026-03-01T23:00", True),
        (time(22, 0), "2026-03-01T23:59", False),
        (time(22, 0), "2026-03-02T22:00", True),
        (None, "2026-04-01T00:00", False),
    ],
)
def test_the_first_request_behind_the_moment_finds_the_test_records_only(
    catalogue: Catalogue,
    state: Database,
    clock: Clock,
    nightly: time | None,
    now: str,
    is_reset: bool,
) -> None:
    parts = start(catalogue, state, clock, nightly)
    parts.collections["providers"].create(PROVIDER, clock.now)
    clock.now = at(now)
    parts.resets.keep_up(clock.now)
    assert holds(parts) is not is_reset
    assert parts.state.records.find("providers", "test-provider-001") is not None


def test_each_night_resets_once_and_is_written_down(
    catalogue: Catalogue, state: Database, clock: Clock
) -> None:
    parts = start(catalogue, state, clock, time(2, 0))
    for hour in ("02T02:00", "02T02:01", "02T20:00", "03T09:00"):
        clock.now = at(f"2026-03-{hour}")
        parts.resets.keep_up(clock.now)
    resets = [e.at for _, e in state.journal.after(0, 9) if e.effect is Effect.RESET]
    assert resets == [at("2026-03-02T02:00"), at("2026-03-03T02:00")]


def test_a_night_it_was_down_is_made_up_for(
    catalogue: Catalogue, state: Database, clock: Clock
) -> None:
    before = start(catalogue, state, clock, time(2, 0))
    before.collections["providers"].create(PROVIDER, clock.now)
    clock.now = at("2026-03-02T08:00")
    after = start(catalogue, state, clock, time(2, 0))
    after.resets.keep_up(clock.now)
    assert not holds(after)


def test_search_forgets_what_was_reset(catalogue: Catalogue, state: Database, clock: Clock) -> None:
    parts = start(catalogue, state, clock, time(2, 0))
    providers = parts.collections["providers"]
    providers.create(PROVIDER, clock.now)
    assert providers.list({"search": "farah"}).body["pagination"]["totalCount"] == 1
    clock.now = at("2026-03-02T08:00")
    parts.resets.keep_up(clock.now)
    assert providers.list({"search": "farah"}).body["pagination"]["totalCount"] == 0
    assert providers.list({"search": "test"}).body["pagination"]["totalCount"] == 1
