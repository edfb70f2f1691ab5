"""Our reader against python-hl7, over public messages that nobody here wrote."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import hl7
import pytest

from bridge.errors import ReadError
from bridge.hl7v2 import batch, charset, delimiters, segments
from bridge.hl7v2.beginnings import misplaced
from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import Hl7Path
from bridge.hl7v2.reader import Hl7Document, Value
from bridge.message import DELETE

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "hl7v2"

#: where python-hl7 is wrong or reads another language, so that a difference proves nothing
FAULTS = {
    "escapes": "drops what follows a stray escape character, takes \\X..\\ for code points, "
    "highlighting for `_` and \\.br\\ for a carriage return",
    "encoding characters": "takes missing, doubled or misplaced ones by their position alone",
    "batch header inside a message": "gives a bare FHS or BHS its own name as third field",
}
#: what is counted and is no fault of python-hl7: the door refuses a message with an odd MSH in it
_COUNTED = {"messages", "values", "unreadable for one of the two", "refused at the door"}
#: escapes that both read alike
_PLAIN = re.compile(r"(?:[^\\]|\\[FSTRE]\\)*")

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the corpus of public messages is not at {CORPUS}"
)


def test_every_value_python_hl7_reads_is_the_one_we_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="hl7")
    compared: Counter[str] = Counter()
    different = [
        f"{name}: {difference}"
        for name, body in _messages()
        for difference in _differences(body, compared)
    ]
    assert compared["messages"] > 1000
    assert compared["values"] > 100_000
    assert set(compared) - _COUNTED <= set(FAULTS)
    assert not different, "\n".join(different[:20])


def _messages() -> Iterator[tuple[str, bytes]]:
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index, delimiter="\t"):
            for body in batch.split((CORPUS / row["file"]).read_bytes()):
                yield row["file"], body


def _differences(body: bytes, compared: Counter[str]) -> Iterator[str]:
    try:
        header = scan(body)
        document = Hl7Document(body, header)
        parsed = hl7.parse(_normalised(body, header.field_separator, header.charset))
    except (ReadError, hl7.ParseException, AssertionError, IndexError):
        compared["unreadable for one of the two"] += 1
        return
    if misplaced(body):
        compared["refused at the door"] += 1
        return
    if _odd_encoding_characters(header.encoding_characters):
        compared["encoding characters"] += 1
        return
    compared["messages"] += 1
    for path, theirs in _leaves(parsed):
        fault = _fault(path, theirs, header.delimiters.escape)
        compared[fault or "values"] += 1
        if not fault and not _same(document.values(path), path, theirs, parsed):
            yield f"{path}: {theirs!r}, and we read {document.values(path)!r}"


def _fault(path: Hl7Path, theirs: str, escape: str) -> str:
    if path.line[0] in ("FHS", "BHS"):
        return "batch header inside a message"
    if escape not in theirs or _declares(path):
        return ""
    return "" if escape == "\\" and _PLAIN.fullmatch(theirs) else "escapes"


def _declares(path: Hl7Path) -> bool:
    return path.field <= 2 and path.line[0] == "MSH"


def _same(ours: Sequence[Value], path: Hl7Path, theirs: str, parsed: hl7.Message) -> bool:
    if _declares(path):
        return list(ours) == [theirs]
    if DELETE in ours:
        # `""` deletes the whole repetition; python-hl7 has it in the components that hold it.
        return theirs.strip() in ("", '""')
    expected = parsed.unescape(theirs.rstrip(" \t\r\n"))
    return list(ours) == ([expected] if expected else [])


def _normalised(body: bytes, separator: str, declared: str) -> str:
    """python-hl7 takes a message with line feeds for one segment, and refuses a BOM."""
    text, _ = charset.decode(body, declared, "cp1252")
    return "\r".join(segments.split(text.lstrip(), separator)) + "\r"


def _odd_encoding_characters(encoding_characters: str) -> bool:
    cut = delimiters.declared("|", encoding_characters)
    positional = (cut.component, cut.repetition, cut.escape, cut.subcomponent)
    return positional != tuple(encoding_characters[:4])


def _leaves(message: hl7.Message) -> Iterator[tuple[Hl7Path, str]]:
    seen: Counter[str] = Counter()
    for segment in message:
        name = str(segment[0])
        seen[name] += 1
        for number in range(1, len(segment)):
            for place, text in _parts(segment[number]):
                yield Hl7Path((name, seen[name]), number, *place), text


def _parts(field: hl7.Field) -> Iterator[tuple[tuple[int, int, int, int], str]]:
    for repetition, components in enumerate(field, start=1):
        for component, subcomponents in enumerate(_inner(components), start=1):
            for subcomponent, text in enumerate(_inner(subcomponents), start=1):
                yield (repetition, 0, component, subcomponent), str(text)


def _inner(node: object) -> list[object]:
    return list(node) if isinstance(node, hl7.Container) else [node]
