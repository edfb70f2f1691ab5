"""Owe: which messages are answered a second time, by the application, and where that goes.

In enhanced mode MSH-15 asks for the accept acknowledgment, which intake writes, and MSH-16 for
the application acknowledgment, which follows by itself (chapter 2.9.3; `acknowledge` sends it).
"""

from __future__ import annotations

from bridge.hl7v2 import ack
from bridge.hl7v2.header import Header
from bridge.message import Owed
from bridge.settings import SAME, Channel
from bridge.store.acknowledgments import BACK, Owing, goes_back


def is_apart(channel: Channel) -> bool:
    """Whether a channel says when or where application acknowledgments go."""
    chosen = channel.application_acknowledgment
    return chosen.after == "delivery" or (chosen.after != "never" and chosen.to != SAME)


def owing_of(channel: Channel, header: Header) -> Owing | None:
    """What an accepted message is owed."""
    chosen = channel.application_acknowledgment
    if chosen.after == "never" or not header.application_acknowledgment:
        return None
    asked = ack.later(header, apart=is_apart(channel))
    return Owing(asked, chosen.after, _route(channel, header)) if asked else None


def owed_here(message_id: int, owing: Owing | None) -> tuple[Owed, ...]:
    """What of it goes back by the connection that brought the message."""
    if owing is None or not goes_back(owing.route):
        return ()
    return (Owed(message_id, owing.route),)


def _route(channel: Channel, header: Header) -> str:
    to = channel.application_acknowledgment.to
    if to != SAME:
        return to
    return f"{BACK}{channel.name}/{header.sending_application}|{header.sending_facility}"
