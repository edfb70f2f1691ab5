"""Application acknowledgments to listeners of the hospital's own, a connection an address."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTCP, IReactorTime

from bridge.delivery import Outcome
from bridge.hl7v2.header import scan
from bridge.senders.mllp import MllpSender
from bridge.settings import Hospital


class AcknowledgmentSender:
    """Keeps one connection open to each address that a channel names."""

    def __init__(self, *, reactor: IReactorTCP, clock: IReactorTime | None = None) -> None:
        """`clock` measures the waiting, by default the reactor's."""
        self._reactor = reactor
        self._clock = clock
        self._senders: dict[str, MllpSender] = {}

    async def send(self, address: str, body: bytes) -> Outcome:
        """Send one to `host:port`; where its MSH-15 asks, the far end's answer is waited for.

        Never raises. An answer that is not CA or AA, or none, is a failure as for an order.
        """
        sender = self._sender(address)
        header = scan(body)
        if header.accept_acknowledgment != "AL":
            return await sender.tell(body)
        return await sender.send(body, header.control_id)

    def close(self) -> None:
        """Hang up everywhere."""
        for sender in self._senders.values():
            sender.close()

    def _sender(self, address: str) -> MllpSender:
        if address not in self._senders:
            host, _, port = address.rpartition(":")
            engine = Hospital(host=host.strip("[]"), port=int(port))
            self._senders[address] = MllpSender(engine, reactor=self._reactor, clock=self._clock)
        return self._senders[address]
