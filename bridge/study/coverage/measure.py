"""Coverage: how much of what comes in the mappings read, leave out on purpose, or overlook."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bridge.delivery import OF_IDENTITY, Call, Target, Translation
from bridge.errors import ReadError
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.compiled import CompiledCall, CompiledSegment, Mappings
from bridge.mapping.engine.compiled import Mapping as Compiled
from bridge.mapping.engine.reads import Finder, Reader, ReadPath, is_off, reads_of, rules_of
from bridge.mapping.engine.sets import Sets
from bridge.mapping.engine.trails import Trail, told
from bridge.message import Message, Protocol
from bridge.pipeline.planning.translate import Known, read
from bridge.settings import Settings
from bridge.study.lessons import Lessons
from bridge.zauto.catalogue import Catalogue

#: a rule as it is counted: field and place, with the path it read
Use = tuple[str, str, str]


#: messages set aside until what they wait for was to come; any more are taken as they stand
MOST_HELD = 10_000


class PathState(StrEnum):
    """What becomes of a value that comes in."""

    #: no rule reads it, and nobody said that this is meant
    UNMAPPED = "never mapped"
    #: a rule or a condition reads it
    MAPPED = "mapped"
    #: `ignore:` names it
    IGNORED = "ignored"
    #: the bridge needs it itself: delimiters, message type, control id, charset
    OWN = "the bridge's own"


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule that reads a path."""

    field: str
    place: str
    #: how often it took its value from there; None where no trace is kept of that (facts,
    #: conditions)
    used: int | None


@dataclass(frozen=True, slots=True)
class PathCoverage:
    """One path of what came in."""

    path: str
    #: messages in which it says something
    present: int
    state: PathState
    rules: tuple[RuleUse, ...] = ()
    #: messages in which a field was made of it; None where it is read for facts and conditions
    #: only, of which no trace is kept
    used: int | None = None
    #: messages in which nothing of it was used and a remark says why
    thrown_away: int = 0


@dataclass(frozen=True, slots=True)
class Unhit:
    """A rule that no message used."""

    field: str
    place: str
    #: the site's settings switch it off
    off: bool


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A field of the far end that no message filled."""

    #: catalogue name, or the type of a message to the hospital
    resource: str
    field: str
    #: there is a rule for it, which found nothing
    has_rule: bool


@dataclass(frozen=True, slots=True)
class MappingCoverage:
    """How one mapping fits its messages."""

    #: its name, and in brackets whose it is where it is a site's
    mapping: str
    protocol: Protocol
    #: messages of its types that could be read
    messages: int
    #: most useful first: what is never mapped, most frequent first
    rows: tuple[PathCoverage, ...]
    #: segments or outermost elements of which rules read something
    read: tuple[str, ...]
    unhit: tuple[Unhit, ...]
    unfilled: tuple[Unfilled, ...]

    @property
    def covered(self) -> float:
        """The share of all values that is mapped and not thrown away, ignored or the bridge's own,
        0 to 1."""
        all_of = sum(row.present for row in self.rows)
        lost = sum(row.present for row in self.rows if row.state is PathState.UNMAPPED)
        lost += sum(row.thrown_away for row in self.rows)
        return 1.0 if not all_of else 1 - lost / all_of


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a set of mappings fits the messages of a pass."""

    #: content hash of the mappings of each site
    hashes: Mapping[str, str]
    #: everything that was looked at
    messages: int
    #: of a mapped type, but not to be read
    unreadable: int
    #: messages that no mapping takes, by protocol and type
    untaken: Mapping[tuple[str, str], int]
    #: least covered first
    mappings: tuple[MappingCoverage, ...]
    #: mappings of which no message came
    idle: tuple[str, ...]
    #: codes without a row: table, code, how often met
    codes: tuple[tuple[str, str, int], ...]

    @property
    def complete(self) -> bool:
        """Whether nothing came that is overlooked or thrown away."""
        rows = [row for one in self.mappings for row in one.rows]
        return not any(row.state is PathState.UNMAPPED or row.thrown_away for row in rows)


class Survey:
    """Takes messages one by one, in the order they came, and counts."""

    def __init__(
        self,
        sets: Sets,
        catalogue: Catalogue,
        settings: Settings,
        known: Known | None = None,
    ) -> None:
        """`known` is what was known before the first message."""
        self._sets = sets
        self._settings = settings
        self._known = Lessons(known)
        self._count = 0
        self._unreadable = 0
        self._held: list[Message] = []
        self._untaken: Counter[tuple[str, str]] = Counter()
        self._codes: Counter[tuple[str, str]] = Counter()
        #: by site and mapping
        self._tallies = {
            (site, each.name): _Tally(each, catalogue, site)
            for site, mappings in sets.by_site.items()
            for each in mappings.all
        }

    def add(self, message: Message) -> None:
        """Count one message; one that waits for a record is counted when that was to come."""
        self._count += 1
        self._take(message)

    def _take(self, message: Message, *, again: bool = False) -> None:
        site = self._sets.site_of.get(message.channel, self._sets.usual)
        mappings = self._sets.by_site[site]
        mapping = mappings.find(message.protocol, message.message_type)
        if mapping is None:
            self._untaken[message.protocol.value, message.message_type] += 1
            return
        try:
            document, context = read(message, self._settings, self._known)
        except ReadError:
            self._unreadable += 1
            return
        made = apply(mapping, document, context)
        if made.needs and not again and len(self._held) < MOST_HELD:
            self._held.append(message)
            return
        self._known.learn_from(made.calls)
        self._codes.update((code.table, code.code) for code in made.unknown_codes)
        self._tallies[site, mapping.name].add(document, made, mappings)

    def coverage(self) -> Coverage:
        """What was counted; no message is added after it."""
        for message in self._held:
            self._take(message, again=True)
        self._held.clear()
        tallies = self._tallies.values()
        covered = [each.coverage() for each in tallies if each.messages]
        return Coverage(
            hashes={site: each.hash for site, each in self._sets.by_site.items()},
            messages=self._count,
            unreadable=self._unreadable,
            untaken=dict(self._untaken.most_common()),
            mappings=tuple(sorted(covered, key=lambda each: each.covered)),
            idle=tuple(each.name for each in tallies if not each.messages),
            codes=tuple((*key, count) for key, count in self._codes.most_common()),
        )


class _Tally:
    """Counts of one mapping."""

    def __init__(self, mapping: Compiled, catalogue: Catalogue, site: str) -> None:
        self.mapping = mapping
        #: for people
        self.name = f"{mapping.name} ({site})" if site else mapping.name
        self.messages = 0
        self._catalogue = catalogue
        self._reads = reads_of(mapping)
        self._finder = Finder(mapping, self._reads)
        self._present: Counter[Trail] = Counter()
        self._used: Counter[Use] = Counter()
        #: messages in which a row was used, or thrown away
        self._used_in: Counter[Trail] = Counter()
        self._thrown: Counter[Trail] = Counter()
        self._trails: defaultdict[str, list[Trail]] = defaultdict(list)
        for trail, readings in self._reads.by_trail.items():
            for path in {reading.path for reading in readings}:
                self._trails[path].append(trail)
        self._filled: set[tuple[str, str]] = set()
        self._rows: dict[Trail, tuple[Trail, ...]] = {}

    def add(self, document: Any, made: Translation, mappings: Mappings) -> None:
        self.messages += 1
        found: set[Trail] = set()
        for trail in self._finder.find(document):
            rows = self._rows.get(trail)
            if rows is None:
                rows = self._rows[trail] = self._rows_of(trail)
            found.update(rows)
        self._present.update(found)
        for call in made.calls:
            self._note(call, mappings)
        used = found & self._trails_at(_paths_used(made.calls))
        self._used_in.update(used)
        odd = self._trails_at(_at(remark.path) for remark in made.warnings)
        self._thrown.update((found & odd) - used)

    def _trails_at(self, paths: Iterable[str]) -> set[Trail]:
        return {trail for path in paths for trail in self._trails.get(path, ())}

    def _note(self, call: Call, mappings: Mappings) -> None:
        """Which rules made the call, and which fields it fills."""
        for number, path, *_ in call.lineage:
            line = mappings.legend[number]
            for each in path.split(", "):
                self._used[line.field, line.place, _at(each)] += 1
            self._filled.add((call.resource, line.field))
        self._filled.update((call.resource, a.field) for a in call.allocations)
        self._filled.update((call.resource, f"facts.{name}") for name in call.facts)

    def _rows_of(self, leaf: Trail) -> tuple[Trail, ...]:
        """The rows that a value belongs to: each path that reads it; else what leaves it out; else
        the shortest path to it under which nothing is named."""
        reads = self._reads
        ways = [leaf[:length] for length in range(1, len(leaf) + 1)]
        for named in (reads.by_trail, reads.ignored, reads.own):
            if rows := tuple(way for way in ways if way in named):
                return rows
        names = [*reads.by_trail, *reads.ignored, *reads.own]
        least = 1 if reads.protocol is Protocol.FHIR else 2
        for way in ways[least - 1 :]:
            split = any(name[: len(way)] == way for name in names) or way[-1] == "extension"
            if not split:
                return (way,)
        return (leaf,)

    def coverage(self) -> MappingCoverage:
        return MappingCoverage(
            self.name,
            self.mapping.protocol,
            self.messages,
            tuple(sorted(map(self._row, self._present), key=_usefulness)),
            tuple(sorted({trail[0] for trail in self._reads.by_trail})),
            tuple(self._unhit()),
            tuple(self._unfilled()),
        )

    def _row(self, trail: Trail) -> PathCoverage:
        reads, readings = self._reads, self._reads.by_trail.get(trail, ())
        if readings:
            state = PathState.MAPPED
        elif trail in reads.ignored:
            state = PathState.IGNORED
        else:
            state = PathState.OWN if trail in reads.own else PathState.UNMAPPED
        path = told(trail, reads.protocol)
        traced = any(reading.reader.traced for reading in readings)
        return PathCoverage(
            path,
            self._present[trail],
            state,
            self._uses(readings),
            self._used_in[trail] if traced else None,
            self._thrown[trail],
        )

    def _uses(self, readings: Iterable[ReadPath]) -> tuple[RuleUse, ...]:
        uses: dict[Reader, int] = {}
        for reader, path in readings:
            count = self._used[reader.field, reader.place, path]
            uses[reader] = uses.get(reader, 0) + count
        return tuple(
            RuleUse(field, place, uses[reader] if traced else None)
            for reader in uses
            for field, place, traced in (reader,)
        )

    def _unhit(self) -> list[Unhit]:
        hit = {(field, place) for field, place, _ in self._used}
        rules = {(field, rule.place): is_off(rule) for field, rule in rules_of(self.mapping)}
        return [Unhit(*key, off) for key, off in rules.items() if key not in hit]

    def _unfilled(self) -> list[Unfilled]:
        return [
            Unfilled(call.resource, name, has_rule=name in ruled)
            for call in self.mapping.calls
            for ruled in (_ruled(call),)
            for name in dict.fromkeys((*self._declared(call), *ruled))
            if (call.resource, name) not in self._filled
        ]

    def _declared(self, call: CompiledCall) -> Sequence[str]:
        if call.target is Target.HOSPITAL or call.interaction in OF_IDENTITY:
            return ()
        return [name for name in self._catalogue[call.resource].fields if name != "id"]


def _paths_used(calls: Iterable[Call]) -> set[str]:
    """The paths that fields of the calls were made of."""
    return {_at(each) for call in calls for trace in call.lineage for each in trace[1].split(", ")}


def _at(path: str) -> str:
    """A path without the number of its value, `PID-13` for `PID-13 #2`."""
    return path.partition(" #")[0]


def _ruled(call: CompiledCall) -> dict[str, None]:
    """The fields and facts that a call has rules for."""
    segments = [
        segment
        for one in call.segments
        for segment in ((one,) if isinstance(one, CompiledSegment) else one.segments)
    ]
    return dict.fromkeys(
        (
            *(field.name for field in call.fields),
            *(f"facts.{fact.name}" for fact in call.facts),
            *(f"{segment.name}-{field.name}" for segment in segments for field in segment.fields),
        )
    )


def _usefulness(row: PathCoverage) -> tuple[int, int, str]:
    """What is overlooked first; then by how often it comes."""
    return list(PathState).index(row.state), -row.present, row.path
