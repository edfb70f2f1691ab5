"""What the files of a replay hold: pure, and tolerant, for wrong files are replayed as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bridge.errors import BridgeError, ReadError
from bridge.hl7v2 import batch, charset
from bridge.hl7v2.header import scan

BOM = b"\xef\xbb\xbf"
_HL7 = (b"MSH", b"FHS", b"BHS", b"\x0b")
_NAMED = re.compile(rb'"(?P<key>resourceType|externalVisitId)"\s*:\s*"(?P<value>[A-Za-z]*)')
#: bytes that tell what a file holds, a whole number of characters of UTF-32
_ENOUGH = 64
_ORDER_LINES = {"Medications": "prescriptions", "Services": "services"}


#: VT and FS, which cannot stand within a message
_BLOCK_ENDS = (b"\x0b", b"\x1c")


class PartKind(StrEnum):
    """Which door a part of a file belongs at."""

    HL7V2 = "hl7v2"
    FHIR = "fhir"
    ORDER = "order"
    #: what is wrong with a batch file as a whole; nothing is sent for it
    BATCH = "batch"
    #: nothing known; sent as an MLLP frame, so that the door's answer to it is seen
    OTHER = "other"


class AckCondition(StrEnum):
    """Whether the sender of a message wants its acknowledgment: MSH-15, table 0155."""

    ALWAYS = "AL"
    NEVER = "NE"
    ON_ERROR = "ER"
    ON_SUCCESS = "SU"

    def takes(self, code: str) -> bool:
        """Whether an acknowledgment with this code of table 0008 is wanted."""
        fitting = AckCondition.ON_SUCCESS if code.endswith("A") else AckCondition.ON_ERROR
        return self in (AckCondition.ALWAYS, fitting)


@dataclass(frozen=True, slots=True)
class ReplayPart:
    """One thing to send: a file, or one message of a batch file."""

    path: Path
    #: place within its file, from 0
    index: int
    kind: PartKind
    body: bytes
    #: `ADT^A04`, a FHIR resource type, `prescriptions` or `services`; "" where it cannot be told
    message_type: str = ""
    #: MSH-10
    control_id: str = ""
    wanted: AckCondition = AckCondition.ALWAYS
    #: HTTP method, and path below the door's URL
    method: str = ""
    address: str = ""
    #: of a batch: in what it is wrong
    fault: str = ""


def walk(paths: Iterable[Path]) -> list[Path]:
    """The files named, and of folders named what is to be sent, in the order of its path.

    In a folder, what is hidden is passed over, and what neither its name nor its beginning
    shows to be HL7 or JSON (licences, notes). A file named itself is always sent.
    """
    files: list[Path] = []
    for path in paths:
        files += sorted(_in_folder(path)) if path.is_dir() else [path]
    return files


def read(file: Path) -> bytes:
    """What a file holds; raises BridgeError where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise BridgeError(f"{file}: cannot be read: {error.strerror}") from error


def recognise(path: Path, data: bytes) -> list[ReplayPart]:
    """The parts of one file, by what it holds rather than by its name."""
    start = _start(data)
    if start.startswith(_HL7):
        # also of UTF-16 and UTF-32, which no frame may hold
        bodies = batch.split(data)
        return [_message(path, index, _cut_out(body)) for index, body in enumerate(bodies)]
    if start.startswith((b"{", b"[")) or path.suffix == ".json":
        return [_json(path, data)]
    return [ReplayPart(path, 0, PartKind.OTHER, data)]


def miscounted(path: Path, data: bytes) -> list[ReplayPart]:
    """What of a batch file its own counts (BTS-1, FTS-1) say is missing or too much."""
    if not _start(data).startswith(_HL7):
        return []
    return [ReplayPart(path, 0, PartKind.BATCH, b"", fault=told) for told in batch.miscounts(data)]


def renumber(body: bytes, control_id: str) -> bytes:
    """The message with another MSH-10; one that has none is left as it is."""
    at = body.find(b"MSH")
    try:
        header = scan(body[max(at, 0) :])
    except ReadError:
        return body
    line = re.split(rb"[\r\n]", body[at:], maxsplit=1)[0]
    fields = line.decode(header.encoding).split(header.field_separator)
    if len(fields) < 10 or not fields[9]:
        return body
    fields[9] = control_id
    renumbered = header.field_separator.join(fields).encode(header.encoding)
    return body[:at] + renumbered + body[at + len(line) :]


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and _to_be_sent(path):
            yield path


def _to_be_sent(path: Path) -> bool:
    if not {".hl7", ".json"}.isdisjoint(path.suffixes):
        return True
    try:
        with path.open("rb") as file:
            begins = file.read(_ENOUGH)
    except OSError as error:
        raise BridgeError(f"{path}: cannot be read: {error.strerror}") from error
    return _start(begins).startswith((*_HL7, b'{"', b"{\n"))


def _start(data: bytes) -> bytes:
    if charset.is_wide(data):
        data = charset.narrowed(data[:_ENOUGH])
    return data.removeprefix(BOM).lstrip()


def _cut_out(body: bytes) -> bytes:
    """A message without what is left of the blocks around it, where it was captured."""
    text = body.rstrip(b"\r\n\x0b\x1c")
    rest = body[len(text) :]
    return text + b"\r" if any(end in rest for end in _BLOCK_ENDS) else body


def _message(path: Path, index: int, body: bytes) -> ReplayPart:
    try:
        header = scan(body)
    except ReadError:
        return ReplayPart(path, index, PartKind.OTHER, body)
    return ReplayPart(
        path,
        index,
        PartKind.HL7V2,
        body,
        header.message_type,
        header.control_id,
        _wanted(header.message_type, header.accept_acknowledgment),
    )


def _wanted(message_type: str, accept_acknowledgment: str) -> AckCondition:
    if message_type.startswith("ACK"):
        return AckCondition.NEVER
    known = accept_acknowledgment in list(AckCondition)
    return AckCondition(accept_acknowledgment) if known else AckCondition.ALWAYS


def _json(path: Path, data: bytes) -> ReplayPart:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _unreadable(path, data)
    if isinstance(document, dict) and "externalVisitId" in document:
        return _order(path, data, document)
    return _resource(path, data, document if isinstance(document, dict) else {})


def _order(path: Path, data: bytes, document: dict[str, Any]) -> ReplayPart:
    door = next((door for key, door in _ORDER_LINES.items() if key in document), "prescriptions")
    return ReplayPart(path, 0, PartKind.ORDER, data, door, method="POST", address=f"/{door}")


def _resource(path: Path, data: bytes, document: dict[str, Any]) -> ReplayPart:
    """A resource with an id is an update of that id, one without a create."""
    name, id_ = document.get("resourceType"), document.get("id")
    name = name if isinstance(name, str) else ""
    method, address = "POST", f"/{quote(name, safe='')}" if name else ""
    if address and isinstance(id_, str) and id_:
        method, address = "PUT", f"{address}/{quote(id_, safe='')}"
    return ReplayPart(path, 0, PartKind.FHIR, data, name, method=method, address=address)


def _unreadable(path: Path, data: bytes) -> ReplayPart:
    """JSON too broken to read goes where the little that can be made out of it says."""
    found = _NAMED.search(data)
    if found is not None and found["key"] == b"externalVisitId":
        return _order(path, data, {key: None for key in _ORDER_LINES if key.encode() in data})
    name = found["value"].decode("ascii") if found is not None else ""
    address = f"/{name}" if name else ""
    return ReplayPart(path, 0, PartKind.FHIR, data, name, method="POST", address=address)
