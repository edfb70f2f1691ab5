from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from twisted.internet.task import Clock

from bridge.delivery import Kind, NetworkFault, Outcome, Reason
from bridge.senders.acknowledgments import AcknowledgmentSender
from bridge.senders.mllp import MllpSender
from bridge.service.reactor import GuestReactor, start_reactor, stop_reactor
from bridge.settings import Hospital
from tests.patience import PATIENCE

ORDER = b"MSH|^~\\&|ZAUTO|ZAUTOAI|HIS|HOSPITAL|20261122||RDE^O11|Z1|P|2.5.1\rPID|1||77\r"


def frame(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\r"


def acknowledgment(code: str, control_id: str, rest: str = "") -> bytes:
    head = "MSH|^~\\&|HIS|HOSPITAL|ZAUTO|ZAUTOAI|20261122||ACK^O11|9|P|2.5.1"
    return frame(f"{head}\rMSA|{code}|{control_id}\r{rest}".encode())


class FakeHospital:
    """Answers the n-th message with the n-th script entry; None is silence, b"" hangs up."""

    def __init__(self, *script: bytes | None) -> None:
        self.script = list(script)
        self.received: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.got = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []
        self.ended = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                block = await reader.readuntil(b"\x1c\r")
                self.received.append(block[1:-2])
                self.got.set()
                answer = self.script.pop(0)
                if answer == b"":
                    break
                writer.write(answer or b"")
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended += 1
        writer.close()

    async def until_received(self, count: int) -> None:
        while len(self.received) < count:
            self.got.clear()
            await self.got.wait()


#: a hospital with its script, the sender connected to it, and the sender's clock
Open = Callable[..., AbstractAsyncContextManager[tuple[FakeHospital, MllpSender, Clock]]]


@pytest.fixture
def opened(reactor: GuestReactor) -> Open:
    @asynccontextmanager
    async def open_(
        *script: bytes | None, **settings: Any
    ) -> AsyncIterator[tuple[FakeHospital, MllpSender, Clock]]:
        hospital, clock = FakeHospital(*script), Clock()
        server = await asyncio.start_server(hospital.serve, "127.0.0.1", 0)
        port = hospital.port = server.sockets[0].getsockname()[1]
        chosen = Hospital(host="localhost", port=port, answer_seconds=30, **settings)
        sender = MllpSender(chosen, reactor=reactor, clock=clock)
        try:
            yield hospital, sender, clock
        finally:
            sender.close()
            server.close()
            for writer in hospital.writers:
                writer.transport.abort()

    return open_


async def timed_out(sending: Awaitable[Outcome], hospital: FakeHospital, clock: Clock) -> Outcome:
    """The outcome when the hospital has the message and then nothing comes in time."""
    task = asyncio.ensure_future(sending)
    await hospital.until_received(1)
    for _ in range(10):
        await asyncio.sleep(0)
    clock.advance(29)
    assert not task.done()
    clock.advance(1)
    return await asyncio.wait_for(task, PATIENCE)


async def test_an_accepted_order_is_delivered(opened: Open) -> None:
    async with opened(acknowledgment("AA", "Z1")) as (hospital, sender, _):
        outcome = await sender.send(ORDER, "Z1")
        assert outcome.kind is Kind.DELIVERED
        assert hospital.received == [ORDER]


async def test_the_connection_is_used_again(opened: Open) -> None:
    answers = [acknowledgment("AA", f"Z{n}") for n in range(3)]
    async with opened(*answers) as (hospital, sender, _):
        outcomes = [await sender.send(ORDER, f"Z{n}") for n in range(3)]
        assert [outcome.kind for outcome in outcomes] == [Kind.DELIVERED] * 3
        assert hospital.connections == 1


async def test_one_message_is_in_flight(opened: Open) -> None:
    answers = [acknowledgment("AA", f"Z{n}") for n in range(5)]
    async with opened(*answers) as (_, sender, _):
        outcomes = await asyncio.gather(*(sender.send(ORDER, f"Z{n}") for n in range(5)))
        assert [outcome.kind for outcome in outcomes] == [Kind.DELIVERED] * 5


async def test_a_refused_order_is_permanent(opened: Open) -> None:
    async with opened(acknowledgment("AE", "Z1", "ERR|||101|E\r")) as (hospital, sender, _):
        outcome = await sender.send(ORDER, "Z1")
        assert (outcome.kind, outcome.reason) == (Kind.PERMANENT, Reason.REFUSED)
        assert hospital.ended == 0


async def test_nothing_listening_is_transient(reactor: GuestReactor) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    sender = MllpSender(Hospital(port=port), reactor=reactor)
    outcome = await sender.send(ORDER, "Z1")
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
    assert outcome.fault is NetworkFault.REFUSED
    assert str(port) in outcome.detail


@pytest.mark.parametrize("host", ["no-such-host.invalid", "bad host", ""])
async def test_a_host_without_an_address_is_transient(reactor: GuestReactor, host: str) -> None:
    sender = MllpSender(Hospital(host=host, port=1), reactor=reactor)
    outcome = await sender.send(ORDER, "Z1")
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
    assert outcome.fault is NetworkFault.DNS


async def test_a_host_that_does_not_take_the_connection_is_given_up(
    reactor: GuestReactor,
) -> None:
    """A listening socket whose queue is full answers nothing."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        hospital = Hospital(port=full.getsockname()[1], connect_seconds=0.1)
        outcome = await MllpSender(hospital, reactor=reactor).send(ORDER, "Z1")
        assert (outcome.reason, outcome.fault) == (Reason.UNREACHABLE, NetworkFault.TIMEOUT)


async def test_silence_is_unknown_and_closes_the_connection(opened: Open) -> None:
    async with opened(None, acknowledgment("AA", "Z1")) as (hospital, sender, clock):
        outcome = await timed_out(sender.send(ORDER, "Z1"), hospital, clock)
        assert (outcome.kind, outcome.reason) == (Kind.UNKNOWN, Reason.NO_ANSWER)
        assert outcome.fault is NetworkFault.TIMEOUT
        assert (await sender.send(ORDER, "Z1")).kind is Kind.DELIVERED
        assert hospital.connections == 2
        assert hospital.received == [ORDER, ORDER]


async def test_half_a_frame_is_no_answer(opened: Open) -> None:
    async with opened(acknowledgment("AA", "Z1")[:-2]) as (hospital, sender, clock):
        outcome = await timed_out(sender.send(ORDER, "Z1"), hospital, clock)
        assert (outcome.kind, outcome.fault) == (Kind.UNKNOWN, NetworkFault.TIMEOUT)


async def test_a_hang_up_instead_of_an_answer_is_unknown(opened: Open) -> None:
    async with opened(b"") as (_, sender, _):
        outcome = await sender.send(ORDER, "Z1")
        assert (outcome.kind, outcome.reason) == (Kind.UNKNOWN, Reason.NO_ANSWER)
        assert outcome.fault is NetworkFault.CLOSED


@pytest.mark.parametrize(
    "answer",
    [
        frame(b"no HL7 at all"),
        frame(b"MSH|^~\\&|HIS\r"),
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 5000,
        acknowledgment("AA", "Z0"),
        acknowledgment("XX", "Z1"),
        frame(b"\x00" * 2_000_000),
    ],
)
async def test_garbage_or_another_control_id_is_unknown_and_closes_the_connection(
    opened: Open, answer: bytes
) -> None:
    async with opened(answer, acknowledgment("AA", "Z1")) as (hospital, sender, _):
        assert (await sender.send(ORDER, "Z1")).kind is Kind.UNKNOWN
        assert (await sender.send(ORDER, "Z1")).kind is Kind.DELIVERED
        assert hospital.connections == 2


async def test_what_comes_unasked_is_not_taken_for_an_answer(opened: Open) -> None:
    twice = acknowledgment("AA", "Z1") * 2
    async with opened(twice, acknowledgment("AE", "Z1")) as (_, sender, _):
        assert (await sender.send(ORDER, "Z1")).kind is Kind.DELIVERED
        assert (await sender.send(ORDER, "Z1")).kind is Kind.PERMANENT


async def test_transport_acknowledgments_of_release_2_are_passed_over(
    opened: Open,
) -> None:
    async with opened(frame(b"\x06") + acknowledgment("AA", "Z1")) as (_, sender, _):
        assert (await sender.send(ORDER, "Z1")).kind is Kind.DELIVERED


async def test_in_enhanced_mode_the_application_acknowledgment_settles(
    opened: Open,
) -> None:
    both = acknowledgment("CA", "Z1") + acknowledgment("AE", "Z1")
    modes = {"accept_acknowledgment": "AL", "application_acknowledgment": "AL"}
    async with opened(both, **modes) as (hospital, sender, _):
        assert (await sender.send(ORDER, "Z1")).kind is Kind.PERMANENT
        assert hospital.connections == 1


async def test_an_application_acknowledgment_that_never_comes_is_unknown(
    opened: Open,
) -> None:
    modes = {"accept_acknowledgment": "AL", "application_acknowledgment": "AL"}
    async with opened(acknowledgment("CA", "Z1"), **modes) as (hospital, sender, clock):
        sending = asyncio.ensure_future(sender.send(ORDER, "Z1"))
        await hospital.until_received(1)
        # The wait for the first answer ends and the one for the second begins.
        while not sending.done():
            await asyncio.sleep(0)
            if not hospital.script:
                clock.advance(1)
        assert (await sending).kind is Kind.UNKNOWN


async def test_a_cancelled_sending_leaves_no_connection_behind(
    opened: Open,
) -> None:
    async with opened(None, acknowledgment("AA", "Z2")) as (hospital, sender, _):
        sending = asyncio.ensure_future(sender.send(ORDER, "Z1"))
        await hospital.until_received(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert (await sender.send(ORDER, "Z2")).kind is Kind.DELIVERED
        assert hospital.connections == 2


APPLICATION = ORDER.replace(b"P|2.5.1\r", b"P|2.5.1|||NE|NE\r")
ASKING = ORDER.replace(b"P|2.5.1\r", b"P|2.5.1|||AL|NE\r")


class TestAcknowledgments:
    """Application acknowledgments to a listener of the hospital's."""

    async def test_what_asks_for_no_answer_waits_for_none(self, opened: Open) -> None:
        async with opened(None, None) as (hospital, _, _):
            async with acknowledging(hospital) as (sender, address):
                for _ in range(2):
                    assert (await sender.send(address, APPLICATION)).kind is Kind.DELIVERED
                await hospital.until_received(2)
            assert hospital.received == [APPLICATION, APPLICATION]
            assert hospital.connections == 1

    async def test_an_answer_nobody_asked_for_is_not_taken_for_another(self, opened: Open) -> None:
        script = acknowledgment("AE", "Z1"), acknowledgment("CA", "Z1")
        async with (
            opened(*script) as (hospital, _, _),
            acknowledging(hospital) as (sender, address),
        ):
            assert (await sender.send(address, APPLICATION)).kind is Kind.DELIVERED
            await hospital.until_received(1)
            (connection,) = (each._connection for each in sender._senders.values())
            assert connection is not None
            while not connection._answers:
                await asyncio.sleep(0)
            assert (await sender.send(address, ASKING)).kind is Kind.DELIVERED

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (acknowledgment("CA", "Z1"), Kind.DELIVERED),
            (acknowledgment("AA", "Z1"), Kind.DELIVERED),
            (acknowledgment("CE", "Z1"), Kind.TRANSIENT),
            (acknowledgment("CR", "Z1"), Kind.PERMANENT),
            (acknowledgment("CA", "other"), Kind.UNKNOWN),
            (b"", Kind.UNKNOWN),
        ],
    )
    async def test_what_asks_to_be_accepted_is_judged_by_the_answer(
        self, opened: Open, answer: bytes, kind: Kind
    ) -> None:
        async with (
            opened(answer) as (hospital, _, _),
            acknowledging(hospital) as (sender, address),
        ):
            assert (await sender.send(address, ASKING)).kind is kind

    async def test_where_nobody_listens_nothing_was_sent(self, reactor: GuestReactor) -> None:
        sender = AcknowledgmentSender(reactor=reactor)
        outcome = await sender.send("127.0.0.1:1", APPLICATION)
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
        assert outcome.fault is NetworkFault.REFUSED


@asynccontextmanager
async def acknowledging(
    hospital: FakeHospital,
) -> AsyncIterator[tuple[AcknowledgmentSender, str]]:
    reactor = start_reactor(asyncio.get_running_loop())
    sender = AcknowledgmentSender(reactor=reactor)
    try:
        yield sender, f"127.0.0.1:{hospital.port}"
    finally:
        sender.close()
        stop_reactor(reactor)
