"""A text comes back as another of the same shape, script, case and charset."""

from __future__ import annotations

import datetime as dt
import random
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bridge.study.scrub.disguise import Disguise, tokens
from bridge.study.scrub.moments import moved, partly_moved

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
SEEDS = st.integers(0, 2**32)


def disguised(text: str, seed: int = 1, codec: str = "utf-8") -> str:
    return Disguise(text, random.Random(seed), codec).text(text)


@example("\N{KELVIN SIGN}", 1)
@example("\N{LATIN SMALL LETTER LONG S}\N{LATIN CAPITAL LETTER E WITH ACUTE}", 1)
@given(TEXTS, SEEDS)
def test_every_character_is_replaced_by_one_of_its_kind(text: str, seed: int) -> None:
    assume("@" not in text)
    made = disguised(text, seed)
    assert len(made) == len(text)
    for old, new in zip(text, made, strict=True):
        if not old.isdecimal():
            assert old.isupper() == new.isupper() or len(old.casefold()) > 1 or old.istitle()
        assert old.isdecimal() == new.isdecimal()
        assert old.isascii() == new.isascii()
        assert old.isalnum() or unicodedata.category(old)[0] in "LM" or old == new


@given(st.text("abcdefgXYZ0123456789 -/.", max_size=40), SEEDS)
def test_no_long_word_or_number_comes_back(text: str, seed: int) -> None:
    before = {token.casefold() for token in tokens(text) if len(token) >= 3}
    after = {token.casefold() for token in tokens(disguised(text, seed))}
    assert {token for token in before & after if set(token) != {"0"}} == set()


@given(st.lists(TEXTS, max_size=5), SEEDS)
def test_the_same_text_is_always_replaced_by_the_same(texts: list[str], seed: int) -> None:
    disguise = Disguise(" ".join(texts), random.Random(seed))
    assert [disguise.text(text) for text in texts] == [disguise.text(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("कविता", "DEVANAGARI"),
        ("فاطمة", "ARABIC"),
        ("陈嘉欣", "CJK"),
        ("さくら", "HIRAGANA"),
        ("Анна", "CYRILLIC"),
        ("மீரா", "TAMIL"),
        ("éàü", "LATIN"),
    ],
)
def test_a_name_keeps_its_script(text: str, script: str) -> None:
    made = disguised(text)
    assert made != text
    assert {unicodedata.name(letter).partition(" ")[0] for letter in made} == {script}


@pytest.mark.parametrize(
    ("text", "codec"),
    [("Müller", "latin-1"), ("山本", "shift_jis"), ("陈", "gb18030"), ("Šik", "cp1250")],
)
def test_what_is_made_can_be_written_in_the_messages_charset(text: str, codec: str) -> None:
    for seed in range(50):
        assert disguised(text, seed, codec).encode(codec)


def test_case_makes_no_other_word() -> None:
    upper, title = Disguise("IYER Iyer", random.Random(3)).text("IYER Iyer").split()
    assert upper.isupper()
    assert title.istitle()
    assert upper == title.upper()


def test_an_email_address_is_of_a_domain_that_nobody_has() -> None:
    made = disguised("write to meera.rao@lakeside.example.in today")
    assert made.split()[2].endswith("@example.org")
    assert "meera" not in made
    assert "lakeside" not in made


def test_a_uuid_stays_one() -> None:
    made = disguised("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7").rpartition(":")[2]
    assert [len(part) for part in made.split("-")] == [8, 4, 4, 4, 12]
    assert set(made) <= set("0123456789abcdef-")


@pytest.mark.parametrize("text", ["0000000000", "", " - ", '""'])
def test_what_is_nobodys_stays(text: str) -> None:
    assert disguised(text) == text


def test_zeros_in_front_stay() -> None:
    assert disguised("00451").startswith("00")
    assert not disguised("451").startswith("0")


# dates

DAYS = st.integers(-7300, -800)
DATES = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))


@given(DATES, DATES, DAYS)
def test_dates_keep_their_order_and_distance(one: dt.date, other: dt.date, days: int) -> None:
    later = [moved(each.strftime("%Y%m%d"), days) for each in (one, other)]
    parsed = [dt.datetime.strptime(str(text), "%Y%m%d").date() for text in later]
    assert parsed[0] - parsed[1] == one - other


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260305", "20260303"),
        ("202603051105", "202603031105"),
        ("20260305110500.1234+0530", "20260303110500.0000+0530"),
        ("2026-03-05", "2026-03-03"),
        ("2026-03-05T11:05:00.250Z", "2026-03-03T11:05:00.000Z"),
        ("20260931", None),
        ("00000000", None),
        ("9840011111", None),
        ("1950", None),
    ],
)
def test_a_whole_date_is_moved_and_keeps_its_form(text: str, expected: str | None) -> None:
    assert moved(text, -2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1950", "1948"),
        ("195003", "194803"),
        ("1950-03", "1948-03"),
        ("4711", None),
        ("195013", None),
    ],
)
def test_a_date_that_is_partly_known_stays_so(text: str, expected: str | None) -> None:
    assert partly_moved(text, -731) == expected
