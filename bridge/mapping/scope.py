"""What a rule and its function can look at while one document is translated."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from bridge.delivery import Remark
from bridge.mapping.document import Context, Document
from bridge.message import DELETE
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


@dataclass(frozen=True, slots=True)
class Source:
    """A path, compiled."""

    text: str
    path: Any
    read: Callable[[Any], Any]
    order: Callable[[Candidates, Scope], Candidates] | None
    #: the same for all sources of a set of mappings that read the same path the same way
    number: int
    #: its number without the order, which is also how it is known that the sender deletes there
    unordered: int


@dataclass(slots=True)
class Scope:
    """One translation under way; made anew for each, so nothing is shared between messages.

    Several rules read the same field, so that what was read is kept until another document, or
    another view of it, is turned to.
    """

    document: Document
    context: Context
    site: Site
    zone: ZoneInfo
    #: external ids of the calls made so far, by resource name
    ids: dict[str, str] = field(default_factory=dict)
    #: external id of the call being made
    external_id: str = ""
    #: path being read, for remarks
    where: str = ""
    remarks: list[Remark] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    #: what rules found, by the number of the reader they share
    found: dict[int, Any] = field(default_factory=dict)
    #: numbers, without order, of the sources at which the sender deletes
    deleted: set[int] = field(default_factory=set)
    #: the values at sources, by their number
    known: dict[int, Candidates] = field(default_factory=dict)

    def turn_to(self, document: Document) -> None:
        """Read from this document from now on."""
        self.document = document
        self.found.clear()
        self.deleted.clear()
        self.known.clear()

    def remark(self, text: str) -> None:
        """Note something odd about the path being read; the text never holds its value."""
        self.remarks.append(Remark(self.where, text))

    def candidates(self, source: Source) -> Candidates:
        """The values at a source, deletions aside, in the order they are asked."""
        found = self.known.get(source.number)
        return self.read(source) if found is None else found

    def read(self, source: Source) -> Candidates:
        """`candidates` of a source that is not known yet."""
        known, number = self.known, source.unordered
        found = known.get(number)
        if found is None:
            values = self.document.values(source.path)
            if len(values) == 1 and (value := values[0]) is not DELETE:
                raw = value if type(value) is str else _raw(value)
                found = ((source.read(value), raw, source.text),)
            else:
                found = self._each(values, source) if values else ()
            known[number] = found
        order = source.order
        if order is not None:
            found = known[source.number] = order(found, self) if found else found
        return found

    def _each(self, values: Sequence[Any], source: Source) -> Candidates:
        found: list[Candidate] = []
        text, read = source.text, source.read
        for value in values:
            if value is DELETE:
                self.deleted.add(source.unordered)
                continue
            label = f"{text} #{len(found) + 1}" if found else text
            found.append((read(value), value if type(value) is str else _raw(value), label))
        return found


def _raw(value: Any) -> str:
    """A source value that is no text, as it was sent."""
    stated: str | None = getattr(value, "raw", None)
    return json.dumps(value, ensure_ascii=False) if stated is None else stated
