"""Characters that cannot be seen are made visible, and JSON stays JSON."""

from __future__ import annotations

import json
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.visible import HIDDEN, visible, visible_json

#: of category Cf, and drawn all the same
DRAWN = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
DRAWN |= set(range(0x13430, 0x13456))


def test_every_control_format_and_separator_character_is_made_visible() -> None:
    unseen = {
        point
        for point in range(0x110000)
        if unicodedata.category(chr(point)) in {"Cc", "Cf", "Zl", "Zp", "Cs"}
    }
    assert [hex(point) for point in unseen - DRAWN if not HIDDEN.match(chr(point))] == []


@pytest.mark.parametrize(
    "text", ["Meera Nair", "मीरा नायर", "Ångström – “x” é 한글 العربية", "🙂", " "]
)
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text
    assert visible_json(orjson.dumps(text)) == orjson.dumps(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "<U+001B>[2J"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\u200bb", "a<U+200B>b"),
        ("\x00\x7f\x9b", "<U+0000><U+007F><U+009B>"),
        ("\ud800", "<U+D800>"),
        ("\U000e0041", "<U+E0041>"),
        ("a\r\nb", "a<U+000D><U+000A>b"),
    ],
)
def test_what_cannot_is_named_by_its_code_point(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_feeds_stay_where_the_layout_made_them() -> None:
    assert visible("MSH|\nPID|\x1b", lines=True) == "MSH|\nPID|<U+001B>"


@given(st.text())
def test_a_json_document_means_the_same(text: str) -> None:
    document = visible_json(orjson.dumps({text: [text]}, option=orjson.OPT_INDENT_2))
    assert orjson.loads(document) == {text: [text]} == json.loads(document)
    assert set(HIDDEN.findall(document.decode())) <= {"\n"}
