"""Intake: keep what a listener hands over, then say what the sender is told.

Nothing is answered positively before `store.run` has returned, which is after the commit is on
disk ("Keep, then acknowledge"). What is refused is kept as well, so that nothing leaves unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

from bridge.causes import Cause, CauseKind
from bridge.errors import LimitError, ReadError
from bridge.hl7v2 import ack, batches
from bridge.hl7v2.batches import BatchFile
from bridge.hl7v2.beginnings import (
    FrameItem,
    begins_message,
    check_count,
    from_first_message,
    may_be_several,
)
from bridge.hl7v2.grammar import check_text
from bridge.hl7v2.header import Header, Hl7Text, check_limits
from bridge.message import AckError, Acknowledgment, Message, Protocol, Receipt, Reply, Status
from bridge.metrics import Metrics
from bridge.pipeline.channels import channels_by_listener, first_channel, header_of, placed
from bridge.pipeline.intake.batched import acknowledgments, owed, take_all
from bridge.pipeline.intake.owe import is_apart, owed_here, owing_of
from bridge.pipeline.intake.refuse import NegativeAcknowledgment, read_or_refuse, why
from bridge.pipeline.intake.repeated import keep_order
from bridge.pipeline.intake.structure import Structure
from bridge.settings import Channel, Settings
from bridge.store.acknowledgments import Owing
from bridge.store.contract import Store
from bridge.store.messages import MessageTransaction, identity_prefix
from bridge.store.records import Keeping, Kept

#: seconds within which the same order without an Idempotency-Key is the same order
ORDER_WINDOW = 600.0
#: bytes kept of what is not a message
QUARANTINE_HEAD = 4096


class Intake:
    """Keeps messages and answers for them; one for all listeners."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        takes: Callable[[str, Protocol, str], bool],
        clock: Callable[[], float],
        new_id: Callable[[], str],
        metrics: Metrics,
        wake: Callable[[], None],
    ) -> None:
        """`takes` says whether a mapping of a channel takes a protocol's message type; `wake`
        tells translate of work; `new_id` makes ids of at most 20 characters that never repeat."""
        self._store = store
        self._settings = settings
        self._takes = takes
        self._clock = clock
        self._new_id = new_id
        self._metrics = metrics
        self._wake = wake
        self._hl7_channels = channels_by_listener(settings)
        self._structure = Structure(check_text)
        #: when something was last handed in; translate steps back while senders wait
        self.taken_at = 0.0

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        """Keep what one frame holds, a message or several, and return what answers it.

        Raises StoreBusy when it could not be kept: then nothing may be answered.
        """
        self.taken_at = at = self._clock()
        several, item = may_be_several(body), FrameItem(body)
        try:
            if several:
                check_count(body, self._settings.limits.messages)
        except LimitError as error:
            return await self._too_many(channel, body, peer, error)
        if several and begins_message(body):
            file = batches.read(body, partial(header_of, channel=channel))
            if not file.is_one_message:
                return await self._take_several(file, channel, body, peer, at)
            item = FrameItem(body, file.items[0].header)
        return await self._take_one(channel, item, peer, at, several=several)

    async def _take_one(
        self, channel: Channel, item: FrameItem, peer: str, at: float, *, several: bool = True
    ) -> Reply:
        """Keep one message, which has no further MSH where it is not `several`."""
        body, channels = item.body, self._hl7_channels.get(channel.listener, ())
        try:
            channel, header = placed(body, channels, channel, item.header)
        except ReadError as error:
            if batches.is_batch(body):
                file = batches.read(body, partial(header_of, channel=channel))
                return await self._take_several(file, channel, body, peer, at)
            await self.quarantine(channel.name, peer, str(error), body[:QUARANTINE_HEAD])
            return Reply(None, close=True)
        try:
            check_limits(body, self._settings.limits)
        except LimitError as error:
            return await self._too_large(channel, header, body, peer, error)
        judged = read_or_refuse(header, body, channel, self._takes, several=several)
        refusal = judged if isinstance(judged, NegativeAcknowledgment) else None
        if isinstance(judged, Hl7Text) and channel.structure != "off":
            refusal = await self._structure.refusal(channel, judged)
        owing = None if refusal else owing_of(channel, header)
        kept = await self._keep_hl7(channel, header, body, at, refusal, owing)
        return Reply(kept.acknowledgment or None, owes=owed_here(kept.id, owing))

    async def _take_several(
        self, file: BatchFile, channel: Channel, body: bytes, peer: str, at: float
    ) -> Reply:
        """Keep each message on its own; wrong counts are reported, and what came is taken."""
        if miscounts := file.miscounts():
            await self.quarantine(channel.name, peer, f"batch: {'; '.join(miscounts)}", body)
        replies: Sequence[Sequence[Reply]] = [[] for _ in file.batches]
        if file.holds_message:  # text alone is in the trace of its frame
            take = partial(self._take_one, channel, peer=peer, at=at)
            replies = await take_all(file, take)
        answers = acknowledgments(replies)
        if file.holds_message and not any(answers):
            return Reply(None, owes=owed(replies))
        control_ids = iter(self._new_id, "")
        answer = batches.write(file, answers, at=ack.time_of(at), control_ids=control_ids)
        return Reply(answer, owes=owed(replies))

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        """Keep the first bytes of something that is not a message."""
        at = self._clock()
        self._metrics.quarantined(channel)
        await self._store.run(
            lambda tx: tx.quarantine(channel, peer, reason, head[:QUARANTINE_HEAD], at)
        )

    async def take_fhir(
        self, resource_type: str, resource_id: str, body: bytes, *, update: bool
    ) -> Receipt:
        """Keep one FHIR resource; `resource_id` is "" for a create, which is given one."""
        self.taken_at = at = self._clock()
        resource_id = resource_id or self._new_id()
        reference = f"{resource_type}/{resource_id}"
        message = self._by_http(Protocol.FHIR, resource_type, at, body, reference=reference)

        def job(tx: MessageTransaction) -> Receipt:
            created = not (update and tx.seen_reference(message.channel, message.reference))
            kept = tx.keep(
                message,
                status=self._status(message),
                answer_code="201" if created else "200",
                acknowledgment=b"",
                identity=None,
            )
            return Receipt(kept.id, resource_id, created)

        receipt = await self._store.run(job)
        self._counted(message, "201" if receipt.created else "200")
        self._wake()
        return receipt

    async def take_order(
        self, message_type: str, body: bytes, *, idempotency_key: str = ""
    ) -> Receipt:
        """Keep one order; the same key, or the same order within ten minutes, is kept once.
        Services that were pushed otherwise in between are not the same.

        Raises KeyReused where the key came before with another order.
        """
        self.taken_at = at = self._clock()
        message = self._by_http(Protocol.ORDERS, message_type, at, body, control_id=idempotency_key)
        status = self._status(message)
        kept = await self._store.run(lambda tx: keep_order(tx, message, status, ORDER_WINDOW))
        self._counted(message, "duplicate" if kept.duplicate else "202")
        self._wake()
        return Receipt(kept.id, duplicate=kept.duplicate)

    async def refuse(
        self, protocol: Protocol, message_type: str, body: bytes, status_code: int, reason: str
    ) -> None:
        """Keep what an HTTP door refused, with the reason."""
        message = self._by_http(protocol, message_type, self._clock(), body)
        await self._store.run(
            lambda tx: tx.keep(
                message,
                status=Status.REJECTED,
                answer_code=str(status_code),
                acknowledgment=b"",
                identity=None,
                cause=Cause(CauseKind.REFUSED_AT_DOOR, name=reason, code=str(status_code)),
            )
        )
        self._counted(message, str(status_code))

    async def _keep_hl7(
        self,
        channel: Channel,
        header: Header,
        body: bytes,
        at: float,
        refusal: NegativeAcknowledgment | None,
        owing: Owing | None,
    ) -> Kept:
        code, answer = self._answer(channel, header, body, refusal, at)
        message = _message(channel, header, body, at)
        status = Status.REJECTED if refusal else self._status(message)
        # What was refused is judged anew when it comes again: the reason may be gone by then.
        identity = None if refusal else _identity(header, body)
        cause = why(refusal) if refusal else None
        kept = await self._store.keep(
            Keeping(message, status, code, answer, identity, cause, owing)
        )
        self._counted(message, "duplicate" if kept.duplicate else code)
        if status is Status.WAITING:
            self._wake()
        return kept

    def _answer(
        self,
        channel: Channel,
        header: Header,
        body: bytes,
        refusal: NegativeAcknowledgment | None,
        at: float,
    ) -> tuple[str, bytes]:
        """The code, and the acknowledgment's bytes: none where the sender wants none."""
        if refusal is None:
            code = ack.positive(header, apart=is_apart(channel))
            return code, self._written(header, code, (), at, body)
        code = ack.negative(header, reject=refusal.reject)
        return code, self._written(header, code, (refusal.error,), at, body)

    def _written(
        self,
        header: Header,
        code: str,
        errors: tuple[AckError, ...],
        at: float,
        body: bytes = b"",
    ) -> bytes:
        if not ack.wanted(header, code):
            return b""
        text = errors[0].text if errors else ""
        answer = Acknowledgment(code, header.control_id, text, errors)
        return ack.write(answer, header, at=at, control_id=self._new_id(), body=body)

    async def _too_many(self, channel: Channel, body: bytes, peer: str, error: LimitError) -> Reply:
        """Answer the first message for all of them, none of which is kept."""
        first = from_first_message(body) if batches.is_batch(body) else body
        try:
            channel, header = placed(first, self._hl7_channels.get(channel.listener, ()), channel)
        except ReadError:
            await self.quarantine(channel.name, peer, str(error), body)
            return Reply(None, close=True)
        return await self._too_large(channel, header, body, peer, error)

    async def _too_large(
        self, channel: Channel, header: Header, body: bytes, peer: str, error: LimitError
    ) -> Reply:
        await self.quarantine(channel.name, peer, str(error), body)
        code = ack.unable(header)
        found = AckError(error.location, error.code, str(error))
        answer = self._written(header, code, (found,), self._clock())
        return Reply(answer or None, close=True)

    def _by_http(
        self,
        protocol: Protocol,
        message_type: str,
        at: float,
        body: bytes,
        *,
        control_id: str = "",
        reference: str = "",
    ) -> Message:
        channel = first_channel(self._settings, protocol.value)
        return Message(channel, protocol, message_type, control_id, "", "", at, body, reference)

    def _status(self, message: Message) -> Status:
        taken = self._takes(message.channel, message.protocol, message.message_type)
        return Status.WAITING if taken else Status.UNMAPPED

    def _counted(self, message: Message, code: str) -> None:
        self._metrics.received(message.channel, message.message_type, code)
        self._metrics.kept(self._clock() - message.received_at)


def _message(channel: Channel, header: Header, body: bytes, at: float) -> Message:
    return Message(
        channel=channel.name,
        protocol=Protocol.HL7V2,
        message_type=header.message_type,
        control_id=header.control_id,
        sending_application=header.sending_application,
        sending_facility=header.sending_facility,
        received_at=at,
        body=body,
    )


def _identity(header: Header, body: bytes) -> bytes:
    """Same bytes are the same sender and control id too: MSH-3, MSH-4 and MSH-10 are in them.

    The control id stands before the digest because senders count it up: identities that follow
    each other share a page of the store's index, where random ones would write one page each.
    """
    return identity_prefix(header.control_id) + hashlib.blake2b(body, digest_size=16).digest()
