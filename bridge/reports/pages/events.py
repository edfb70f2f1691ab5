"""The table of docs/reference/hl7v2-events.md, made from the shipped mappings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.mapping.engine.compiled import Mapping, Mappings
from bridge.mapping.folders import Folder
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.shipped import mappings_folder
from bridge.yamlfile import Word, read_table
from bridge.zauto import catalogue


def table() -> str:
    """What becomes of each message type."""
    shipped = mappings_folder()
    mappings = load([shipped], catalogue.load(shipped / "zauto"), Site())
    return "\n".join(["| events | become | by |", "|---|---|---|", *_rows(mappings), ""])


def _rows(mappings: Mappings) -> Iterator[str]:
    told = _told(mappings.folders)
    taken = [mapping for mapping in mappings.all if mapping.protocol is Protocol.HL7V2]
    for mapping in sorted(taken, key=lambda each: each.messages):
        types = ", ".join(f"`{kind}`" for kind in mapping.messages)
        link = f"[{mapping.name}](../../mappings/{mapping.name}.yaml)"
        yield f"| {types} | {told[mapping.name]} {_become(mapping)} | {link} |"


def _become(mapping: Mapping) -> str:
    if mapping.nothing:
        return f"**Nothing**: {mapping.nothing}"
    calls = dict.fromkeys(f"{call.interaction} {call.resource}" for call in mapping.calls)
    return f"**Calls**: {', '.join(calls)}."


def _told(folders: Sequence[Folder]) -> dict[str, str]:
    """What each mapping's `about` says."""
    found = {}
    for folder in folders:
        for name, file, text in folder.mappings():
            table = read_table(text, file, [])
            about = table.entries.get("about") if table else None
            text = about.value.text if about and isinstance(about.value, Word) else ""
            found[name] = " ".join(text.split())
    return found
