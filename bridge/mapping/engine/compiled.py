"""A compiled mapping: everything `apply` needs, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bridge.causes import Cause
from bridge.delivery import Call, Interaction, Role, Target
from bridge.lineage import Legend
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.rules import Condition, Rule
from bridge.mapping.engine.trails import Trail
from bridge.mapping.folders import Folder
from bridge.mapping.functions.compounds import Identifier
from bridge.mapping.scope import Scope, Source
from bridge.message import Protocol
from bridge.remarks import RemarkCode
from bridge.settings import Site
from bridge.zauto.catalogue import FieldType


@dataclass(frozen=True, slots=True)
class NotMade:
    """A call that is not made."""

    #: what `when:`, `id:` or `requires:` did not find; None where nobody has to hear of it
    cause: Cause | None
    #: the message has a problem then (`required:`)
    problem: bool = False
    #: the code of the remark where it has none
    remark: RemarkCode = RemarkCode.NOT_CALLED


#: makes one call of what the scope reads, with the number of each HL7 segment that was chosen, and
#: under REPETITION the one of the field that is gone through
Maker: TypeAlias = Callable[[Scope, MappingOf[str, int]], Call | NotMade]


#: the key of a repetition's number among the numbers of segments
REPETITION = "repetition"


@dataclass(frozen=True, slots=True)
class CompiledField:
    """One field of a call and the rules that may fill it, best first."""

    name: str
    rules: tuple[Rule, ...]
    type: FieldType = FieldType.STRING
    #: the far end does without it, so that it can be cleared
    optional: bool = True


@dataclass(frozen=True, slots=True)
class CompiledAlso:
    """Another id of the record (`also:`)."""

    id: CompiledField
    authority: CompiledField
    guessed: bool


@dataclass(frozen=True, slots=True)
class CompiledNumbers:
    """All numbers that a document gives for one of the records of a call (`numbers:`)."""

    role: Role
    sources: tuple[Source, ...]
    #: whether an identifier can be a number of such a record
    is_number: Callable[[Identifier, Scope], bool]


@dataclass(frozen=True, slots=True)
class CompiledChoice:
    """Which of several HL7 segments of one name is read."""

    #: where its value stands in each of them
    source: Source
    #: the first whose value is one of these, else
    wanted: frozenset[str]
    #: the first whose value is none of these
    unwanted: frozenset[str]


@dataclass(frozen=True, slots=True)
class CompiledSegment:
    """One segment of a message to the hospital."""

    name: str
    fields: tuple[CompiledField, ...]
    when: tuple[Condition, ...] = ()
    #: places without which it is not written
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CompiledEach:
    """Segments for each item of a list."""

    source: Source
    segments: tuple[CompiledSegment, ...]
    #: what an item says of an order: control, status, price. Items that say nothing new are left
    #: out, and without any item there is no call
    order: tuple[CompiledField, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledCall:
    """How one call is made."""

    target: Target
    interaction: Interaction
    resource: str
    #: whose paths its rules are
    protocol: Protocol
    id: CompiledField
    #: paths of the id's rules, for people
    id_paths: tuple[str, ...]
    authority: CompiledField = CompiledField("authority", ())
    #: of a call about identity
    into: CompiledField = CompiledField("into", ())
    owner: CompiledField = CompiledField("owner", ())
    also: tuple[CompiledAlso, ...] = ()
    numbers: tuple[CompiledNumbers, ...] = ()
    fields: tuple[CompiledField, ...] = ()
    facts: tuple[CompiledField, ...] = ()
    segments: tuple[CompiledSegment | CompiledEach, ...] = ()
    requires: tuple[str, ...] = ()
    choose: tuple[CompiledChoice, ...] = ()
    when: tuple[Condition, ...] = ()
    #: why it is not made where `when` does not hold; "" where that says enough
    otherwise: str = ""
    #: the message has a problem where the call is not made
    required: bool = False
    #: only where these hold, and `when` does
    required_when: tuple[Condition, ...] = ()
    linked: bool = False
    #: made once for each: group that begins at the first of these HL7 segments, or item at a path
    each: tuple[str, ...] | tuple[Source, ...] = ()
    #: and in there for each repetition of this HL7 field: segment and number
    repeats: tuple[str, int] | None = None

    @property
    def always(self) -> bool:
        """Whether the message has a problem without this call, whatever it says."""
        return self.required and not self.required_when

    @property
    def begins(self) -> str:
        """What each group begins at: a segment's name, or a path; "" where there are none."""
        first = self.each[0] if self.each else ""
        return first if isinstance(first, str) else first.text


@dataclass(frozen=True, slots=True)
class Need:
    """A record that must be known before the message can be translated."""

    resource: str
    source: Source


@dataclass(frozen=True, slots=True)
class Mapping:
    """What becomes of some message types of one protocol."""

    #: `hl7v2/adt_registration`
    name: str
    protocol: Protocol
    messages: tuple[str, ...]
    calls: tuple[CompiledCall, ...]
    #: the function of each call
    makers: tuple[Maker, ...]
    needs: tuple[Need, ...]
    #: why these messages ask for nothing; "" where there are calls
    nothing: str
    #: what it leaves out on purpose
    ignored: frozenset[Trail]
    #: content hash of the whole set it belongs to
    hash: str
    site: Site
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Mappings:
    """A set of mappings, compiled together."""

    #: content hash of all files, catalogue included, and of the settings of `site:`
    hash: str
    all: tuple[Mapping, ...]
    #: what the traces of its calls refer to
    legend: Legend
    #: what they were made of
    folders: Sequence[Folder]
    #: the settings they were compiled for
    site: Site
    #: by name
    tables: MappingOf[str, CodeTable]
    _by_type: MappingOf[tuple[Protocol, str], Mapping] = field(repr=False)

    @property
    def message_types(self) -> frozenset[str]:
        """Every message type that a mapping takes."""
        return frozenset(message_type for _, message_type in self._by_type)

    def find(self, protocol: Protocol, message_type: str) -> Mapping | None:
        """The mapping of a message type, or None: the message is unmapped."""
        return self._by_type.get((protocol, message_type))
