"""Reload: take changed mappings into use while messages come in, and bring earlier ones back.

What is translated meanwhile is translated with the sets that were in use: files are read and
compiled on a thread, and what came of it is put in place all at once. A wrong set is refused, and
the present one stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import structlog

from bridge.errors import BridgeError, Fault, MappingError
from bridge.mapping.engine.sets import InUse, Sets, sets_of
from bridge.mapping.folders import Folder
from bridge.mapping.language.sites import Sources
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.planning.unmapped import release_known
from bridge.pipeline.planning.uses import USES_NOTE, Use, Uses
from bridge.pipeline.planning.versions import of_catalogue, sources_of, version_of
from bridge.service.parts import CheckedParts, compile_sources, read_sources
from bridge.settings import Settings
from bridge.store.contract import Store, Transaction
from bridge.store.notes import NotesView


class RefusedSet(NamedTuple):
    """A wrong set that was not taken."""

    at: float
    faults: tuple[Fault, ...]


@dataclass(eq=False)
class Reload:
    """Changes the sets of mappings in use."""

    store: Store
    settings: Settings
    parts: CheckedParts
    in_use: InUse
    clock: Callable[[], float]
    #: tells all others that sets were put in place
    changed: Callable[[], None]
    #: counts how a reload ended: `taken`, `unchanged` or `refused`
    counted: Callable[[str], None]
    #: the files' last fault, until they are right again
    refused: RefusedSet | None = None

    def __post_init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._catalogue = _shipped(self.parts.sets)
        self._log = structlog.get_logger()

    @property
    def uses(self) -> Uses:
        """What was in use, and what is pinned."""
        return self.store.read(_uses)

    async def take_up(self) -> None:
        """At the start: pinned sets are used again, what is in use is written down."""
        pinned = {s: h for s, h in self.uses.pinned.items() if s in self.in_use.sets.by_site}
        try:
            sets = await self._compile_kept(pinned) if pinned else self.in_use.sets
        except MappingError as error:
            self._log.error("pinned mappings cannot be used", count=len(error.faults))
            sets, pinned = self.in_use.sets, {}
        await self._put_in_place(sets, pinned)

    async def reload(self) -> dict[str, Any]:
        """Take the files as they are now; a wrong set is refused."""
        async with self._one_at_a_time:
            try:
                sets = await asyncio.to_thread(self._read)
            except MappingError as error:
                return self._refuse(error.faults)
            self.refused = None
            return await self._change(sets, {})

    async def rollback(self, prefix: str, site: str | None) -> dict[str, Any]:
        """Pin a kept set: the one whose hash begins so, or with "" the one before."""
        async with self._one_at_a_time:
            use = self._before(site) if not prefix else self._named(prefix, site)
            pinned = {**self.uses.pinned, use.site: use.hash}
            try:
                sets = await self._compile_kept(pinned)
            except MappingError as error:
                return _told_refused(error.faults)
            return await self._change(sets, pinned)

    def notices(self) -> Iterator[Notice]:
        """What a person should know: files that were refused, and sets that are pinned."""
        if self.refused is not None:
            at, (first, *more) = self.refused
            kind = NoticeKind.MAPPINGS_REFUSED
            yield Notice(kind, since=at, text=str(first), number=len(more))
        for site, hash in self.uses.pinned.items():
            yield Notice(NoticeKind.MAPPINGS_PINNED, name=hash, site=_named_site(site))

    def is_pinned(self) -> bool:
        """Whether a kept set stays until the files are taken again."""
        return bool(self.uses.pinned)

    def _read(self) -> Sets:
        faults: list[Fault] = []
        sources = read_sources(self.settings, self.settings.sites(), faults)
        faults += _changed_catalogue(self._catalogue, next(iter(sources.values())).folders[0])
        sets = self._compile(sources, faults)
        self.parts.memory.turn()
        return sets

    def _compile(self, sources: Mapping[str, Sources], faults: list[Fault]) -> Sets:
        compiled = compile_sources(sources, self.parts.catalogue, self.parts.memory, faults)
        return sets_of(compiled, self.settings)

    async def _compile_kept(self, pinned: Mapping[str, str]) -> Sets:
        """The sets in use with these kept ones in place of theirs."""
        sources = {site: self._kept(hash) for site, hash in pinned.items()}
        kept = await asyncio.to_thread(self._compile, sources, [])
        by_site = {**self.in_use.sets.by_site, **kept.by_site}
        return sets_of(by_site, self.settings)

    def _kept(self, hash: str) -> Sources:
        version = self.store.read(lambda view: view.mapping_version(hash))
        if version is None:
            raise BridgeError(f"the store keeps no mappings {hash}; see bridge mapping versions")
        return sources_of(version, self._catalogue)

    def _before(self, site: str | None) -> Use:
        sites = self.settings.sites()
        if site is None and len(sites) > 1:
            raise BridgeError(f"say which site with --site: {', '.join(map(_named_site, sites))}")
        name = sites[0] if site is None else site
        use = self.uses.before(name)
        if use is None:
            raise BridgeError(f"{_named_site(name)} never used other mappings than these")
        return use

    def _named(self, prefix: str, site: str | None) -> Use:
        found = [use for use in self.uses.begun(prefix, site) if use.site in self.settings.sites()]
        if not found:
            raise BridgeError(f"no mappings {prefix} were in use; see bridge mapping versions")
        if len(found) > 1:
            told = ", ".join(f"{use.hash} of {_named_site(use.site)}" for use in found)
            raise BridgeError(f"'{prefix}' may be {told}: write more of it, or name the --site")
        return found[0]

    async def _change(self, sets: Sets, pinned: Mapping[str, str]) -> dict[str, Any]:
        before = self.in_use.sets
        changes = [_change_of(site, before, sets) for site in sets.by_site]
        if all(not each["changed"] for each in changes) and dict(self.uses.pinned) == pinned:
            self.counted("unchanged")
        else:
            await self._put_in_place(sets, pinned)
            self.counted("taken")
            hashes = [made.hash for made in sets.by_site.values()]
            self._log.info("mappings taken", mappings_hash=" ".join(hashes), count=len(pinned))
        return {"taken": True, "faults": [], "sets": changes}

    async def _put_in_place(self, sets: Sets, pinned: Mapping[str, str]) -> None:
        """Write down what is in use, use it, and let go what waited for it.

        The sets are kept first, because lineage is told by them; what waits is let go last, because
        the writer's next job translates it.
        """
        at = self.clock()
        await self.store.run(lambda tx: _keep(tx, sets, pinned, at))
        self.in_use.sets = sets
        await self.store.run(partial(release_known, sets=sets, at=at))
        self.changed()

    def _refuse(self, faults: tuple[Fault, ...]) -> dict[str, Any]:
        self.refused = RefusedSet(self.clock(), faults)
        self.counted("refused")
        self._log.error("mappings refused, the present ones stay", count=len(faults))
        return _told_refused(faults)


def _keep(tx: Transaction, sets: Sets, pinned: Mapping[str, str], at: float) -> None:
    for mappings in sets.by_site.values():
        tx.keep_mappings(version_of(mappings, at))
    hashes = {site: mappings.hash for site, mappings in sets.by_site.items()}
    tx.put_note(USES_NOTE, _uses(tx).take(hashes, pinned, at).note())


def _uses(view: NotesView) -> Uses:
    return Uses.read(view.note(USES_NOTE))


def _shipped(sets: Sets) -> Folder:
    return next(iter(sets.by_site.values())).folders[0]


def _changed_catalogue(before: Folder, now: Folder) -> list[Fault]:
    """ZautoAI's resources are those of the start: all of the bridge is built on them."""
    old, new = of_catalogue(before), of_catalogue(now)
    message = "changed; ZautoAI's resources are read at the start only: restart the bridge."
    return [
        Fault(f"{now.label}/{name}", 1, 1, "", message)
        for name in sorted({**old, **new})
        if old.get(name) != new.get(name)
    ]


def _change_of(site: str, before: Sets, after: Sets) -> dict[str, Any]:
    old, new = before.by_site.get(site), after.by_site[site]
    files, past = _files(new.folders), _files(old.folders if old else ())
    return {
        "site": site,
        "hash": new.hash,
        "before": old.hash if old else "",
        "changed": old is None or old.hash != new.hash,
        "files": sorted({n[1] for n in {**past, **files} if past.get(n) != files.get(n)}),
    }


def _files(folders: Sequence[Folder]) -> dict[tuple[int, str], str]:
    return {
        (number, name): text
        for number, folder in enumerate(folders)
        for name, text in folder.files.items()
    }


def _told_refused(faults: tuple[Fault, ...]) -> dict[str, Any]:
    told = [
        {"file": f.file, "line": f.line, "column": f.column, "key": f.key, "message": f.message}
        | {"suggestion": f.suggestion}
        for f in faults
    ]
    return {"taken": False, "faults": told, "sets": []}


def _named_site(site: str) -> str:
    return site or "the shipped mappings"
