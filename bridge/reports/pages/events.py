"""The reference page `docs/reference/hl7v2-events.md`, made from the shipped mappings.

`make reference` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from bridge import logs
from bridge.mapping.engine.compiled import Mapping, Mappings
from bridge.mapping.folders import Folder
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.shipped import mappings_folder
from bridge.yamlfile import Word, read_table
from bridge.zauto import catalogue

_INTRODUCTION = """\
# HL7 v2 events

<!-- Made from mappings/hl7v2/ by `make reference`; change it there. -->

What becomes of each message type by the shipped mappings. A hospital's own folder can change every
row ([how](mapping.md#a-sites-own-folder)). Calls are made in the order given; one that changes
nothing costs none.
"""

_NOTES = """\

## Master files

- MFE-1 says what becomes of an entry. MAD (add), MUP (update) and MAC (reactivate) make the record
  be there and hold what the entry says. MDC (deactivate) and MDL (delete) leave it as it is,
  because ZautoAI's records have no mark for it, and the message says so.
- MFI-3 REP replaces a file. Nothing is deleted that it does not name.
- MFE-3, when an entry takes effect, is not waited for.
- One call is made for each entry, so a bad one does not hold up the others. An entry that lacks
  what ZautoAI requires is parked, and the message with it, until a person or a later message brings
  it; one without a key is told of.
- In original mode MFK answers, with an MFA for each entry that MFI-6 asks for. It says that the
  entry is kept; what becomes of it at ZautoAI comes later, and is not told there.
- Master files of a hospital's own (MFN^Z..), and those that HL7 leaves to it (M01, M13, M14), need
  [a mapping](../how-to/map-a-master-file.md).

## Everything else

A message type without a row is kept, acknowledged, counted and shown as *unmapped*. Once a mapping
takes it, it can be sent again (`bridge replay`).
"""


def events(mappings: Mappings) -> str:
    """The whole page."""
    lines = ["", "| events | become | by |", "|---|---|---|", *_rows(mappings)]
    return _INTRODUCTION + "\n".join(lines) + "\n" + _NOTES


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


if __name__ == "__main__":
    logs.configure("WARNING")
    _folder = mappings_folder()
    sys.stdout.write(events(load([_folder], catalogue.load(_folder / "zauto"), Site())))
