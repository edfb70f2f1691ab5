"""The reference explains every word and function there is."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.language import language

REFERENCE = Path(__file__).parents[4] / "docs/reference/mapping.md"


def _words() -> set[str]:
    return set(re.findall(r"`(\w+)`", REFERENCE.read_text(encoding="utf-8")))


def test_every_word_of_the_language_is_explained() -> None:
    known = {
        word
        for name, words in vars(language).items()
        if name.endswith("_WORDS")
        for word in words
        if word not in ("path", "is", "not", "empty")
    }
    assert known - _words() == set()


def test_every_function_is_explained() -> None:
    known = {name for functions in FUNCTIONS.values() for name in functions if name}
    assert known - _words() == set()
