"""The MLLP sender: orders to the hospital's interface engine, one in flight."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from twisted.internet.interfaces import IReactorTCP, IReactorTime

from bridge.delivery import Kind, NetworkFault, Outcome, Reason
from bridge.hl7v2.answers import COMMITTED, judge
from bridge.message import Verdict
from bridge.senders.connection import CannotConnect, MllpConnection, connect
from bridge.settings import Hospital


class MllpSender:
    """Keeps one connection to the hospital open and uses it for one message after another."""

    def __init__(
        self, hospital: Hospital, *, reactor: IReactorTCP, clock: IReactorTime | None = None
    ) -> None:
        """`hospital.port` must be set; `clock` measures the waiting, by default the reactor's."""
        self._hospital = hospital
        self._reactor = reactor
        self._clock = clock or cast(IReactorTime, reactor)
        self._turn = asyncio.Lock()
        self._connection: MllpConnection | None = None

    async def send(self, body: bytes, control_id: str) -> Outcome:
        """Send one message, whose MSH-10 is `control_id`, and judge what comes back.

        Where nothing usable does, the outcome is unknown and the connection closed; sending the
        same MSH-10 again is safe with a receiver that keeps to the standard.
        """
        async with self._turn:
            try:
                connection = await self._connected()
            except CannotConnect as error:
                return _unreachable(error)
            outcome = None
            try:
                outcome = _named(await self._exchange(connection, body, control_id), connection)
            finally:
                # A late answer must not be taken for the next message's, also when cancelled.
                if outcome is None or outcome.kind is Kind.UNKNOWN:
                    self.close()
            return outcome

    async def tell(self, body: bytes) -> Outcome:
        """Send one message that nothing answers; delivered once it is on the wire."""
        async with self._turn:
            try:
                connection = await self._connected()
            except CannotConnect as error:
                return _unreachable(error)
            # A far end that answers all the same is not listened to.
            connection.forget()
            connection.send(body)
            return Outcome(Kind.DELIVERED, Reason.ACCEPTED)

    def close(self) -> None:
        """Hang up; the next message opens a new connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    async def _connected(self) -> MllpConnection:
        if self._connection is None or not self._connection.open:
            hospital = self._hospital
            if hospital.port is None:
                raise CannotConnect("hospital.port is not set")
            address = hospital.host, hospital.port, hospital.connect_seconds
            self._connection = await connect(*address, reactor=self._reactor, clock=self._clock)
        return self._connection

    async def _exchange(self, connection: MllpConnection, body: bytes, control_id: str) -> Outcome:
        """Send, and wait for the acknowledgment; in enhanced mode for the second one as well."""
        hospital = self._hospital
        # With ER silence is success, so CA is enough: waiting would hold up every order.
        expected = hospital.application_acknowledgment in ("AL", "SU")
        connection.forget()
        connection.send(body)
        answer = await connection.answer(hospital.answer_seconds)
        outcome = judge(answer, control_id, application_expected=expected)
        if outcome is COMMITTED:
            answer = await connection.answer(hospital.answer_seconds)
            outcome = judge(answer, control_id) if answer is not None else COMMITTED
        return outcome


def _unreachable(why: CannotConnect) -> Outcome:
    return Outcome(
        Kind.TRANSIENT,
        Reason.UNREACHABLE,
        detail=str(why),
        verdict=Verdict.NETWORK,
        fault=why.fault,
    )


def _named(outcome: Outcome, connection: MllpConnection) -> Outcome:
    """Where nothing came, whether in time or because the far end hung up."""
    hung_up = outcome.reason is Reason.NO_ANSWER and not connection.open
    return replace(outcome, fault=NetworkFault.CLOSED) if hung_up else outcome
