"""Run messages through two sets of mappings, each with what it learnt of its own.

A translation of an HL7 v2 message looks at nothing but the message, so that such messages may be
translated in any order and place, and most traffic is of them. A FHIR resource looks at what its
references lead to, an order at what is known of its visit: both depend on all that came before.
Therefore a pass is cut in two: `translate_hl7` for chunks of HL7 v2 anywhere, giving besides the
difference what each message taught; and `Sides`, one for the pass, which goes through everything in
order, takes those lessons in and translates what depends on them. The result is the sequential one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from bridge.delivery import Translation
from bridge.errors import ReadError
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.compiled import Mapping
from bridge.mapping.engine.sets import Sets
from bridge.message import Message, Protocol
from bridge.pipeline.planning.translate import Known, read, translate, unreadable
from bridge.settings import Settings
from bridge.study.lessons import Lesson, Lessons, lessons_of
from bridge.study.whatif.compare import compare
from bridge.study.whatif.difference import Comparison, Example

#: messages set aside until what they wait for was to come; any more are compared as they stand
MOST_HELD = 10_000

#: a message with the name that people look it up by
Labelled: TypeAlias = tuple[str, Message]
Both: TypeAlias = tuple[Translation | None, Translation | None]


class Pair(NamedTuple):
    """The present set of mappings, and the changed one."""

    present: Sets
    changed: Sets
    settings: Settings


class Taught(NamedTuple):
    """What one HL7 v2 message taught each side; None where it is the same."""

    present: tuple[Lesson, ...]
    changed: tuple[Lesson, ...] | None


class Translated(NamedTuple):
    """What became of a chunk of HL7 v2 messages."""

    difference: Comparison
    taught: Sequence[Taught]


def translate_hl7(messages: Iterable[Labelled], pair: Pair) -> Translated:
    """Compare both sides of HL7 v2 messages, in any process."""
    difference = Comparison()
    taught = []
    for label, message in messages:
        both = _of_hl7(message, pair)
        _note(difference, label, message, both)
        left, right = (lessons_of(made.calls) if made else () for made in both)
        taught.append(Taught(left, None if left == right else right))
    return Translated(difference, taught)


class Sides:
    """Goes through a pass in order, with what each side knows by then."""

    def __init__(self, pair: Pair, known: Known | None = None) -> None:
        """`known` is what both knew before the first message."""
        self.difference = Comparison()
        self._pair = pair
        self._known = (Lessons(known), Lessons(known))
        self._held: list[Labelled] = []

    def learn(self, taught: Taught) -> None:
        """Take in what an HL7 v2 message taught."""
        present, changed = taught
        self._known[0].learn(present)
        self._known[1].learn(present if changed is None else changed)

    def take(self, label: str, message: Message) -> None:
        """Compare a message that may depend on earlier ones."""
        both = self._translate(message)
        waits = any(made is not None and made.needs for made in both)
        if waits and len(self._held) < MOST_HELD:
            self._held.append((label, message))
        else:
            _note(self.difference, label, message, both)

    def finish(self) -> Comparison:
        """Take again what waited, as the service does when the record comes; no message after."""
        for label, message in self._held:
            _note(self.difference, label, message, self._translate(message))
        self._held.clear()
        return self.difference

    def _translate(self, message: Message) -> Both:
        pair = self._pair
        present, changed = (sets.of(message.channel) for sets in (pair.present, pair.changed))
        left = translate(message, present, pair.settings, self._known[0])
        right = translate(message, changed, pair.settings, self._known[1])
        for made, known in zip((left, right), self._known, strict=True):
            if made is not None:
                known.learn_from(made.calls)
        return left, right


def _of_hl7(message: Message, pair: Pair) -> Both:
    """Both sides of one reading: settings, and so charset and version, are the same."""
    kind = (Protocol.HL7V2, message.message_type)
    sets = (pair.present, pair.changed)
    mappings = tuple(each.of(message.channel).find(*kind) for each in sets)
    if mappings == (None, None):
        return None, None
    try:
        # what is known beside an HL7 v2 message is nothing
        document, context = read(message, pair.settings, Lessons())
    except ReadError as error:
        left, right = (_unread(mapping, error) for mapping in mappings)
    else:
        left, right = (m if m is None else apply(m, document, context) for m in mappings)
    return left, right


def _unread(mapping: Mapping | None, error: ReadError) -> Translation | None:
    if mapping is None:
        return None
    return Translation(mapping.name, mapping.hash, (), cause=unreadable(error))


def _note(difference: Comparison, label: str, message: Message, both: Both) -> None:
    difference.untaken += both == (None, None)
    difference.note(
        Example(label, message.message_type, point, before, after)
        for point, before, after in compare(*both)
    )
