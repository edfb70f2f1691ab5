"""Which channel a message belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.hl7v2 import charset
from bridge.hl7v2.header import Header, Hl7Text, scan
from bridge.settings import HTTP_LISTENERS, Channel, Settings


def channels_by_listener(settings: Settings) -> Mapping[str, tuple[Channel, ...]]:
    """The channels of each MLLP listener, in the order of the settings.

    The first listener has one of the defaults where the settings give it none.
    """
    found: dict[str, tuple[Channel, ...]] = {}
    for channel in settings.channels:
        if channel.listener not in HTTP_LISTENERS:
            found[channel.listener] = (*found.get(channel.listener, ()), channel)
    return {"mllp": (Channel(name="default"),), **found}


def header_of(body: bytes, channel: Channel) -> Header:
    """The MSH of a message as its channel reads it; raises ReadError."""
    return scan(
        body,
        default_version=channel.default_version,
        default_charset=channel.default_charset,
        forced_charset=channel.forced_charset,
    )


def text_of(body: bytes, header: Header, channel: Channel) -> Hl7Text:
    """A message as its channel reads it; raises ReadError."""
    return Hl7Text(header, charset.decode(body, header.charset, *charsets(channel))[0])


def charsets(channel: Channel) -> tuple[str, str, str]:
    """What a channel says of charsets: its fallback, its default, and what it forces."""
    return channel.fallback_charset, channel.default_charset, channel.forced_charset


def placed(
    body: bytes, channels: Iterable[Channel], given: Channel, header: Header | None = None
) -> tuple[Channel, Header]:
    """The channel a message belongs to, and its MSH as that one reads it; raises ReadError.

    `header` is that MSH as the `given` channel reads it, where that is known.
    """
    header = header or header_of(body, given)
    channel = channel_of(header, channels, given)
    as_given = channel is given or _reading(channel) == _reading(given)
    return channel, header if as_given else header_of(body, channel)


def _reading(channel: Channel) -> tuple[str, ...]:
    return channel.default_version, channel.default_charset, channel.forced_charset


def channel_of(header: Header, channels: Iterable[Channel], given: Channel) -> Channel:
    """The first channel that names what stands in MSH-3 and MSH-4, else the given one."""
    for channel in channels:
        application = _is_named(channel.sending_application, header.sending_application, header)
        if application and _is_named(channel.sending_facility, header.sending_facility, header):
            return channel
    return given


def _is_named(setting: str, sent: str, header: Header) -> bool:
    """Whether a setting names what stands in MSH-3 or MSH-4: whole, or by its namespace (HD.1)."""
    if setting in ("", sent):
        return True
    return sent.partition(header.delimiters.component or "^")[0] == setting


def channel_named(settings: Settings, name: str) -> Channel:
    """The channel of that name; a message may outlive it, then the defaults hold."""
    for channel in settings.channels:
        if channel.name == name:
            return channel
    return Channel(name=name)


def channel_names(settings: Settings) -> frozenset[str]:
    """The names that a message's channel can have."""
    of_mllp = channels_by_listener(settings).values()
    named = {channel.name for channels in (settings.channels, *of_mllp) for channel in channels}
    return frozenset(named | {first_channel(settings, listener) for listener in HTTP_LISTENERS})


def first_channel(settings: Settings, listener: str) -> str:
    """The name of the channel of a listener that has one only, else the listener's own."""
    for channel in settings.channels:
        if channel.listener == listener:
            return channel.name
    return listener
