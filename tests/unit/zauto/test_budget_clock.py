"""A budget whose clock is set back, and whose limit is told lower for a while."""

from __future__ import annotations

from bridge.settings import CallLimits
from bridge.zauto.budget import HOUR, Budget, Priority

YEAR = 365 * 86_400.0


def headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


def test_a_hold_made_while_the_clock_was_ahead_ends_within_an_hour() -> None:
    budget = Budget(CallLimits())
    budget.hold(YEAR + 60.0)

    assert budget.wait(0.0, Priority.CREATE) <= HOUR


def test_what_was_told_while_the_clock_was_ahead_ends_within_an_hour() -> None:
    budget = Budget(CallLimits())
    budget.spent(headers(1000, 0, 600), YEAR)

    assert budget.wait(0.0, Priority.CREATE) <= HOUR


def test_a_lower_limit_told_once_is_not_kept_for_ever() -> None:
    budget = Budget(CallLimits(hour=1000, minute=100))
    budget.spent(headers(10, 9, 60), 0.0)
    assert budget.state(1.0).limit == 10

    budget.spent(headers(1000, 990, 3600), 100.0)

    assert budget.state(101.0).limit == 1000
