from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.segments import first, more_than, split

MESSAGES = st.lists(st.sampled_from(["\r", "\n", "PID|", "NTE", "text", "|"])).map("".join)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\r\r", "\n\n"])
def test_whatever_ends_lines_the_segments_are_the_same(end: str) -> None:
    assert split(end.join(["MSH|a", "PID|1", "PV1", ""]), "|") == ["MSH|a", "PID|1", "PV1"]


def test_mixed_ends_are_ends() -> None:
    assert split("MSH|a\rPID|1\nPV1|2\r\nNTE|3\n", "|") == ["MSH|a", "PID|1", "PV1|2", "NTE|3"]


@pytest.mark.parametrize("text", ["one\ntwo", "one\n\ntwo", "one\nPID two", "one\npid|two"])
def test_a_line_feed_before_no_segment_is_text(text: str) -> None:
    assert split(f"MSH|a\rNTE|1||{text}\rPV1|1\r", "|") == ["MSH|a", f"NTE|1||{text}", "PV1|1"]


def test_segments_end_by_the_messages_own_separator() -> None:
    assert split("MSH#a\nPID#1\nPV1|no", "#") == ["MSH#a", "PID#1\nPV1|no"]


@given(MESSAGES)
def test_the_first_segment_is_the_first_of_all(text: str) -> None:
    message = "MSH|" + text

    assert first(message, "|").rstrip("\n") == split(message, "|")[0].rstrip("\n")


@given(MESSAGES, st.integers(1, 10))
def test_counting_never_misses_a_segment(text: str, limit: int) -> None:
    message = "MSH|" + text
    if len(split(message, "|")) > limit:
        assert more_than(limit, message, "|")


@given(
    st.lists(st.sampled_from(["PID|1", "NTE|a\nb"]), min_size=1),
    st.sampled_from(["\r", "\n", "\r\n"]),
)
def test_counting_is_exact_where_no_line_is_blank(lines: list[str], end: str) -> None:
    message = end.join(["MSH|", *lines, ""])
    count = len(split(message, "|"))

    assert not more_than(count, message, "|")
    assert more_than(count - 1, message, "|")


@pytest.mark.parametrize("line", ["pid|two", " PID|1", "PID |1", "\tpv1 |", "zpd|1", "\ufeffPID|1"])
def test_where_line_feeds_end_the_lines_odd_segments_are_lines(line: str) -> None:
    assert split(f"MSH|a\n{line}\nPV1|1\n", "|") == ["MSH|a", line, "PV1|1"]
    assert split(f"MSH|a\r{line}\rPV1|1\r", "|") == ["MSH|a", line, "PV1|1"]
    assert split(f"MSH|a\rNTE|1||{line}\n{line}\rPV1|1\r", "|")[1] == f"NTE|1||{line}\n{line}"


@pytest.mark.parametrize("text", ["two", " PID two", "xyz|two", "PIDX|two", "Green Park^^Pune|98"])
def test_where_line_feeds_end_the_lines_other_text_is_of_the_field_before(text: str) -> None:
    assert split(f"MSH|a\nNTE|1||one\n{text}\nPV1|1\n", "|") == [
        "MSH|a",
        f"NTE|1||one\n{text}",
        "PV1|1",
    ]
