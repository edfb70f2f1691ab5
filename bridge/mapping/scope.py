"""What a rule and its function can look at while one document is translated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from bridge.delivery import Remark
from bridge.mapping.document import Context, Document
from bridge.message import DELETE
from bridge.settings import Site

T = TypeVar("T")
#: puts the values of a field into the order in which they are asked
Order: TypeAlias = Callable[[Sequence[Any], "Scope"], Sequence[Any]]


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
    #: what rules found, by the rule's reader
    found: dict[Any, Any] = field(default_factory=dict)
    _values: dict[tuple[str, Order | None], Sequence[Any]] = field(default_factory=dict)
    _read: dict[tuple[Callable[[Any], Any], int], Any] = field(default_factory=dict)

    def turn_to(self, document: Document) -> None:
        """Read from this document from now on."""
        self.document = document
        self.found.clear()
        self._values.clear()
        self._read.clear()

    def remark(self, text: str) -> None:
        """Note something odd about the path being read; the text never holds its value."""
        self.remarks.append(Remark(self.where, text))

    def values(self, text: str, path: Any, order: Order | None = None) -> Sequence[Any]:
        """Values at a parsed path (`text` is its text), in the order they are asked."""
        key = (text, order)
        found = self._values.get(key)
        if found is None:
            found = (
                self.document.values(path) if order is None else self._ordered(text, path, order)
            )
            self._values[key] = found
        return found

    def _ordered(self, text: str, path: Any, order: Order) -> Sequence[Any]:
        """A field's own values in order; a deletion counts only where it is all there is."""
        stated = self.values(text, path)
        found = [value for value in stated if value is not DELETE]
        return order(found, self) if found else stated

    def once(self, read: Callable[[Any], T], value: Any) -> T:
        """What `read` makes of a value of this document, made once."""
        # the document or `_values` holds the value, so that its identity stays its own
        key = (read, id(value))
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = read(value)
        known: T = found
        return known
