"""What a rule and its function can look at while one document is translated."""

from __future__ import annotations

import json
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from bridge.causes import Cause, CauseKind
from bridge.delivery import UnknownCode
from bridge.mapping.codes import CodeTable
from bridge.mapping.document import Context, Document
from bridge.message import DELETE
from bridge.remarks import Remark, RemarkCode
from bridge.settings import Site

#: One value that a path gives: what the reading made of it (a text, a `Name`, a `Telecom` …), as it
#: was sent, and its path, with ` #2` behind it where it is the second there. Plain tuples, because
#: one is made for every value of every message.
Candidate: TypeAlias = tuple[Any, str, str]
Candidates: TypeAlias = Sequence[Candidate]


class Reading(NamedTuple):
    """How the values of a path are read, and in which order they are asked."""

    read: Callable[[Any], Any]
    #: None asks them as they stand
    order: Callable[[Candidates, Scope], Candidates] | None = None


# No named tuple: its fields are looked up for every value of every message, which takes a third as
# long in a class with slots.
@dataclass(frozen=True, slots=True)
class Source:
    """A path, compiled."""

    text: str
    path: Any
    read: Callable[[Any], Any]
    order: Callable[[Candidates, Scope], Candidates] | None


class Scope:
    """One translation under way; made anew for each, so nothing is shared between messages."""

    __slots__ = (
        *("context", "deleted", "document", "external_id", "ids", "ids_within", "needs"),
        *("number", "problems", "raw", "remarks", "site", "unknown_codes", "where", "zone"),
    )

    def __init__(self, document: Document, context: Context, site: Site, zone: ZoneInfo) -> None:
        self.document: Any = document
        self.context = context
        self.site = site
        self.zone = zone
        #: external ids of the calls made so far, by resource name
        self.ids: MutableMapping[str, str] = {}
        #: those of calls made for `each`, by what a group begins at, and its number
        self.ids_within: dict[tuple[str, int], dict[str, str]] = {}
        #: of the group or item that is gone through, from 1; 0 outside of `each`
        self.number = 0
        #: external id of the call being made
        self.external_id = ""
        #: path being read, and what stands there, for remarks
        self.where = self.raw = ""
        self.remarks: list[Remark] = []
        self.needs: list[str] = []
        #: why the message is parked for a person, by a policy of the site
        self.problems: list[Cause] = []
        self.unknown_codes: list[UnknownCode] = []
        #: paths at which the sender deletes, of those read for the call being made
        self.deleted: set[str] = set()

    def remark(self, code: RemarkCode, name: str = "") -> None:
        """Note something odd about the value being read; `name` is a constant."""
        self.remarks.append(Remark(code, self.where, name, self.raw))

    def park(self, policy: str) -> None:
        """Make no call of the message; a person acts, because of this policy of the site."""
        self.problems.append(
            Cause(CauseKind.SITE_PARKS, path=self.where, name=policy, sent=self.raw)
        )

    def miss(self, table: CodeTable, code: object) -> None:
        """Count a code that has no row; the message waits for one where the table holds."""
        unknown = UnknownCode(table.name, " ".join(str(code).split()), table.holds)
        self.unknown_codes.append(unknown)
        if table.holds:
            self.needs.append(unknown.key)

    def read(self, source: Source) -> Candidates:
        """The values at a source as they stand, deletions aside."""
        return self._read(source, self.document.values(source.path))

    def read_field(self, source: Source, text: str) -> Candidates:
        """The same, of an HL7 field whose text is known."""
        return self._read(source, self.document.syntax.values(source.path, text))

    def read_text(self, source: Source, text: str) -> Candidates:
        """The same, where the source is one component, or all of the field, as plain text."""
        component = source.path.component
        syntax = self.document.syntax
        raw = syntax.only_text(text) if component is None else syntax.part(text, component)
        if raw is None:
            return self.read_field(source, text)
        return ((raw.strip(), raw, source.text),) if raw else ()

    def first_text(self, source: Source, text: str) -> tuple[str | None, str, str]:
        """The first that says something: the text, as it was sent, and its path."""
        for value, raw, path in self.read_field(source, text):
            if value:
                return value, raw, path
        return None, "", ""

    def read_whole(self, source: Source, text: str) -> Candidates:
        """The same, where the source is every repetition of the field, whole."""
        found = self.document.syntax.whole(text)
        if found is None:
            return self.read_field(source, text)
        label, read = source.text, source.read
        if len(found) == 1:
            raw, parts = found[0]
            return ((read(parts), raw, label),)
        return [
            (read(parts), raw, f"{label} #{number}" if number > 1 else label)
            for number, (raw, parts) in enumerate(found, 1)
        ]

    def _read(self, source: Source, values: Sequence[Any]) -> Candidates:
        if len(values) == 1 and (value := values[0]) is not DELETE:
            return (
                (source.read(value), value if type(value) is str else _raw(value), source.text),
            )
        return self._each(values, source) if values else ()

    def _each(self, values: Sequence[Any], source: Source) -> Candidates:
        found: list[Candidate] = []
        text, read = source.text, source.read
        for value in values:
            if value is DELETE:
                self.deleted.add(text)
                continue
            label = f"{text} #{len(found) + 1}" if found else text
            found.append((read(value), value if type(value) is str else _raw(value), label))
        return found

    def deletion(self, sources: Sequence[Source]) -> tuple[Any, str, str]:
        """What the sender deletes at one of the sources: `DELETE`, `""` and the path, or None."""
        for source in sources:
            if source.text in self.deleted:
                return DELETE, '""', source.text
        return None, "", ""


def _raw(value: Any) -> str:
    """A source value that is no text, as it was sent."""
    try:
        stated: str = value.raw
    except AttributeError:
        return json.dumps(value, ensure_ascii=False)
    return stated
