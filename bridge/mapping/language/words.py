"""The words of the mapping language.

Four kinds of file: a *mapping* (what becomes of a message type), a *part* (how one call is made
of a document), a *code table*, and the target's catalogue, which `bridge.zauto.catalogue` reads.
Each word stands here once, with what it says and what may stand under it; the checker, the JSON
Schema and the reference (`docs/reference/mapping.md`) have it from here. What is read is what was
written; `compile` checks the names in it and makes rules of it.
"""

# Annotations stand as they are: as texts, each would be compiled when the bridge starts.
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from pydantic import Discriminator, Tag

from bridge.delivery import Role
from bridge.errors import Fault
from bridge.mapping.language.declared import Declared, told_at, word
from bridge.mapping.language.rule_words import (
    ChoiceText,
    Fields,
    Paths,
    Record,
    Resource,
    Rules,
    Tests,
)
from bridge.mapping.language.shapes import (
    PLAIN,
    Many,
    Mark,
    Named,
    NamedOnce,
    Scalar,
    Scalars,
    Text,
    Truth,
    Words,
)
from bridge.message import Protocol
from bridge.yamlfile import Table, Word

IGNORE = "paths left out on purpose: `bridge coverage` does not count them as forgotten"
ABOUT = "what the file is for, for people"


class AlsoText(Declared):
    """Another id of the record, or one that it may go by."""

    id: Rules = word("rules for the other id", ())
    authority: Rules = word("who assigned it", ())
    guessed: Mark = word(
        "`guessed: true`: nobody says that it is this record's; it counts only where a record of "
        "the same owner goes by it",
        False,
    )

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """An id has rules."""
        if "id" not in table.entries:
            yield told_at(table, "id", "say where the other id comes from.")


class NumbersText(Declared):
    """The paths of all numbers that a message gives for the records of a call."""

    id: Paths = word("where the numbers of the record stand", ())
    into: Paths = word(
        "where those of the record stand that it leads to or belongs to from then on", ()
    )
    owner: Paths = word("where those of the record stand that it belongs to, or belonged to", ())

    def of_roles(self) -> Iterator[tuple[Role, tuple[Word, ...]]]:
        """The paths for each record that has some."""
        for role in Role:
            if role in self.model_fields_set:
                yield role, getattr(self, role)


class OrderText(Declared):
    """What an item of a list says of an order."""

    control: Rules = word(
        "the order control (table 0119): `NW`, `XO`, `CA` or `DC`; any other is a status", ...
    )
    status: Rules = word(
        "the order status (table 0038), where `CM` means completed; without one the pushed word "
        "counts",
        (),
    )
    price: Rules = word("what it costs, a plain number", ())


class SegmentText(Declared):
    """One segment of a message to the hospital."""

    segment: Text = word("its name", ...)
    when: Tests = word("only if this is so", ())
    requires: Scalars = word("places without which the segment is not written", ())
    fields: Fields = word("its fields by place: `3`, `3.1`, `3[2].1`", ())


class EachText(Declared):
    """Segments that are written once for each item of a list; in them `line` is the item."""

    each: Text = word(
        "the path of a list: `segments` are written for every item, which is `line` in there", ...
    )
    order: OrderText | None = word(
        "what each item says of an order: those that say nothing new to the hospital are left "
        "out, and `line.control`, `line.service_key`, `line.credit` and `line.charge` say what is "
        "sent"
    )
    segments: Many[SegmentText] = word("what is written for each item", ())


def _kind(node: Any) -> str:
    return "EachText" if isinstance(node, Table) and "each" in node.entries else "SegmentText"


Segments: TypeAlias = Many[
    Annotated[
        Annotated[SegmentText, Tag("SegmentText")] | Annotated[EachText, Tag("EachText")],
        Discriminator(_kind),
    ]
]


class FileText(Declared):
    """What a whole file says."""

    __slots__ = ("name",)
    if TYPE_CHECKING:
        #: which does not stand in it: of a mapping `hl7v2/adt_registration`, of others `gender`
        name: str


class PartText(FileText):
    """How one call is made."""

    #: the word that says what it makes
    makes: ClassVar[str]

    about: Text | None = word(ABOUT)
    like: Text | None = word(
        "another part: this one says only in what it differs, field by field; a field without "
        "rules (`[]`) is not filled"
    )
    source: Annotated[Protocol, PLAIN] = word(
        "whose paths are used: `hl7v2`, `fhir`, `orders`", ...
    )
    id: Rules = word("rules for the record's id; without one there is no call", ())
    ignore: Words = word(IGNORE, ())

    @property
    def target(self) -> Word:
        """The resource or message type that it makes."""
        target: Word = getattr(self, self.makes)
        return target

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """An id has rules."""
        if "id" not in table.entries:
            yield told_at(table, "id", "say where the id comes from.")


class RecordText(PartText):
    """A part that makes a record of ZautoAI."""

    makes: ClassVar[str] = "resource"

    resource: Record = word("the ZautoAI resource it makes", ...)
    authority: Rules = word("who assigned the id", ())
    into: Rules = word(
        "of `merge` and `rename`: the id that it leads to from then on; of `move`: the id of the "
        "record that it belongs to from then on",
        (),
    )
    owner: Rules = word(
        "of `move`: the id of the record that it belonged to; of an account always", ()
    )
    also: Many[AlsoText] = word(
        "other ids of the same record: what any of them leads to is the record", ()
    )
    numbers: NumbersText | None = word(
        "the paths of all numbers that the message gives for the record (`id`), for `into` and "
        "for `owner`: where they lead to two records, or lack the issuer that the record has, "
        "merges, moves, changes of number and deletions are refused"
    )
    requires: Words = word("fields without which the call is not made", ())
    choose: Named[ChoiceText] = word(
        "HL7: which of several segments of one name is read: the first whose value `is` one of "
        "these, else the first whose value is `not` one of those",
        (),
    )
    fields: Fields = word("the payload, each field with its rule", ())
    facts: Fields = word(
        "what is remembered of the record beside the payload, for orders to the hospital", ()
    )


class MessageText(PartText):
    """A part that makes a message for the hospital."""

    makes: ClassVar[str] = "message"

    message: Text = word(
        "in place of `resource`: the HL7 message type it makes for the hospital", ...
    )
    segments: Segments = word("what the message is made of, in this order", ())


class Interactions(Declared):
    """The calls there are, each with what it is made for."""

    upsert: Resource | None = word(
        "the record exists afterwards and holds these fields", one_of=True
    )
    create: Resource | None = word(
        "the record exists afterwards; what it holds already is left alone", one_of=True
    )
    delete: Resource | None = word(
        "the record is not there any more; one that others belong to is not deleted but parked",
        one_of=True,
    )
    merge: Record | None = word(
        "the record is another one's, `into`: what belonged to it belongs to that, and later "
        "messages with its number are about that; `fields` say what is left on it",
        one_of=True,
    )
    move: Record | None = word(
        "the record belongs to `into` and no longer to `owner`; both stay as they are", one_of=True
    )
    rename: Record | None = word("the record goes by another number, `into`", one_of=True)
    send: Text | None = word("an HL7 message goes to the hospital", one_of=True)

    @property
    def interaction(self) -> str:
        """What the call does."""
        return self.chosen

    @property
    def target(self) -> Word:
        """The resource or message type that the call is for."""
        target: Word = getattr(self, self.chosen)
        return target


class CallText(Interactions):
    """One line of `calls:`."""

    use: Text = word("the part that makes it", ...)
    each: Words = word(
        "one call for each: HL7 segments by name (the first begins a group, the others are those "
        "that follow it in there) or repetitions of a field, or the items at a FHIR or order "
        "path, which are `$this` or `line` in the part",
        (),
    )
    when: Tests = word("only if this is so", ())
    otherwise: Text | None = word(
        "why nothing is called where `when` does not hold, for the remark that says so",
        needs="when",
    )
    required: Truth | Tests = word(
        "without this call the message has a problem and none is made; in place of `true` "
        "conditions: only where these and `when` hold",
        False,
    )
    linked: Truth = word(
        "FHIR: the resource's own name (`Patient/123`) leads to this record from now on, and the "
        "record keeps its first id",
        False,
    )


class MappingText(FileText):
    """What becomes of some message types."""

    about: Text | None = word(ABOUT)
    messages: Words = word("the message types it takes; each type has one mapping", ())
    needs: Named[Text] = word(
        "records that must be known first, by resource and the path of their id; until then the "
        "message is held",
        (),
    )
    calls: Many[CallText] = word(
        "what is called, in this order: what others refer to comes first", ()
    )
    nothing: Text | None = word(
        "in place of `calls`: why these messages ask for nothing that ZautoAI keeps; they end as "
        "suppressed, with this reason"
    )
    ignore: Words = word(IGNORE, ())

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """A mapping takes some type, and makes calls of it or none."""
        if "messages" not in table.entries:
            yield told_at(table, "messages", "name at least one message type.")
        calls = table.entries.get("calls")
        if bool(calls and getattr(calls.value, "items", True)) is ("nothing" in table.entries):
            yield told_at(
                table, "calls", "list at least one call, or say under 'nothing' why there is none."
            )

    @property
    def protocol(self) -> Protocol:
        """That of its folder."""
        return Protocol(self.name.partition("/")[0])


Rows: TypeAlias = NamedOnce[Scalar]


class TableText(FileText):
    """What codes become."""

    about: Text | None = word("where the codes come from, for people")
    otherwise: Scalar | None = word(
        "what becomes of a code without a row: `drop` (with a remark), `keep` (the code itself), "
        "`hold` (the message waits for a row), or any other word, which is then its value"
    )
    rows: Rows = word("code to value; codes are compared without regard to case", ())
    senders: Named[Rows] = word(
        "rows of single senders, by sending application or `APPLICATION|FACILITY`; the more exact "
        "counts first, then `rows`",
        (),
    )

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """A table has rows, and every sender a name."""
        stated = [
            table.entries[name].value for name in ("rows", "senders") if name in table.entries
        ]
        if not any(getattr(node, "entries", True) for node in stated):
            yield told_at(table, "rows", "a code table needs at least one row.")
        senders = table.entries["senders"].value if "senders" in table.entries else None
        for entry in senders.entries.values() if isinstance(senders, Table) else ():
            if not entry.key.partition("|")[0].strip():
                told = "name a sending application, or one with its facility: MEDIS|RIVERSIDE."
                yield entry.key_place.fault(f"senders.{entry.key}", told)
