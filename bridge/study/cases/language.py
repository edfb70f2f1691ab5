"""The words of a file of tests, and what it says in them.

`docs/how-to/test-a-mapping.md` explains each word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.mapping.language.language import INTERACTION_WORDS
from bridge.yamlfile import Entry, Place, Table, Word

#: the keys each kind of table may have
FILE_WORDS = ("about", "site", "tests")
SETTING_WORDS = ("site", "hospital", "channel", "received", "links", "known")
SAMPLE_WORDS = ("message", "file", "type", "charset")
CASE_WORDS = ("name", "about", *SAMPLE_WORDS, *SETTING_WORDS, "expect")
END_WORDS = ("calls", "held", "problem", "unmapped")
EXPECT_WORDS = (*END_WORDS, "remarks")
EXPECTED_CALL_WORDS = (
    *(*INTERACTION_WORDS, "id", "authority", "also", "into", "owner", "linked"),
    "message",
    *("fields", "on_create", "cleared", "allocated", "facts"),
)

#: words by key, each with its place
Words: TypeAlias = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """One line of `calls:`. The payload is expected as stated, no more and no less."""

    place: Place
    #: dotted key, for people: `tests[0].expect.calls[1]`
    key: str
    #: one of `INTERACTION_WORDS`
    interaction: str
    target: Word
    id: Word | None = None
    #: compared where it is stated
    authority: Word | None = None
    #: of a call about identity
    into: Word | None = None
    owner: Word | None = None
    #: other ids of the record; compared where they are stated
    also: tuple[Word, ...] | None = None
    #: references that lead to the record from then on
    linked: tuple[Word, ...] = ()
    fields: Words = field(default_factory=dict)
    #: fields sent only when the record is made
    on_create: Words = field(default_factory=dict)
    #: fields sent as null
    cleared: tuple[Word, ...] = ()
    #: fields whose number is taken from a counter when the call is kept
    allocated: tuple[Word, ...] = ()
    #: compared where they are stated
    facts: Words | None = None
    #: what the hospital gets, one segment a line
    message: Word | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """How a test must end: exactly one of `calls`, `held`, `problem` and `unmapped`."""

    place: Place
    key: str
    calls: tuple[ExpectedCall, ...] | None = None
    #: what the message must wait for
    held: tuple[Word, ...] | None = None
    problem: Word | None = None
    unmapped: bool = False
    #: what it went on from: `- PID-7: is not a date; left out`
    remarks: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One test: a message, what is so beside it, and what must become of it."""

    place: Place
    #: dotted key, `tests[0]`
    key: str
    name: str
    #: the message itself, or
    message: Word | None = None
    #: the file that holds it, as seen from the file of tests
    file: Word | None = None
    #: message type, where the message does not say
    type: Word | None = None
    #: what the text of `message` is written in; without it what the message itself declares
    charset: Word | None = None
    #: settings of `site:` and `hospital:` that differ
    site: Table | None = None
    hospital: Table | None = None
    #: name of the channel it comes by
    channel: Word | None = None
    #: when it came in, as a time with its offset
    received: Word | None = None
    #: records that references lead to: `Patient/1: "4711"`
    links: Words = field(default_factory=dict)
    #: what is known of records: `patient-visits/V1: {patientId: "4711"}`
    known: Mapping[str, Words] = field(default_factory=dict)
    #: None where nobody has said it yet
    expect: Expected | None = None


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
