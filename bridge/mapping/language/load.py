"""Read folders of mapping files into one compiled set, or say everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.delivery import ACCOUNT, OF_IDENTITY, Interaction
from bridge.errors import Fault, MappingError
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.compiled import CompiledCall, Maker, Mapping, Mappings, Need
from bridge.mapping.engine.generate import Written
from bridge.mapping.engine.trails import Trail
from bridge.mapping.folders import CODES, PARTS, Folder, content_hash, read_folder
from bridge.mapping.language.compile import compile_call
from bridge.mapping.language.likeness import with_likeness
from bridge.mapping.language.memory import Memory
from bridge.mapping.language.names import Names
from bridge.mapping.language.overlay import overlay
from bridge.mapping.language.words import (
    CallText,
    FileText,
    MappingText,
    PartText,
    TableText,
)
from bridge.message import Protocol
from bridge.settings import Site
from bridge.yamlfile import Table
from bridge.zauto.catalogue import Catalogue


def load(paths: Sequence[Path], catalogue: Catalogue, site: Site) -> Mappings:
    """Compile all mappings of these folders; a later one's files override those of the same name.

    Of a part and a code table, a later file replaces single fields, facts and rows, and any other
    key as a whole. Raises MappingError with every fault of every file.
    """
    faults: list[Fault] = []
    folders = [read_folder(path, faults) for path in paths]
    return compile_folders(folders, catalogue, site, faults)


def compile_folders(
    folders: Sequence[Folder],
    catalogue: Catalogue,
    site: Site,
    faults: list[Fault],
    memory: Memory | None = None,
) -> Mappings:
    """The same of folders in memory, with the faults that were found in reading them.

    What `memory` holds of earlier sets is not made again.
    """
    memory = Memory() if memory is None else memory
    trees = with_likeness(read_trees(folders, faults, memory), faults)
    texts = _Texts()
    for name, tree in trees.items():
        texts.add(name, memory.text(name, tree, faults) if tree else None)
    codes = {
        name: memory.table(text) if text else CodeTable(name, ())
        for name, text in texts.codes.items()
    }
    names = Names(catalogue, site, codes, faults)
    calls = [_calls(text, texts.parts, names) for text in texts.mappings]
    needs = [_needs(text, names) for text in texts.mappings]
    ignored = [_ignored(text, texts.parts, names) for text in texts.mappings]
    _check_types(texts.mappings, faults)
    if faults:
        raise MappingError(sorted(set(faults), key=lambda f: (f.file, f.line, f.column)))
    written = [
        [memory.call(call, f"{text.name}: {call.resource}") for call in of_text]
        for text, of_text in zip(texts.mappings, calls, strict=True)
    ]
    legend = tuple(rule for each in chain.from_iterable(written) for rule in each.rules)
    bound = _Binding(content_hash(folders, site, legend), site, ZoneInfo(site.time_zone))
    compiled = tuple(map(bound.mapping, texts.mappings, calls, written, needs, ignored))
    by_type = {(made.protocol, kind): made for made in compiled for kind in made.messages}
    return Mappings(bound.hash, compiled, legend, tuple(folders), site, codes, by_type)


@dataclass(slots=True)
class _Binding:
    """Puts the mappings of one set together, each rule with its number in the set's legend."""

    hash: str
    site: Site
    zone: ZoneInfo
    #: rules of the mappings put together so far
    rules: int = 0

    def mapping(
        self,
        text: MappingText,
        calls: tuple[CompiledCall, ...],
        written: Sequence[Written],
        needs: tuple[Need, ...],
        ignored: frozenset[Trail],
    ) -> Mapping:
        """One mapping with the functions of its calls."""
        return Mapping(
            name=text.name,
            protocol=text.protocol,
            messages=tuple(word.text for word in text.messages),
            calls=calls,
            makers=tuple(map(self._maker, written)),
            needs=needs,
            nothing=text.nothing.text if text.nothing else "",
            ignored=ignored,
            hash=self.hash,
            site=self.site,
            zone=self.zone,
        )

    def _maker(self, written: Written) -> Maker:
        first = self.rules
        self.rules += len(written.rules)
        return written.maker(first)


@dataclass(slots=True)
class _Texts:
    """What all files say, by name; None is one with faults, which are told once."""

    mappings: list[MappingText] = field(default_factory=list)
    parts: dict[str, PartText | None] = field(default_factory=dict)
    codes: dict[str, TableText | None] = field(default_factory=dict)

    def add(self, name: str, text: FileText | None) -> None:
        """Take what one file says."""
        folder, _, stem = name.partition("/")
        if folder == PARTS:
            self.parts[stem] = text if isinstance(text, PartText) else None
        elif folder == CODES:
            self.codes[stem] = text if isinstance(text, TableText) else None
        elif isinstance(text, MappingText):
            self.mappings.append(text)


def _calls(
    text: MappingText, parts: MappingOf[str, PartText | None], names: Names
) -> tuple[CompiledCall, ...]:
    calls: list[CompiledCall] = []
    for number, call in enumerate(text.calls):
        part = _part_of(call, parts, text, names)
        if part is not None:
            before = text.calls[:number]
            earlier = [made.target.text for made in before if _begins(made) in ("", _begins(call))]
            calls.append(compile_call(names, call, part, earlier))
    return tuple(calls)


def _begins(call: CallText) -> str:
    """What each group begins at that the call is made for; "" where there are none."""
    return call.each[0].text if call.each else ""


def _part_of(
    call: CallText,
    parts: MappingOf[str, PartText | None],
    text: MappingText,
    names: Names,
) -> PartText | None:
    """The part a call uses, if it fits; a part with faults of its own was reported before."""
    key = f"{call.key}.use"
    if call.use.text not in parts:
        names.unknown(call.use, key, "part", parts)
        return None
    part = parts[call.use.text]
    if part is None:
        return None
    known = set(names.catalogue.resources)
    if call.interaction in OF_IDENTITY:
        known.add(ACCOUNT)
    if call.interaction != Interaction.SEND and call.target.text not in known:
        names.unknown(call.target, key, "resource", known)
        return None
    if part.target.text != call.target.text:
        message = f"part '{part.name}' is for {part.target.text}, not {call.target.text}."
        names.fault(call.use, key, message)
    if part.source is not text.protocol:
        message = f"part '{part.name}' reads {part.source.value}, not {text.protocol.value}."
        names.fault(call.use, key, message)
        return None
    return part


def _needs(text: MappingText, names: Names) -> tuple[Need, ...]:
    needs = []
    for resource, path in text.needs:
        if resource.text not in names.catalogue:
            names.unknown(resource, "needs", "resource", names.catalogue.resources)
        needs.append(Need(resource.text, names.source(path, "needs", text.protocol)))
    return tuple(needs)


def _ignored(
    text: MappingText, parts: MappingOf[str, PartText | None], names: Names
) -> frozenset[Trail]:
    """What the mapping and the parts it uses leave out on purpose."""
    used = filter(None, (parts.get(call.use.text) for call in text.calls))
    words = chain(text.ignore, *(part.ignore for part in used))
    return frozenset(filter(None, (names.ignored(word, text.protocol) for word in words)))


#: what the message types of a protocol look like, and one of them
_TYPES = {
    Protocol.HL7V2: (re.compile(r"[A-Z][A-Z0-9]{2}(\^[A-Z0-9]{3})?"), "ADT^A04"),
    Protocol.FHIR: (re.compile(r"[A-Z][A-Za-z]+"), "Patient"),
    Protocol.ORDERS: (re.compile(r"[a-z]+-order"), "service-order"),
}


def _check_types(texts: Sequence[MappingText], faults: list[Fault]) -> None:
    """Each message type is one of its protocol's and has one mapping."""
    first: dict[tuple[Protocol, str], MappingText] = {}
    for text in texts:
        shape, example = _TYPES[text.protocol]
        for word in text.messages:
            if not shape.fullmatch(word.text):
                message = f"'{word.text}' is not a message type; write it like {example}."
                faults.append(word.place.fault("messages", message))
            other = first.setdefault((text.protocol, word.text), text)
            if other is not text:
                message = f"'{word.text}' has a mapping already, {other.name}; keep it in one."
                faults.append(word.place.fault("messages", message))


def read_trees(
    folders: Sequence[Folder], faults: list[Fault], memory: Memory
) -> dict[str, Table | None]:
    """Every file's tree by its name without suffix, `parts/patient_from_pid`; None is unusable.

    Where only the later file of a name is unusable, the earlier one stands for it: what others
    say of it is right or wrong by that.
    """
    found: dict[str, Table | None] = {}
    for folder in folders:
        for name, file, text in folder.mappings():
            table, before = memory.tree(text, file, faults), found.get(name)
            found[name] = overlay(before, table) if before and table else table or before
    return found
