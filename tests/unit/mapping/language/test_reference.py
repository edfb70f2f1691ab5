"""The reference explains every word and function there is."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.language import rule_words, words
from bridge.mapping.language.declared import Declared

REFERENCE = Path(__file__).parents[4] / "docs/reference/mapping.md"


def _words() -> set[str]:
    return set(re.findall(r"`(\w+)`", REFERENCE.read_text(encoding="utf-8")))


def test_every_word_of_the_language_is_explained() -> None:
    models = [one for one in (vars(words) | vars(rule_words)).values() if isinstance(one, type)]
    known = {word for one in models if issubclass(one, Declared) for word in one.vocabulary}
    assert known - _words() - {"path", "is", "not", "empty"} == set()


def test_every_function_is_explained() -> None:
    known = {name for functions in FUNCTIONS.values() for name in functions if name}
    assert known - _words() == set()
