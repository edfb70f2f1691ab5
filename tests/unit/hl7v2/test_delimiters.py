from __future__ import annotations

import pytest

from bridge.hl7v2.delimiters import STANDARD, Delimiters, declared


@pytest.mark.parametrize(
    ("encoding_characters", "expected"),
    [
        ("^~\\&", STANDARD),
        ("", STANDARD),
        ("^~\\&#", Delimiters(truncation="#")),
        ("^~\\\\&", STANDARD),
        ("^~&", Delimiters(escape="")),
        ("^\\&", Delimiters(repetition="")),
        ("^", Delimiters(repetition="", escape="", subcomponent="")),
        ("^~\\}", Delimiters(subcomponent="}")),
        ("!@%", Delimiters("|", "!", "@", "%", "")),
    ],
)
def test_encoding_characters(encoding_characters: str, expected: Delimiters) -> None:
    assert declared("|", encoding_characters) == expected
