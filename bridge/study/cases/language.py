"""The words of a file of tests, and what it says in them.

`docs/how-to/test-a-mapping.md` explains each word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from bridge.errors import Fault
from bridge.mapping.language.declared import Declared, told_at, word
from bridge.mapping.language.shapes import (
    PLAIN,
    AsItStands,
    Many,
    Named,
    Text,
    Truth,
    Words,
)
from bridge.mapping.language.words import Interactions
from bridge.yamlfile import Items, Table

#: words by names that the test chooses
ByName: TypeAlias = Named[Text]
#: settings of a section that differ
Changes: TypeAlias = Annotated[Table, AsItStands({})]


class ExpectedCall(Interactions):
    """One line of `calls:`. The payload is expected as stated, no more and no less."""

    id: Text | None = word("the record's id")
    authority: Text | None = word("who assigned the id; compared where it is stated")
    also: Words | None = word("other ids of the record; compared where they are stated")
    into: Text | None = word("of a call about identity: the record it leads or belongs to")
    owner: Text | None = word("of a call about identity: the record it belonged to")
    linked: Words = word("references that lead to the record from then on", ())
    message: Text | None = word("what the hospital gets, one segment a line")
    fields: ByName = word("the fields sent", ())
    on_create: ByName = word("fields sent only when the record is made", ())
    cleared: Words = word("fields sent as null", ())
    allocated: Words = word("fields whose number is taken from a counter", ())
    facts: ByName | None = word("what is remembered; compared where it is stated")


class ExpectedEnd(Declared):
    """How a test must end."""

    void_without_one: ClassVar[bool] = False

    calls: Many[ExpectedCall] | None = word("the calls, in this order", one_of=True)
    held: Words | None = word("what the message must wait for", one_of=True)
    problem: Text | None = word("why a person must act", one_of=True)
    unmapped: Truth = word("no mapping takes the message", False, one_of=True)
    remarks: Many[ByName] = word("what it went on from: `- PID-7: is not a date; left out`", ())


class Case(Declared):
    """One test: a message, what is so beside it, and what must become of it."""

    name: Annotated[str, PLAIN] = word("what the test is called", ...)
    about: Text | None = word("what it is for, for people")
    message: Text | None = word("the message itself", one_of=True)
    file: Text | None = word("the file that holds it, as seen from the file of tests", one_of=True)
    type: Text | None = word("the message type, where the message does not say")
    charset: Text | None = word("what `message` is written in, where it does not declare it")
    site: Changes | None = word("settings of `site:` that differ")
    hospital: Changes | None = word("settings of `hospital:` that differ")
    channel: Text | None = word("name of the channel it comes by")
    received: Text | None = word("when it came in, as a time with its offset")
    links: ByName = word('records that references lead to: `Patient/1: "4711"`', ())
    known: Named[ByName] = word(
        'what is known of records: `patient-visits/V1: {patientId: "4711"}`', ()
    )
    expect: ExpectedEnd | None = word("what must become of it; absent where nobody has said it yet")

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """A record is named by its resource and id."""
        known = table.entries["known"].value if "known" in table.entries else None
        if isinstance(known, Table):
            told = "name a record by its resource and id, such as patient-visits/V1."
            yield from (told_at(known, name, told) for name in known.entries if "/" not in name)


class CaseFileText(Declared):
    """What a file of tests says."""

    about: Text | None = word("what the tests are for, for people")
    site: Changes | None = word("settings of `site:` that differ in all of them")
    tests: Many[Case] = word("the tests", ())

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """There is a test."""
        tests = table.entries["tests"].value if "tests" in table.entries else Items((), table.place)
        if isinstance(tests, Items) and not tests.items:
            yield told_at(table, "tests", "list at least one test.")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of tests."""

    #: as people know it, `mappings/hl7v2/adt_registration_test.yaml`
    file: str
    #: the mapping it is beside, `hl7v2/adt_registration`
    mapping: str
    cases: tuple[Case, ...]
    #: settings of `site:` that differ in all of them
    site: Table | None = None
