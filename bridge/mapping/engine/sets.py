"""The sets of mappings in use: one for each site, changed all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.mapping.engine.compiled import Mappings
from bridge.message import Protocol
from bridge.settings import Settings


@dataclass(frozen=True, slots=True)
class Sets:
    """A set of mappings for each site that a channel names."""

    #: by name of the site; "" is the shipped one
    by_site: Mapping[str, Mappings]
    #: name of the site by name of the channel
    site_of: Mapping[str, str]
    #: the site of a message whose channel is gone
    usual: str = ""

    @classmethod
    def of_one(cls, mappings: Mappings) -> Sets:
        """The same set for every channel."""
        return cls({"": mappings}, {})

    def of(self, channel: str) -> Mappings:
        """The set that messages of a channel are translated with."""
        return self.by_site[self.site_of.get(channel, self.usual)]

    def takes(self, channel: str, protocol: Protocol, message_type: str) -> bool:
        """Whether a mapping takes messages of this type on this channel."""
        return self.of(channel).find(protocol, message_type) is not None

    @property
    def message_types(self) -> frozenset[str]:
        """Every message type that a mapping of a site takes."""
        return frozenset().union(*(each.message_types for each in self.by_site.values()))

    @property
    def same_authorities(self) -> Sequence[tuple[str, ...]]:
        """Groups of assigning authorities that mean the same one, of all sites."""
        groups = [group for each in self.by_site.values() for group in each.site.same_authorities]
        return tuple(dict.fromkeys(groups))


def sets_of(by_site: Mapping[str, Mappings], settings: Settings) -> Sets:
    """The sets of the sites, by the channels of the settings."""
    site_of = {channel.name: settings.site_of(channel.name) for channel in settings.channels}
    return Sets(by_site, site_of, settings.channels[0].site or settings.mappings.site)


class InUse:
    """Holds the sets that are in use.

    Who translates a message asks once and goes on with what it was given, so that a message is
    translated with one set or the other, whatever is put in its place meanwhile.
    """

    def __init__(self, sets: Sets) -> None:
        #: replaced as a whole
        self.sets = sets

    def of(self, channel: str) -> Mappings:
        """The set that messages of a channel are translated with now."""
        return self.sets.of(channel)

    def takes(self, channel: str, protocol: Protocol, message_type: str) -> bool:
        """Whether a mapping takes messages of this type on this channel."""
        return self.sets.takes(channel, protocol, message_type)
