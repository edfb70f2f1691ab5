from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.settings import CallLimits
from bridge.zauto.budget import HOUR, MINUTE, Budget, Priority, step_of

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


def told(limit: int, remaining: int, reset_in: float) -> dict[str, str]:
    return {
        "date": DATE,
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(NOW + reset_in)),
    }


def call(budget: Budget, now: float, priority: Priority = Priority.CREATE) -> float:
    """Make a call that is answered at once, if it may go."""
    wait = budget.take(now, priority)
    if wait == 0.0:
        budget.spent({}, now)
        budget.give_back()
    return wait


def burst(budget: Budget, now: float, priority: Priority = Priority.CREATE) -> int:
    """Make calls until one has to wait; how many went."""
    went = 0
    while call(budget, now, priority) == 0.0:
        went += 1
    return went


def test_a_burst_may_use_the_minute_but_for_a_tenth_kept_for_verifying() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    assert burst(budget, NOW) == 90
    assert burst(budget, NOW, Priority.VERIFY) == 10


def test_the_wait_ends_when_the_oldest_call_leaves_the_minute() -> None:
    budget = Budget(CallLimits(hour=1000, minute=10))
    for second in range(9):
        assert call(budget, NOW + second) == 0.0
    assert call(budget, NOW + 9) == MINUTE - 9
    assert call(budget, NOW + MINUTE) == 0.0
    assert call(budget, NOW + MINUTE) == 1.0


@pytest.mark.parametrize(
    ("priority", "calls"),
    [
        (Priority.VERIFY, 1000),
        (Priority.CREATE, 900),
        (Priority.UPDATE, 850),
        (Priority.REFERENCE, 750),
        (Priority.BACKFILL, 500),
    ],
)
def test_the_hour_keeps_back_a_share_for_what_is_more_urgent(
    priority: Priority, calls: int
) -> None:
    budget = Budget(CallLimits(hour=1000, minute=1000))
    went = sum(burst(budget, NOW + MINUTE * minute, priority) for minute in range(10))
    assert went == calls


def test_without_limits_everything_goes() -> None:
    budget = Budget(None)
    assert all(call(budget, NOW, Priority.BACKFILL) == 0.0 for _ in range(5000))
    state = budget.state(NOW)
    assert (state.limit, state.waiting, state.resets_at) == (None, 0.0, None)


def test_a_limit_of_one_still_lets_each_priority_through() -> None:
    for priority in Priority:
        assert call(Budget(CallLimits(hour=1, minute=1)), NOW, priority) == 0.0


def test_a_call_counts_from_its_start_until_a_window_after_its_answer() -> None:
    budget = Budget(CallLimits(hour=10, minute=1))
    assert budget.take(NOW, Priority.CREATE) == 0.0
    assert 0 < budget.take(NOW + 600, Priority.CREATE) < 1
    budget.spent({}, NOW + 601)
    budget.give_back()
    assert budget.take(NOW + 602, Priority.CREATE) == MINUTE - 1


def test_a_call_of_which_nothing_left_costs_nothing() -> None:
    budget = Budget(CallLimits(hour=1, minute=1))
    assert budget.take(NOW, Priority.CREATE) == 0.0
    budget.give_back()
    assert budget.take(NOW, Priority.CREATE) == 0.0


def test_calls_that_nobody_asked_for_count_as_well() -> None:
    budget = Budget(CallLimits(hour=1000, minute=10))
    for _ in range(9):
        budget.spent({}, NOW)
    assert call(budget, NOW) == MINUTE


def test_the_server_knows_of_calls_made_elsewhere() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.spent(told(1000, 103, 1200), NOW)
    assert burst(budget, NOW) == 3
    assert call(budget, NOW) == 1200
    assert call(budget, NOW + 1200) == 0.0


def test_answers_that_overtake_each_other_do_not_raise_the_count_again() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.spent(told(1000, 100, 1200), NOW)
    budget.spent(told(1000, 300, 1200), NOW)
    assert call(budget, NOW) == 1200


def test_a_new_window_of_the_server_frees_what_the_old_one_had_used() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.spent(told(1000, 0, 30), NOW)
    assert call(budget, NOW) == 30
    budget.spent(told(1000, 999, 3600), NOW)
    assert call(budget, NOW) == 0.0


def test_a_lower_limit_of_the_server_is_taken_and_a_higher_one_is_not() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.spent(told(5000, 4999, 3600), NOW)
    assert budget.state(NOW).limit == 1000
    budget.spent(told(500, 499, 3600), NOW)
    assert budget.state(NOW).limit == 500


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit": "1000"},
        {"x-ratelimit-limit": "0", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"},
        {"x-ratelimit-limit": "many", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"},
        {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "9"},
        # of the minute, which our own count covers
        {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"},
    ],
)
def test_headers_that_say_nothing_of_the_hour_are_passed_over(headers: dict[str, str]) -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.spent(headers, NOW)
    assert call(budget, NOW) == 0.0
    assert budget.state(NOW).limit == 1000


def test_after_a_429_nothing_goes_until_the_time_it_named() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.hold(NOW + 40)
    budget.hold(NOW + 20)
    assert budget.take(NOW, Priority.VERIFY) == 40
    assert budget.take(NOW + 40, Priority.VERIFY) == 0.0


def test_what_a_429_said_can_be_forgotten_but_not_the_calls_made() -> None:
    budget = Budget(CallLimits(hour=3, minute=3))
    budget.spent(told(3, 0, 600), NOW)
    budget.hold(NOW + 600)
    assert budget.take(NOW + 100, Priority.VERIFY) == 500
    budget.release()
    assert budget.state(NOW + 100).used == 1
    assert budget.take(NOW + 100, Priority.VERIFY) == 0.0


def test_a_restart_does_not_forget() -> None:
    limits = CallLimits(hour=20, minute=10)
    budget, steps = Budget(limits), Counter[int]()
    for second in (0, 600, 1200, 1800):
        steps[step_of(NOW + second)] += 1
        assert call(budget, NOW + second) == 0.0
    restored = Budget(limits)
    restored.restore(sorted(steps.items()), NOW + 1801, late=30)
    restored.hold(NOW + 1850)
    assert restored.state(NOW + 1801).used == 4
    assert restored.take(NOW + 1801, Priority.VERIFY) == 49


def test_calls_of_before_a_restart_count_as_answered_as_late_as_may_be() -> None:
    restored = Budget(CallLimits(hour=20, minute=1))
    restored.restore([(step_of(NOW), 1)], NOW + 5, late=30)
    assert restored.take(NOW + 5, Priority.VERIFY) == MINUTE
    restored.restore([(step_of(NOW), 1)], NOW + 50, late=30)
    assert restored.take(NOW + 50, Priority.VERIFY) == MINUTE - 20


def test_what_the_server_said_is_known_after_a_restart() -> None:
    limits = CallLimits(hour=1000, minute=100)
    budget, restored = Budget(limits), Budget(limits)
    assert budget.stated() is None
    budget.spent(told(500, 0, 30), NOW)
    said = budget.stated()
    assert said == (500, 0, NOW + 30)
    restored.believe(*said)
    assert restored.state(NOW).limit == 500
    assert restored.take(NOW, Priority.VERIFY) == 30


def test_a_clock_that_jumps_changes_no_wait() -> None:
    budget = Budget(CallLimits(hour=2, minute=1))
    budget.spent(told(2, 1, 1200), NOW)
    budget.hold(NOW + 20)
    assert budget.take(NOW, Priority.VERIFY) == MINUTE
    for seconds in (3600.0, -7200.0):
        budget.shift(seconds)
    now = NOW - 3600
    assert budget.take(now, Priority.VERIFY) == MINUTE
    assert budget.state(now).told_until == now + 1200
    assert budget.take(now + MINUTE, Priority.VERIFY) == 0.0


def test_a_clock_set_back_does_not_lock_the_budget() -> None:
    budget = Budget(CallLimits(hour=1000, minute=10))
    burst(budget, NOW + 86_400)
    assert call(budget, NOW) == MINUTE
    assert call(budget, NOW + MINUTE) == 0.0


def test_the_state_says_what_people_ask() -> None:
    budget = Budget(CallLimits(hour=1000, minute=10))
    assert budget.state(NOW).resets_at is None
    burst(budget, NOW)
    state = budget.state(NOW + 20)
    assert (state.used, state.limit) == (9, 1000)
    assert state.resets_at == NOW + HOUR
    assert state.waiting == 40


#: pause, priority, latency, where within the latency the server counts, restart before it
steps = st.tuples(
    st.floats(0, 90), st.sampled_from(Priority), st.floats(0, 30), st.floats(0, 1), st.booleans()
)


@settings(max_examples=60)
@given(st.lists(steps, min_size=20, max_size=120), st.integers(1, 12), st.integers(1, 6))
def test_no_window_ever_holds_more_than_its_limit(
    plan: Sequence[tuple[float, Priority, float, float, bool]], hour: int, minute: int
) -> None:
    """Wherever between start and answer the server counts a call, and over restarts."""
    limits = CallLimits(hour=hour, minute=minute)
    budget, now, arrivals = Budget(limits), NOW, []
    counted = Counter[int]()
    for pause, priority, latency, share, restart in plan:
        now += pause
        if restart:
            budget = Budget(limits)
            budget.restore(sorted(counted.items()), now, late=30)
        if budget.take(now, priority) > 0.0:
            continue
        counted[step_of(now)] += 1
        arrivals.append(now + latency * share)
        now += latency
        budget.spent({}, now)
        budget.give_back()
    for seconds, limit in ((HOUR, hour), (MINUTE, minute)):
        for first in arrivals:
            assert sum(first <= at < first + seconds for at in arrivals) <= limit


class TestForecast:
    def test_of_what_fits_is_at_once(self) -> None:
        assert Budget(CallLimits()).drained_in(NOW, 80) == 0.0
        assert Budget(None).drained_in(NOW, 10_000) == 0.0
        assert Budget(CallLimits()).drained_in(NOW, 0) == 0.0

    def test_waits_for_the_minute_and_then_for_the_hour(self) -> None:
        budget = Budget(CallLimits(hour=1000, minute=100))
        assert budget.drained_in(NOW, 81) == MINUTE
        assert budget.drained_in(NOW, 850) == 10 * MINUTE
        assert budget.drained_in(NOW, 851) == HOUR

    def test_counts_what_was_used_and_what_is_held(self) -> None:
        budget = Budget(CallLimits(hour=100, minute=100))
        for _ in range(85):
            budget.spent({}, NOW - 600)
        assert budget.drained_in(NOW, 1) == HOUR - 600
        budget.hold(NOW + 3500)
        assert budget.drained_in(NOW, 1) == 3500

    def test_believes_the_server(self) -> None:
        budget = Budget(CallLimits(hour=1000, minute=100))
        budget.spent(told(1000, 200, 1200), NOW)
        assert budget.drained_in(NOW, 40) == 0.0
        assert budget.drained_in(NOW, 60) == 1200

    def test_of_very_many_goes_by_the_even_rate(self) -> None:
        budget = Budget(CallLimits(hour=1000, minute=100))
        days = budget.drained_in(NOW, 850 * 240) / 86_400
        assert 9.9 < days < 10.0

    @settings(max_examples=40, deadline=None)
    @given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 20), st.integers(0, 30))
    def test_is_what_comes_true(self, calls: int, hour: int, minute: int, before: int) -> None:
        budget = Budget(CallLimits(hour=hour, minute=minute))
        for second in range(before):
            call(budget, NOW - before + second, Priority.UPDATE)
        foreseen, now = budget.drained_in(NOW, calls), NOW
        for _ in range(calls):
            while (wait := call(budget, now, Priority.UPDATE)) > 0.0:
                now += wait
        assert foreseen == pytest.approx(now - NOW, abs=0.1)


def test_a_backlog_of_updates_leaves_room_in_the_minute_for_registrations() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    assert burst(budget, NOW, Priority.UPDATE) == 80
    assert burst(budget, NOW, Priority.CREATE) == 10


def test_the_state_says_what_the_server_said() -> None:
    budget = Budget(CallLimits())
    assert budget.state(NOW).told_remaining is None
    budget.spent(told(1000, 700, 1200), NOW)
    state = budget.state(NOW)
    assert (state.told_remaining, state.told_until) == (700, NOW + 1200)
    assert budget.state(NOW + 1200).told_until is None
