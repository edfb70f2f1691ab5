"""Text in columns that fit a width without splitting a word.

Where a row is too wide, its last columns stand beneath it: callers name the columns a person needs
first. A word wider than its column is broken after a mark (`/ _ | ^ & , ; = -`), and where it has
none, its middle gives way to an ellipsis; `--json` has it whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

#: blanks between two columns, and before what stands beneath a row
GAP = 2
BENEATH = 4
#: cells that a sentence needs at least, or it is read word by word
SENTENCE = 30
_ELLIPSIS = "…"
_WORD = re.compile(r"\S+")
#: a word may be broken behind these marks, at a capital within it, and between ideographs
_PIECE = re.compile(
    r"[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]"
    r"|[^\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]+?(?:[/_|^&,;=~]+|-(?=[^\W\d_])|(?=[\u3000-\u9fff])|$)"
)

#: a row of cells, or one text across all columns
Row = Sequence[Text] | Text


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for a rich console; it takes the width it is given."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    #: blanks before each line
    indent: int = 0

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        width = max(1, options.max_width - self.indent)
        for line in self._lines(width):
            line.rstrip()
            line.no_wrap, line.overflow = True, "ignore"
            yield Text.assemble(" " * self.indent, line) if self.indent else line

    def _lines(self, width: int) -> Iterator[Text]:
        yield from wrap(Text(self.title, style="italic"), width) if self.title else ()
        widths = fitted(self._measures(width), width)
        head = [Text(name, style="bold") for name in self.columns[: len(widths)]]
        if any(head):
            yield from _beside(head, widths)
        for row in self.rows:
            if isinstance(row, Text):
                yield from wrap(row, width)
                continue
            yield from _beside(row[: len(widths)], widths)
            yield from self._beneath(row[len(widths) :], width)

    def _measures(self, width: int) -> list[Measure]:
        cells = [row for row in self.rows if not isinstance(row, Text)]
        return [
            measure([name, *(row[place].plain for row in cells)], width)
            for place, name in enumerate(self.columns)
        ]

    def _beneath(self, cells: Sequence[Text], width: int) -> Iterator[Text]:
        """What had no room in the row: as many in a line as fit, each with its name."""
        names = self.columns[len(self.columns) - len(cells) :]
        line = Text()
        for name, cell in zip(names, cells, strict=True):
            if not cell:
                continue
            item = Text.assemble(f"{name}: " if name else "", cell)
            if line and BENEATH + cell_len(line.plain) + GAP + cell_len(item.plain) <= width:
                line = Text.assemble(line, " " * GAP, item)
                continue
            yield from indented(line, BENEATH, width)
            line = item
        yield from indented(line, BENEATH, width)


@dataclass(frozen=True, slots=True)
class Measure:
    """How wide a column is at least, and where nothing in it is wrapped."""

    least: int
    natural: int


def measure(texts: Iterable[str], width: int) -> Measure:
    """Of a column with these cells in a table of this width."""
    lines = [line for text in texts for line in text.split("\n")]
    natural = max(map(cell_len, lines), default=0)
    word = max((cell_len(w) for line in lines for w in _WORD.findall(line)), default=0)
    half = (width - GAP) // 2
    return Measure(min(half, max(word, min(natural, SENTENCE))), natural)


def fitted(measures: Sequence[Measure], width: int) -> list[int]:
    """The widths of those first columns that have room beside each other; of one at least."""
    count = len(measures)
    while count > 1 and sum(m.least for m in measures[:count]) + GAP * (count - 1) > width:
        count -= 1
    widths = [min(m.least, width) for m in measures[:count]]
    left = width - sum(widths) - GAP * (count - 1)
    # short columns first: a time or a status stays whole, a sentence takes what is left
    for place in sorted(range(count), key=lambda place: measures[place].natural - widths[place]):
        more = max(0, min(left, measures[place].natural - widths[place]))
        widths[place] += more
        left -= more
    return widths


def wrap(text: Text, width: int) -> list[Text]:
    """The lines of a text, none wider than `width`; an empty text is one empty line."""
    return [
        wrapped for line in text.split("\n", allow_blank=True) for wrapped in _wrap(line, width)
    ]


def indented(text: Text, indent: int, width: int) -> Iterator[Text]:
    """The lines of a text with blanks before each; of an empty text none."""
    for line in wrap(text, width - indent) if text else ():
        yield Text.assemble(" " * indent, line)


def _wrap(line: Text, width: int) -> list[Text]:
    if cell_len(line.plain) <= width:
        return [line]
    lines: list[Text] = []
    start = end = 0
    for word in _WORD.finditer(line.plain):
        if cell_len(line.plain[start : word.end()]) <= width:
            end = word.end()
            continue
        if end > start and cell_len(word[0]) <= width:
            lines.append(line[start:end])
            start, end = word.span()
            continue
        for piece in _PIECE.finditer(line.plain, word.start(), word.end()):
            if cell_len(line.plain[start : piece.end()]) > width and end > start:
                lines.append(line[start:end])
                start = piece.start()
            end = piece.end()
    lines.append(line[start:end])
    return [shortened(each, width) for each in lines]


def shortened(text: Text, width: int) -> Text:
    """The text, or its beginning and end where it is too wide."""
    if cell_len(text.plain) <= width:
        return text
    keep = width - 1
    tail = keep // 2
    head = text.copy()
    head.truncate(keep - tail, overflow="crop")
    place = len(text)
    while place and cell_len(text.plain[place - 1 :]) <= tail:
        place -= 1
    return Text.assemble(head, _ELLIPSIS, text[place:] if place < len(text) else "")


def _beside(cells: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
    columns = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for place in range(max(map(len, columns), default=0)):
        line = Text()
        for column, width in zip(columns, widths, strict=True):
            part = column[place] if place < len(column) else Text()
            line = Text.assemble(line, part, " " * (width - cell_len(part.plain) + GAP))
        yield line
