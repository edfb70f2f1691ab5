"""The words of the mapping language, and what a file says in them.

Four kinds of file: a *mapping* (what becomes of a message type), a *part* (how one call is made
of a document), a *code table*, and the target's catalogue, which `bridge.zauto.catalogue` reads.
`docs/reference/mapping.md` explains each word. What stands here is what was written; `compile`
checks the names in it and makes `rules` of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bridge.delivery import Role
from bridge.message import Protocol
from bridge.yamlfile import Place, Word

#: the keys each kind of table may have, in the order the reference explains them
MAPPING_WORDS = ("about", "messages", "needs", "calls", "nothing", "ignore")
IDENTITY_WORDS = ("merge", "move", "rename")
INTERACTION_WORDS = ("upsert", "create", "delete", *IDENTITY_WORDS, "send")
CALL_WORDS = (*INTERACTION_WORDS, "use", "each", "when", "otherwise", "required", "linked")
PART_WORDS = (
    *(
        "about",
        "like",
        "source",
        "resource",
        "id",
        "authority",
        "into",
        "owner",
        "also",
        "numbers",
        "requires",
        "choose",
        "fields",
        "facts",
    ),
    "ignore",
)
MESSAGE_WORDS = ("about", "like", "source", "message", "id", "segments", "ignore")
SEGMENT_WORDS = ("segment", "when", "requires", "fields")
EACH_WORDS = ("each", "order", "segments")
ORDER_WORDS = ("control", "status", "price")
ORIGIN_WORDS = ("from", "constant", "site", "id_of", "clear")
RULE_WORDS = (
    *ORIGIN_WORDS,
    "as",
    "zone",
    "unit",
    "stated",
    "units",
    "codes",
    "default",
    "join",
    "prefix",
    "on",
    "when",
)
TEST_WORDS = ("path", "is", "not", "empty", "site")
ALSO_WORDS = ("id", "authority", "guessed")
NUMBERS_WORDS = ("id", "into", "owner")
CHOICE_WORDS = ("path", "is", "not")
TABLE_WORDS = ("about", "otherwise", "rows", "senders")


@dataclass(frozen=True, slots=True)
class Test:
    """One condition of `when:`. With neither `wanted` nor `unwanted`, the path has a value."""

    place: Place
    path: Word | None = None
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    #: the path has no value
    empty: bool = False
    #: a setting of `site:`; with neither `wanted` nor `unwanted`, yes or no
    site: Word | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One way a value comes about: exactly one of the first five."""

    place: Place
    #: where it stands in its file, `fields.gender`
    key: str
    #: `from`: paths of which the first that gives a value counts
    sources: tuple[Word, ...] = ()
    constant: Word | None = None
    site: Word | None = None
    id_of: Word | None = None
    #: the stored value is deleted
    clear: bool = False
    #: `as`
    function: Word | None = None
    #: the time zone of a time that names none
    zone: Word | None = None
    #: the unit a quantity is wanted in, and the one it is in where it names none
    unit: Word | None = None
    stated: Word | None = None
    #: the code table of the units that a dose may be in
    units: Word | None = None
    codes: Word | None = None
    default: Word | None = None
    #: all values of all paths, with this text between them
    join: Word | None = None
    #: this text before the value
    prefix: Word | None = None
    #: `on: create`
    on_create: bool = False
    when: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field and its rules; the first that finds a value counts."""

    name: Word
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of several segments of one name a part reads; `test` is asked of each in turn."""

    segment: Word
    test: Test


@dataclass(frozen=True, slots=True)
class Also:
    """Another id of the record, or one that it may go by (`guessed`)."""

    id: tuple[Rule, ...]
    authority: tuple[Rule, ...]
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a message to the hospital; field names are `3`, `3.1`, `3[2].1`."""

    place: Place
    name: Word
    fields: tuple[Field, ...]
    when: tuple[Test, ...] = ()
    #: places without which the segment is not written
    requires: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """Segments that are written once for each item of a list; in them `line` is the item."""

    path: Word
    segments: tuple[Segment, ...]
    #: what the item says of an order: `ORDER_WORDS`; none where it is written whatever was before
    order: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """How one call is made: of a record (`resource`) or of an HL7 message (`message`)."""

    name: str
    place: Place
    source: Protocol
    #: a name of the catalogue, or a message type such as `RDE^O11`
    target: Word
    id: tuple[Rule, ...]
    authority: tuple[Rule, ...] = ()
    #: of a call about identity: the id of the record it leads to or belongs to from then on
    into: tuple[Rule, ...] = ()
    #: and of the one it belonged to before
    owner: tuple[Rule, ...] = ()
    also: tuple[Also, ...] = ()
    #: paths of all numbers of the record, of `into` and of `owner`
    numbers: tuple[tuple[Role, tuple[Word, ...]], ...] = ()
    #: fields without which the call is not made
    requires: tuple[Word, ...] = ()
    fields: tuple[Field, ...] = ()
    facts: tuple[Field, ...] = ()
    segments: tuple[Segment | Each, ...] = ()
    #: HL7 v2 only
    choose: tuple[Choice, ...] = ()
    #: paths that are not read on purpose
    ignore: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class CallText:
    """One line of `calls:`."""

    place: Place
    #: one of `INTERACTION_WORDS`
    interaction: str
    target: Word
    use: Word
    #: segments and an HL7 field of them, or the path of a list: one call for each
    each: tuple[Word, ...] = ()
    when: tuple[Test, ...] = ()
    #: why nothing is called where `when` does not hold
    otherwise: Word | None = None
    #: without this call the message has a problem
    required: bool = False
    #: where all of these hold
    required_when: tuple[Test, ...] = ()
    #: the name the source gave the resource leads to this record from now on
    linked: bool = False


@dataclass(frozen=True, slots=True)
class MappingText:
    """A mapping as written."""

    name: str
    place: Place
    protocol: Protocol
    messages: tuple[Word, ...]
    calls: tuple[CallText, ...]
    #: resource name to the path that holds the id of a record that must be known first
    needs: tuple[tuple[Word, Word], ...] = ()
    #: paths that are not read on purpose
    ignore: tuple[Word, ...] = ()
    #: why these messages ask for nothing, in place of calls
    nothing: Word | None = None


#: codes and what becomes of them
Rows: TypeAlias = tuple[tuple[Word, Word], ...]


@dataclass(frozen=True, slots=True)
class TableText:
    """A code table as written; `otherwise` is `keep`, `drop`, `hold` or a value."""

    name: str
    place: Place
    rows: Rows = ()
    otherwise: Word | None = None
    #: rows that hold for one sender, `MEDIS` or `MEDIS|RIVERSIDE`
    senders: tuple[tuple[Word, Rows], ...] = ()
