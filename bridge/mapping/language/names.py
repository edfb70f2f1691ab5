"""What the names in mapping files lead to: paths, settings, tables, conditions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Fault, PathError
from bridge.fhir import paths as fhir_paths
from bridge.hl7v2 import paths as hl7v2_paths
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine import dotted, trails
from bridge.mapping.engine.rules import Condition
from bridge.mapping.functions import PLAIN
from bridge.mapping.language.decided import decide
from bridge.mapping.language.rule_words import ConditionText
from bridge.mapping.scope import Reading, Source
from bridge.message import Protocol
from bridge.settings import Site
from bridge.yamlfile import Word, nearest
from bridge.zauto.catalogue import Catalogue

_PARSE: Mapping[Protocol, Callable[[str], Any]] = {
    Protocol.HL7V2: hl7v2_paths.parse,
    Protocol.FHIR: fhir_paths.parse,
    Protocol.ORDERS: dotted.parse,
}


@dataclass(slots=True)
class Names:
    """Looks names up; one that leads nowhere is a fault, and is collected."""

    catalogue: Catalogue
    site: Site
    tables: Mapping[str, CodeTable]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, word: Word, key: str, message: str, near: str | None = None) -> None:
        """Report what is wrong with a word."""
        self.faults.append(word.place.fault(key, message, near))

    def unknown(self, word: Word, key: str, what: str, known: Iterable[str]) -> None:
        """Report a name that leads nowhere."""
        message = f"there is no {what} '{word.text}'."
        self.fault(word, key, message, nearest(word.text, sorted(known)))

    def source(self, word: Word, key: str, protocol: Protocol, reading: Reading = PLAIN) -> Source:
        """A path of the protocol's own notation, and how it is read."""
        path = None
        try:
            path = _PARSE[protocol](word.text)
        except PathError as error:
            self.fault(word, key, str(error), error.suggestion)
        return Source(word.text, path, *reading)

    def ignored(self, word: Word, protocol: Protocol) -> trails.Trail | None:
        """A path of `ignore:`."""
        try:
            return trails.ignored(word.text, protocol)
        except PathError as error:
            self.fault(word, "ignore", str(error), error.suggestion)
            return None

    def conditions(
        self, tests: Iterable[ConditionText], protocol: Protocol
    ) -> tuple[Condition, ...]:
        """The tests of a `when:`."""
        return tuple(self._condition(test, protocol) for test in tests)

    def _condition(self, test: ConditionText, protocol: Protocol) -> Condition:
        """One test; of HL7 a path may be the name of a segment."""
        if test.path is None:
            return Condition(None, decided=decide(test, self.site, self.faults))
        hl7 = protocol is Protocol.HL7V2
        named = hl7v2_paths.segment_path(test.path.text) if hl7 else None
        if named is not None:
            source = Source(test.path.text, named, *PLAIN)
        else:
            source = self.source(test.path, "when", protocol)
        return Condition(source, test.wanted, test.unwanted, test.empty)
