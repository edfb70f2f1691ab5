from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PathError
from bridge.hl7v2.paths import EVERY, Hl7Path, Place, parse, parse_place, segment_path

NUMBERS = st.integers(1, 9999)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PID-5", Hl7Path(("PID", 1), 5)),
        ("PID-5.1", Hl7Path(("PID", 1), 5, component=1)),
        ("PID-5[2].1.3", Hl7Path(("PID", 1), 5, choice=2, component=1, subcomponent=3)),
        ("NK1[2]-5", Hl7Path(("NK1", 2), 5)),
        ("AIS[*]-4", Hl7Path(("AIS", EVERY), 4)),
        ("PID-3[MR].1", Hl7Path(("PID", 1), 3, choice="MR", qualified_by=5, component=1)),
        ("PID-13[PRN]", Hl7Path(("PID", 1), 13, choice="PRN", qualified_by=2)),
        ("PID-5[L].1", Hl7Path(("PID", 1), 5, choice="L", qualified_by=7, component=1)),
        ("PID-11[H].3", Hl7Path(("PID", 1), 11, choice="H", qualified_by=7, component=3)),
        ("PV1-7[DN].1", Hl7Path(("PV1", 1), 7, choice="DN", qualified_by=13, component=1)),
        ("ZPV-1", Hl7Path(("ZPV", 1), 1)),
    ],
)
def test_paths(text: str, expected: Hl7Path) -> None:
    assert parse(text) == expected
    assert str(expected) == text


@given(NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS, NUMBERS)
def test_what_is_written_is_parsed_again(
    occurrence: int, field: int, choice: int | None, component: int | None, sub: int
) -> None:
    path = Hl7Path(
        ("OBX", occurrence),
        field,
        choice,
        component=component,
        subcomponent=sub if component else 1,
    )

    assert parse(str(path)) == path


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("PID.3.1", "PID-3.1"),
        ("pid-3", "PID-3"),
        ("PID 5", "PID-5"),
        (" PID-5", "PID-5"),
        ("PDI-5.1", "PID-5.1"),
        ("QQQ-1", None),
        ("PID-8[M].1", "PID-8[1].1"),
        ("PID", None),
        ("PID-0", None),
        ("PID-3[0]", None),
        ("PID-3.1.1.1", None),
        ("PID-3[", None),
        ("PID-3.1\n", "PID-3.1"),
        ("", None),
        ("patient.name", None),
    ],
)
def test_what_is_no_path_is_refused_with_the_nearest_that_is(
    text: str, suggestion: str | None
) -> None:
    with pytest.raises(PathError) as caught:
        parse(text)
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", Place(3, 1, 1, 1)),
        ("3.2", Place(3, 1, 2, 1)),
        ("3[2].1.4", Place(3, 2, 1, 4)),
    ],
)
def test_places(text: str, expected: Place) -> None:
    assert parse_place(text) == expected


@pytest.mark.parametrize("text", ["", "0", "3[MR]", "PID-3", "3.", "3.1.1.1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(PathError, match="not a place"):
        parse_place(text)


def test_a_segments_name_is_a_path_of_its_own() -> None:
    assert segment_path("PID") == Hl7Path(("PID", 1), 0)
    assert segment_path("PID[2]") == Hl7Path(("PID", 2), 0)
    assert [segment_path(text) for text in ("PID-3", "PDI", "PID[*]", "Patient")] == [None] * 4
