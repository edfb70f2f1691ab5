from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PathError
from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import Hl7Path, Place
from bridge.hl7v2.reader import Hl7Document
from bridge.hl7v2.writer import write

MSH = ("MSH", {"3": "ZAUTO", "9.1": "RDE", "9.2": "O11", "10": "1", "12": "2.5.1"})
#: any text that has something in it and no padding, which reading drops
TEXTS = (
    st.text(st.one_of(st.sampled_from("|^~\\&\rF."), st.characters(codec="utf-8")), min_size=1)
    .map(lambda text: text.replace("\r\n", "\n").replace("\r", "\n").rstrip(" "))
    .filter(lambda text: text and text != '""')
)
PLACES = st.builds(Place, *[st.integers(1, 4)] * 4)


def written(values: dict[str, str], name: str = "RXE") -> str:
    return write([MSH, (name, values)]).decode().split("\r")[1]


def test_a_message_begins_with_its_header_and_ends_every_segment() -> None:
    body = write([MSH, ("PID", {"3.1": "7", "3.5": "MR", "5.1": "Rao"})])

    assert body == (b"MSH|^~\\&|ZAUTO||||||RDE^O11|1||2.5.1\rPID|||7^^^^MR||Rao\r")


def test_places_are_filled_in_their_order() -> None:
    assert written({"3[2].1": "c", "1": "a", "3.2.2": "b"}) == "RXE|a||^&b~c"


def test_empty_values_and_segments_of_nothing_else_are_left_out() -> None:
    assert written({"1": "a", "2": ""}) == "RXE|a"
    assert write([MSH, ("NTE", {"3": ""})]) == write([MSH])


def test_delimiters_in_a_value_are_never_meant() -> None:
    assert written({"1": "a|b^c~d&e\\f"}) == r"RXE|a\F\b\S\c\R\d\T\e\E\f"


def test_text_beyond_ascii_names_its_charset() -> None:
    body = write([MSH, ("PID", {"5.1": "राव"})])

    assert scan(body).charset == "UNICODE UTF-8"
    assert "राव".encode() in body


def test_a_charset_that_is_given_is_kept() -> None:
    name, header = MSH
    assert scan(write([(name, {**header, "18": "UNICODE"}), ("PID", {"5": "é"})])).charset == (
        "UNICODE"
    )


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert write([MSH, ("NTE", {"3": "a\ud800b"})]).endswith(b"NTE|||a?b\r")


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(PathError):
        write([MSH, ("PID", {"PID-3": "1"})])


def test_a_message_without_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with MSH"):
        write([("PID", {"3": "1"})])


@given(st.dictionaries(PLACES, TEXTS, min_size=1, max_size=8))
def test_what_is_written_is_read_again(values: dict[Place, str]) -> None:
    keys = {f"{p.field}[{p.repetition}].{p.component}.{p.subcomponent}": p for p in values}
    body = write([MSH, ("ZZZ", {key: values[place] for key, place in keys.items()})])
    document = Hl7Document(body, scan(body))

    for place, text in values.items():
        path = Hl7Path(("ZZZ", 1), place.field, place.repetition, 0, *place[2:])
        assert list(document.values(path)) == [text]
