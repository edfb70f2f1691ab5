"""The public messages beside the repository: which files, and what of each is one message."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.acceptance.processes import ROOT

FOLDER = ROOT.parent / "shared" / "corpus"
#: files of first line ends, which the index does not list again
RAW = "raw-lineends"
_FRAMED = re.compile(rb"[\r\n ]*\x0b")
_FRAME = re.compile(rb"\x0b(.*?)(?:\x1c|$)", re.DOTALL)
#: left over where a message was cut out of a capture
_BLOCK_END = re.compile(rb"[\x0b\x1c]\s*$")
_HEADER = re.compile(rb"(?m)^MSH")
_TRAILERS = re.compile(rb"(?m)^[BF]TS.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of one file."""

    file: Path
    body: bytes
    #: nothing is wrong with it that an ADT^A01, A04 or A08 may be refused for
    well_formed: bool = False
    #: method and path of the FHIR door; "" for MLLP
    method: str = ""
    path: str = ""


def hl7_parts() -> Iterator[Part]:
    """Every message of every HL7 v2 file."""
    folder = FOLDER / "hl7v2"
    with (folder / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE):
            parses = row["python-hl7-parse"] == "ok" and row["kind"] in ("data", "code-literal")
            for body in split((folder / row["file"]).read_bytes()):
                yield Part(folder / row["file"], body, parses and _registers(body))
    for file in sorted((folder / RAW).rglob("*.hl7")):
        yield from (Part(file, body) for body in split(file.read_bytes()))


def fhir_parts() -> Iterator[Part]:
    """Every FHIR file, as an update where it has an id and a create where it has none."""
    for file in sorted((FOLDER / "fhir").rglob("*.json*")):
        body = file.read_bytes()
        method, path = _address(body)
        yield Part(file, body, method=method, path=path)


def split(data: bytes) -> list[bytes]:
    """The messages of a file: of a capture its frames, of a batch what begins with MSH."""
    if _FRAMED.match(data):
        return _FRAME.findall(data)
    data = _BLOCK_END.sub(b"", data)
    starts = [found.start() for found in _HEADER.finditer(data.replace(b"\r", b"\n"))]
    if not starts or (len(starts) < 2 and not data.startswith((b"FHS", b"BHS"))):
        return [data]
    ends = [*starts[1:], len(data)]
    parts = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    return [_without_trailers(part) for part in parts]


def _without_trailers(part: bytes) -> bytes:
    found = _TRAILERS.search(part.replace(b"\r", b"\n"))
    return part[: found.start()] if found else part


def _registers(body: bytes) -> bool:
    """Whether it is an ADT^A01, A04 or A08 of a version 2.x with a control id."""
    header = re.split(rb"[\r\n]", body, maxsplit=1)[0]
    if not re.match(rb"MSH[^A-Za-z0-9]", header):
        return False
    fields = header.split(header[3:4])
    if len(fields) < 12:
        return False
    type_ = fields[8].split(header[4:5])[:2]
    named = type_ in ([b"ADT", b"A01"], [b"ADT", b"A04"], [b"ADT", b"A08"])
    return named and bool(fields[9].strip()) and fields[11].startswith(b"2.")


def _address(body: bytes) -> tuple[str, str]:
    try:
        resource = json.loads(body.decode("utf-8-sig"))
        type_, id_ = resource["resourceType"], resource.get("id")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "POST", "/fhir/Patient"
    if id_ is None:
        return "POST", f"/fhir/{quote(str(type_), safe='')}"
    return "PUT", f"/fhir/{quote(str(type_), safe='')}/{quote(str(id_), safe='')}"
