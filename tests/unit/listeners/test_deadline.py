from __future__ import annotations

import math

import pytest

from bridge.hl7v2.framing import Framer
from bridge.listeners.deadline import HANDSHAKE_SECONDS, STRAY_SECONDS, Deadline
from bridge.settings import Mllp

NOW = 1000.0


def deadline(idle_seconds: float = 0) -> Deadline:
    return Deadline(Mllp(frame_seconds=30, idle_seconds=idle_seconds), lambda: NOW)


def fed(data: bytes) -> Framer:
    framer = Framer(100)
    framer.feed(data)
    return framer


def test_it_begins_without_end() -> None:
    assert deadline().at == math.inf


def test_what_was_allowed_is_lifted() -> None:
    limit = deadline()
    limit.allow(5)
    assert limit.at == NOW + 5
    limit.lift()
    assert limit.at == math.inf


@pytest.mark.parametrize(
    ("data", "seconds"),
    [(b"\x0bMSH|", 30), (b"stray", STRAY_SECONDS), (b"", 600), (b"\x0bMSH|\x1c\r", 600)],
    ids=["within a frame", "outside one", "before the first", "between two"],
)
def test_the_time_for_what_is_under_way(data: bytes, seconds: float) -> None:
    limit = deadline(idle_seconds=600)
    limit.allow_next(fed(data))
    assert limit.at == NOW + seconds


def test_the_next_frame_may_begin_at_any_time_where_no_setting_says_otherwise() -> None:
    limit = deadline()
    limit.allow_next(fed(b""))
    assert limit.at == math.inf


def test_the_handshake_has_a_time_of_its_own() -> None:
    limit = deadline()
    limit.shaking = True
    limit.allow_next(fed(b""))
    assert limit.at == NOW + HANDSHAKE_SECONDS
