"""Which sets of mappings were taken into use, and which one is pinned: kept in a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import orjson

#: name of the note
USES_NOTE = "mappings"
#: the latest that are remembered; the sets themselves are kept for good
_MOST = 200


class Use(NamedTuple):
    """A set that was taken into use."""

    #: "" for the shipped one
    site: str
    hash: str
    #: seconds since the epoch
    at: float


@dataclass(frozen=True, slots=True)
class Uses:
    """All of them, the latest last."""

    taken: tuple[Use, ...] = ()
    #: hash by site of the sets that stay until the files are taken again
    pinned: Mapping[str, str] = field(default_factory=dict)
    #: those in use now: a site that no channel names any longer has used mappings, and uses none
    sites: tuple[str, ...] = ()

    @classmethod
    def read(cls, note: str | None) -> Uses:
        """What the note says; none yet without it."""
        if note is None:
            return cls()
        said = orjson.loads(note)
        taken = tuple(Use(*use) for use in said["taken"])
        return cls(taken, said["pinned"], tuple(said.get("sites", ())))

    def note(self) -> str:
        """What is written down."""
        taken = [list(use) for use in self.taken[-_MOST:]]
        said = {"taken": taken, "pinned": dict(self.pinned), "sites": self.sites}
        return orjson.dumps(said).decode()

    def last(self, site: str) -> Use | None:
        """What a site used last."""
        return next((use for use in reversed(self.taken) if use.site == site), None)

    def present(self) -> list[Use]:
        """What each site that is in use uses."""
        last = {use.site: use for use in self.taken if use.site in self.sites}
        return list(last.values())

    def before(self, site: str) -> Use | None:
        """What a site used before the set that it used last."""
        last = self.last(site)
        found = (use for use in reversed(self.taken) if use.site == site)
        return next((use for use in found if last and use.hash != last.hash), None)

    def begun(self, prefix: str, site: str | None) -> list[Use]:
        """The last use of each set, by site, whose hash begins so."""
        found = {(use.site, use.hash): use for use in self.taken if use.hash.startswith(prefix)}
        return [use for use in found.values() if site is None or use.site == site]

    def take(self, hashes: Mapping[str, str], pinned: Mapping[str, str], at: float) -> Uses:
        """With these sets in use, by site, from now on."""
        new = [
            Use(site, hash, at)
            for site, hash in hashes.items()
            if (last := self.last(site)) is None or last.hash != hash
        ]
        return replace(self, taken=(*self.taken, *new), pinned=pinned, sites=tuple(hashes))
