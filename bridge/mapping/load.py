"""Read folders of mapping files into one compiled set, or say everything that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.errors import Fault, MappingError
from bridge.mapping.codes import CodeTable
from bridge.mapping.compile import Compiler
from bridge.mapping.language import CallText, MappingText, Part, TableText
from bridge.mapping.parse import nearest, parse_mapping, parse_part, parse_table
from bridge.mapping.plan import CallPlan, Mapping, Mappings, Need
from bridge.mapping.tree import Place, Table, overlay, read
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue

PARTS, CODES, CATALOGUE = "parts", "codes", "zauto"
FOLDERS = (*(protocol.value for protocol in Protocol), PARTS, CODES, CATALOGUE)
_TEST_SUFFIX = "_test"


def load(folders: Sequence[Path], catalogue: Catalogue, site: Site) -> Mappings:
    """Compile all mappings; a later folder's files override those of the same name.

    Of a part and a code table, a later file replaces single fields, facts and rows, and any other
    key as a whole. Raises MappingError with every fault of every file.
    """
    faults: list[Fault] = []
    tables = _read_all(folders, faults)
    digest = _hash(folders)
    texts = _Texts(tables, faults)
    compiler = Compiler(catalogue, site, texts.compiled_tables(), faults)
    zone = ZoneInfo(site.time_zone)
    compiled = tuple(
        Mapping(
            name=text.name,
            protocol=text.protocol,
            messages=tuple(word.text for word in text.messages),
            calls=_calls(text, texts.parts, compiler),
            needs=_needs(text, compiler),
            hash=digest,
            site=site,
            zone=zone,
        )
        for text in texts.mappings
    )
    by_type = _by_type(texts.mappings, compiled, faults)
    if faults:
        raise MappingError(sorted(set(faults), key=lambda f: (f.file, f.line, f.column)))
    return Mappings(digest, compiled, by_type)


_NO_CODES = TableText("", Place("", 1, 1))


class _Texts:
    """What all files say, by name; what a file with faults says is empty, and told once."""

    def __init__(self, tables: MappingOf[str, Table | None], faults: list[Fault]) -> None:
        self.mappings: list[MappingText] = []
        self.parts: dict[str, Part | None] = {}
        self.codes: dict[str, TableText] = {}
        for name, table in tables.items():
            folder, _, stem = name.partition("/")
            if folder == PARTS:
                self.parts[stem] = parse_part(table, stem, faults) if table else None
            elif folder == CODES:
                self.codes[stem] = parse_table(table, stem, faults) if table else _NO_CODES
            elif table:
                self.mappings.append(parse_mapping(table, name, Protocol(folder), faults))

    def compiled_tables(self) -> dict[str, CodeTable]:
        return {name: _table(text) for name, text in self.codes.items()}


def _table(text: TableText) -> CodeTable:
    rows = {code.text: value.text for code, value in text.rows}
    return CodeTable(text.name, rows, text.otherwise.text if text.otherwise else "drop")


def _calls(
    text: MappingText, parts: MappingOf[str, Part | None], compiler: Compiler
) -> tuple[CallPlan, ...]:
    calls: list[CallPlan] = []
    for number, call in enumerate(text.calls):
        part = _part_of(call, f"calls[{number}].use", parts, text, compiler)
        if part is not None:
            calls.append(compiler.call(call, part, [made.resource for made in calls]))
    return tuple(calls)


def _part_of(
    call: CallText,
    key: str,
    parts: MappingOf[str, Part | None],
    text: MappingText,
    compiler: Compiler,
) -> Part | None:
    """The part a call uses, if it fits; a part with faults of its own was reported before."""
    if call.use.text not in parts:
        compiler.unknown(call.use, key, "part", parts)
        return None
    part = parts[call.use.text]
    if part is None:
        return None
    if call.interaction != "send" and call.target.text not in compiler.catalogue:
        compiler.unknown(call.target, key, "resource", compiler.catalogue.resources)
        return None
    if part.target.text != call.target.text:
        message = f"part '{part.name}' is for {part.target.text}, not {call.target.text}."
        compiler.faults.append(call.use.place.fault(key, message))
    if part.source is not text.protocol:
        message = f"part '{part.name}' reads {part.source.value}, not {text.protocol.value}."
        compiler.faults.append(call.use.place.fault(key, message))
        return None
    return part


def _needs(text: MappingText, compiler: Compiler) -> tuple[Need, ...]:
    needs = []
    for resource, path in text.needs:
        if resource.text not in compiler.catalogue:
            compiler.unknown(resource, "needs", "resource", compiler.catalogue.resources)
        needs.append(Need(resource.text, compiler.source(path, "needs", text.protocol)))
    return tuple(needs)


def _by_type(
    texts: Sequence[MappingText], compiled: Sequence[Mapping], faults: list[Fault]
) -> dict[tuple[Protocol, str], Mapping]:
    found: dict[tuple[Protocol, str], Mapping] = {}
    for text, mapping in zip(texts, compiled, strict=True):
        for word in text.messages:
            first = found.setdefault((text.protocol, word.text), mapping)
            if first is not mapping:
                message = f"'{word.text}' has a mapping already, {first.name}; keep it in one."
                faults.append(word.place.fault("messages", message))
    return found


def _read_all(folders: Sequence[Path], faults: list[Fault]) -> dict[str, Table | None]:
    """Every file's tree by its name without suffix, `parts/patient_from_pid`; None is unusable."""
    found: dict[str, Table | None] = {}
    for folder in folders:
        if not folder.is_dir():
            faults.append(Fault(str(folder), 1, 1, "", "is not a folder of mappings."))
        for file in _files(folder, faults):
            name = file.relative_to(folder).with_suffix("").as_posix()
            table, before = read(file, str(file), faults), found.get(name)
            found[name] = overlay(before, table) if before and table else table
    return found


def _files(folder: Path, faults: list[Fault]) -> list[Path]:
    files = []
    for file in sorted(folder.glob("*/*.yaml")):
        kind = file.parent.name
        if kind not in FOLDERS:
            message = f"'{kind}' is not a folder of mappings; there are {', '.join(FOLDERS)}."
            faults.append(Fault(str(file), 1, 1, "", message, nearest(kind, FOLDERS)))
        elif kind != CATALOGUE and not file.stem.endswith(_TEST_SUFFIX):
            files.append(file)
    return files


def _hash(folders: Sequence[Path]) -> str:
    """The same for the same contents under the same names, wherever the folders are."""
    digest = hashlib.sha256()
    for number, folder in enumerate(folders):
        for file in sorted(folder.glob("*/*.yaml")):
            name = f"{number}/{file.relative_to(folder).as_posix()}"
            digest.update(f"{name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
