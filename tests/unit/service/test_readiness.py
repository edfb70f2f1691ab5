"""When a bridge is ready to take messages, and the reason when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from bridge.errors import StoreError
from bridge.service.readiness import FAILING, FULL, not_ready


@dataclass
class State:
    """A store as far as readiness looks at it."""

    readable: bool = True
    has_room: bool = True
    failing_since: float | None = None

    def read(self, _: Any) -> None:
        if not self.readable:
            raise StoreError("cannot be read")


@pytest.mark.parametrize(
    ("store", "ended", "reasons"),
    [
        (State(), [], []),
        (State(readable=False, has_room=False), [], ["the store cannot be read"]),
        (State(has_room=False, failing_since=1.0), ["sweeping"], [FULL]),
        (State(failing_since=1.0), ["sweeping"], [FAILING]),
        (State(), ["sweeping", "probing"], ["sweeping has stopped", "probing has stopped"]),
    ],
)
def test_the_worst_reason_is_told(store: State, ended: list[str], reasons: list[str]) -> None:
    assert not_ready(cast(Any, store), ended) == reasons
