"""What-if over much traffic: HL7 v2 messages on all cores, all else in one place and in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from bridge import logs
from bridge.errors import BridgeError, Fault
from bridge.mapping.engine.sets import Sets, sets_of
from bridge.mapping.folders import CATALOGUE
from bridge.mapping.language.memory import Memory
from bridge.mapping.language.sites import read_site
from bridge.message import Protocol
from bridge.pipeline.planning.translate import Known
from bridge.service.parts import compile_sources, read_catalogue, read_parts, read_sources
from bridge.settings import Settings
from bridge.study.whatif.difference import Comparison
from bridge.study.whatif.sides import Labelled, Pair, Sides, Translated, translate_hl7

CHUNK = 250
#: chunks of one worker that are under way or done and not yet taken in: memory stays flat
AHEAD = 4
#: fewer messages than this are done before other processes have started
FEW = 2_000


@dataclass(frozen=True, slots=True)
class Replacement:
    """What takes the place of present mappings."""

    folder: Path
    #: the site it is for; of no meaning where the folder holds a catalogue (`zauto/`), for then it
    #: stands for the shipped mappings
    site: str = ""

    @property
    def whole(self) -> bool:
        """Whether it stands for the shipped mappings."""
        return (self.folder / CATALOGUE).is_dir()


def whatif(
    messages: Iterable[Labelled],
    settings: Settings,
    change: Replacement,
    known: Known | None = None,
    workers: int | None = None,
) -> Comparison:
    """Take messages in the order they came through both sets of mappings.

    `known` is what was known before the first of them. Raises MappingError.
    """
    pair = pair_of(settings, change)
    sides = Sides(pair, known)
    several = workers or os.cpu_count() or 1
    chunks = _chunks(messages)
    first = list(islice(chunks, FEW // CHUNK))
    if several == 1 or len(first) < FEW // CHUNK:
        done = ((chunk, translate_hl7(chunk.hl7, pair)) for chunk in chain(first, chunks))
        return _taken_in(done, sides)
    # spawned, because a fork would take along this process' threads and database connection
    work = partial(_work, settings=settings, change=change, hashes=_hashes_of(pair))
    with ProcessPoolExecutor(several, get_context("spawn"), logs.configure, ("WARNING",)) as pool:
        submit = partial(pool.submit, work)
        return _taken_in(_translated(chain(first, chunks), submit, several * AHEAD), sides)


def pair_of(settings: Settings, change: Replacement) -> Pair:
    """Both sets, compiled; raises MappingError."""
    return Pair(read_parts(settings).sets, _changed(settings, change), settings)


def _changed(settings: Settings, change: Replacement) -> Sets:
    if change.whole:
        mappings = settings.mappings.model_copy(update={"folder": change.folder})
        return read_parts(settings.model_copy(update={"mappings": mappings})).sets
    faults: list[Fault] = []
    by_site = read_sources(settings, {*settings.sites(), ""}, faults)
    folder = change.folder.resolve()
    by_site[change.site] = read_site(folder.parent, folder.name, by_site[""], faults)
    compiled = compile_sources(by_site, read_catalogue(settings), Memory(), faults)
    return sets_of(compiled, settings)


class _Chunk(NamedTuple):
    """Some messages in a row: all, and those among them that depend on no other."""

    messages: Sequence[Labelled]
    hl7: Sequence[Labelled]


def _chunks(messages: Iterable[Labelled]) -> Iterator[_Chunk]:
    rest = iter(messages)
    while some := list(islice(rest, CHUNK)):
        hl7 = [each for each in some if each[1].protocol is Protocol.HL7V2]
        yield _Chunk(some, hl7)


def _translated(
    chunks: Iterable[_Chunk],
    submit: Callable[[Sequence[Labelled]], Future[Translated]],
    ahead: int,
) -> Iterator[tuple[_Chunk, Translated]]:
    """Each chunk with what became of it, in order, a few chunks ahead of whoever takes them."""
    under_way: deque[tuple[_Chunk, Future[Translated]]] = deque()
    for chunk in chunks:
        under_way.append((chunk, submit(chunk.hl7)))
        if len(under_way) >= ahead:
            done, future = under_way.popleft()
            yield done, future.result()
    for done, future in under_way:
        yield done, future.result()


def _taken_in(done: Iterable[tuple[_Chunk, Translated]], sides: Sides) -> Comparison:
    for chunk, (difference, taught) in done:
        sides.difference.add(difference)
        lessons = iter(taught)
        for label, message in chunk.messages:
            if message.protocol is Protocol.HL7V2:
                sides.learn(next(lessons))
            else:
                sides.take(label, message)
    return sides.finish()


def _work(
    hl7: Sequence[Labelled], settings: Settings, change: Replacement, hashes: Sequence[str]
) -> Translated:
    """What a worker process does."""
    pair = _compiled(settings, change)
    if hashes != _hashes_of(pair):
        raise BridgeError("the mappings were changed while they were compared: run it again")
    return translate_hl7(hl7, pair)


@lru_cache(maxsize=1)
def _compiled(settings: Settings, change: Replacement) -> Pair:
    """Compiled once in each worker process: generated functions cannot be handed over."""
    return pair_of(settings, change)


def _hashes_of(pair: Pair) -> list[str]:
    return [each.hash for sets in (pair.present, pair.changed) for each in sets.by_site.values()]
