"""Circuit breakers: which calls are not made, until when, and what a restart remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog

from bridge.delivery import Kind, Outcome, Reason, Target
from bridge.pipeline.delivery.breakers import MOST_SECONDS, OPEN_SECONDS, CircuitBreakers
from bridge.store.contract import Transaction
from bridge.store.far_end import Breaker
from tests.unit.pipeline.bench import Bench

NOW = 1_000.0
WELL = Outcome(Kind.DELIVERED, Reason.ACCEPTED)


def failed(reason: Reason, retry_after: float | None = None) -> Outcome:
    return Outcome(Kind.TRANSIENT, reason, retry_after=retry_after)


@pytest.fixture
def breakers() -> CircuitBreakers:
    return CircuitBreakers()


class TestOpening:
    @pytest.mark.parametrize(
        "reason",
        [Reason.UNAUTHORIZED, Reason.BAD_CREDENTIALS, Reason.REDIRECTED, Reason.CERTIFICATE],
    )
    def test_what_concerns_every_call_stops_all(
        self, breakers: CircuitBreakers, reason: Reason
    ) -> None:
        opened = breakers.note(failed(reason), "patients", NOW)
        assert opened is not None
        assert (opened.resource, opened.reason, opened.seconds) == ("", reason, OPEN_SECONDS)
        assert breakers.of("", NOW) is opened

    @pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.WRONG_RECORD])
    def test_what_concerns_a_resource_stops_that(
        self, breakers: CircuitBreakers, reason: Reason
    ) -> None:
        opened = breakers.note(failed(reason), "patients", NOW)
        assert opened is not None
        assert opened.resource == "patients"
        assert breakers.all(NOW) == {"patients": opened}
        assert breakers.of("providers", NOW) is None

    def test_the_limit_stops_all_until_its_reset(self, breakers: CircuitBreakers) -> None:
        opened = breakers.note(failed(Reason.LIMITED, retry_after=17.0), "patients", NOW)
        assert opened is not None
        assert (opened.resource, opened.seconds, opened.until) == ("", 17.0, NOW + 17.0)

    @pytest.mark.parametrize("reason", [Reason.ACCEPTED, Reason.INVALID, Reason.SERVER_ERROR])
    def test_what_concerns_one_record_stops_nothing(
        self, breakers: CircuitBreakers, reason: Reason
    ) -> None:
        assert breakers.note(failed(reason), "patients", NOW) is None
        assert not breakers.all(NOW)

    def test_it_is_logged_once(self, breakers: CircuitBreakers) -> None:
        with structlog.testing.capture_logs() as logs:
            breakers = CircuitBreakers()
            breakers.note(failed(Reason.UNAUTHORIZED), "patients", NOW)
            breakers.note(failed(Reason.UNAUTHORIZED), "providers", NOW)
            breakers.note(failed(Reason.FORBIDDEN), "visits", NOW)
        told = [(each["event"], each["resource"], each["reason"]) for each in logs]
        assert told == [
            ("calls stopped", "all", Reason.UNAUTHORIZED),
            ("calls stopped", "visits", Reason.FORBIDDEN),
        ]


class TestAgain:
    def test_requests_under_way_together_are_one_failure(self, breakers: CircuitBreakers) -> None:
        first = breakers.note(failed(Reason.FORBIDDEN), "patients", NOW)
        assert breakers.note(failed(Reason.FORBIDDEN), "patients", NOW) is None
        assert breakers.of("patients", NOW) is first

    def test_each_failure_in_a_row_keeps_it_open_for_longer(
        self, breakers: CircuitBreakers
    ) -> None:
        now, lasted = NOW, []
        for _ in range(7):
            opened = breakers.note(failed(Reason.FORBIDDEN), "patients", now)
            assert opened is not None
            assert opened.since == NOW
            lasted.append(opened.seconds)
            now = opened.until
        assert lasted == [60, 120, 240, 480, MOST_SECONDS, MOST_SECONDS, MOST_SECONDS]

    def test_another_reason_begins_anew(self, breakers: CircuitBreakers) -> None:
        first = breakers.note(failed(Reason.UNAUTHORIZED), "patients", NOW)
        assert first is not None
        second = breakers.note(failed(Reason.REDIRECTED), "patients", first.until)
        assert second is not None
        assert (second.times, second.since) == (1, first.until)

    def test_a_success_after_it_closed_ends_the_row(self, breakers: CircuitBreakers) -> None:
        first = breakers.note(failed(Reason.FORBIDDEN), "patients", NOW)
        assert first is not None
        breakers.note(WELL, "patients", first.until)
        second = breakers.note(failed(Reason.FORBIDDEN), "patients", first.until)
        assert second is not None
        assert second.times == 1

    def test_a_success_while_it_is_open_says_nothing(self, breakers: CircuitBreakers) -> None:
        first = breakers.note(failed(Reason.FORBIDDEN), "patients", NOW)
        breakers.note(WELL, "patients", NOW)
        assert breakers.of("patients", NOW) is first

    def test_a_clock_that_was_set_back_lets_it_wait_no_longer(
        self, breakers: CircuitBreakers
    ) -> None:
        breakers.note(failed(Reason.FORBIDDEN), "patients", NOW)
        right = NOW - 500
        bounded = breakers.of("patients", right)
        assert bounded is not None
        assert bounded.until == right + OPEN_SECONDS


class TestClosing:
    def test_one_resource_or_all_but_what_a_429_opened(self, breakers: CircuitBreakers) -> None:
        for resource in ("patients", "providers"):
            breakers.note(failed(Reason.FORBIDDEN), resource, NOW)
        breakers.note(failed(Reason.LIMITED), "patients", NOW)
        breakers.close("patients", limited=False)
        assert set(breakers.all(NOW)) == {"", "providers"}
        breakers.close(limited=False)
        assert set(breakers.all(NOW)) == {""}
        breakers.close(limited=True)
        assert not breakers.all(NOW)


class TestKept:
    async def test_a_restart_takes_up_what_is_open(self, bench: Bench) -> None:
        breakers, again = CircuitBreakers(client="one"), CircuitBreakers(client="one")
        opened = breakers.note(failed(Reason.FORBIDDEN), "patients", NOW)

        def kept(tx: Transaction) -> list[Breaker]:
            breakers.keep(tx)
            return list(tx.breakers(Target.ZAUTO))

        again.take_up(await bench.store.run(kept))
        assert again.all(NOW) == {"patients": opened}
        breakers.close(limited=False)
        assert await bench.store.run(kept) == []

    def test_other_credentials_are_not_refused_for_those_before(self) -> None:
        refused = Breaker("", NOW, NOW + 60, 60, Reason.UNAUTHORIZED, 1, "one")
        limited = replace(refused, resource="patients", reason=Reason.LIMITED)
        breakers = CircuitBreakers(client="another")
        breakers.take_up([refused, limited])
        assert set(breakers.all(NOW)) == {"patients"}
