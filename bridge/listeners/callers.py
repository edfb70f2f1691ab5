"""Callers: the open connections by which application acknowledgments go back.

One goes by the connection that brought its message; where that has ended, by another one on which
the same sender has sent, for what was owed before a restart has no connection left.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable

from bridge.message import Owed


class Caller(typing.Protocol):
    """One sender's connection."""

    def tell(self, body: bytes) -> bool:
        """Send what answers no frame; whether it was sent."""


class Callers:
    """Which connection brought what; one for all listeners of a service."""

    def __init__(self) -> None:
        #: told when a connection brought something that is to be answered later
        self.called: Callable[[], None] = _nobody
        self._by_message: dict[int, Caller] = {}
        self._by_route: dict[str, Caller] = {}
        #: what each connection is named by above
        self._messages: dict[Caller, set[int]] = {}
        self._routes: dict[Caller, set[str]] = {}

    def note(self, caller: Caller, owes: Iterable[Owed]) -> None:
        """A connection brought these messages, and their accept acknowledgments are sent."""
        for message_id, route in owes:
            self._by_message[message_id] = self._by_route[route] = caller
            self._messages.setdefault(caller, set()).add(message_id)
            self._routes.setdefault(caller, set()).add(route)
        self.called()

    def forget(self, caller: Caller) -> None:
        """A connection has ended."""
        for message_id in self._messages.pop(caller, ()):
            if self._by_message.get(message_id) is caller:
                del self._by_message[message_id]
        for route in self._routes.pop(caller, ()):
            if self._by_route.get(route) is caller:
                del self._by_route[route]

    def reaches(self, route: str) -> bool:
        """Whether a connection of this sender is open."""
        return route in self._by_route

    def send(self, message_id: int, route: str, body: bytes) -> bool:
        """Send one message's application acknowledgment; whether a connection took it."""
        caller = self._by_message.get(message_id) or self._by_route.get(route)
        if caller is None or not caller.tell(body):
            return False
        if self._by_message.pop(message_id, None) is not None:
            self._messages[caller].discard(message_id)
        return True


def _nobody() -> None:
    """Nobody listens yet."""
