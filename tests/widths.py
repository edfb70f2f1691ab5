"""What a narrow line did to words: compared with the same output where every line had room."""

from __future__ import annotations

import re

#: behind these a word may go on in the next line
MARKS = "/_|^&,;=~-"
ELLIPSIS = "…"


def too_wide(narrow: str, columns: int) -> list[str]:
    """Lines that do not fit."""
    from rich.cells import cell_len

    return [line for line in narrow.splitlines() if cell_len(line) > columns]


def split_words(narrow: str, wide: str) -> list[str]:
    """Words of the narrow output that are a part of a word, cut where there is no mark.

    A column that stands beneath its row is named there: `reason:`.
    """
    known = {*wide.split(), *(f"{word}:" for word in wide.split())}
    return [word for word in narrow.split() if word not in known and not _is_part(word, wide)]


def _is_part(word: str, wide: str) -> bool:
    mark = re.escape(MARKS)
    head, _, tail = word.partition(ELLIPSIS)
    end = rf"(?:(?<=[{mark}])|(?=\s|$))"
    middle = rf"\S*{re.escape(tail)}" if ELLIPSIS in word else ""
    return re.search(rf"(?:(?<=[\s{mark}])|^){re.escape(head)}{middle}{end}", wide) is not None
