"""What the application says of a message, and the bytes of it: written before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.causes import Cause, CauseKind, explain, sentence
from bridge.errors import DamagedMessage
from bridge.hl7v2 import ack
from bridge.message import AckError, Acknowledgment, Status, Verdict
from bridge.pipeline.channels import channel_named, header_of
from bridge.settings import Settings
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment
from bridge.store.contract import Transaction
from bridge.store.records import KeptMessage

#: an acknowledgment is ASCII
_PLAIN_QUOTES = str.maketrans("“”", '""')


@dataclass(frozen=True, slots=True)
class AnswerWriter:
    """Writes application acknowledgments that are due, each once."""

    settings: Settings
    clock: Callable[[], float]
    #: makes a message control id
    new_id: Callable[[], str]

    def written(
        self, tx: Transaction, due: ApplicationAcknowledgment
    ) -> ApplicationAcknowledgment | None:
        """One with its bytes; None where its sender does not want it, or its message is gone."""
        if due.body:
            return due
        at = self.clock()
        try:
            kept = tx.message(due.message_id)
            if kept is not None and kept.body_gone:
                raise DamagedMessage(due.message_id)
        except DamagedMessage:
            cause = Cause(CauseKind.BRIDGE_FAULT, name=DamagedMessage.__name__)
            tx.change_acknowledgment(due.message_id, Answering.ABANDONED, at=at, cause=cause)
            return None
        assert kept is not None, "a row of the store refers to its message"
        answer = application_answer(kept)
        if not ack.serves(due.owing.asked, answer.code):
            tx.write_acknowledgment(due.message_id, answer.code, b"")
            tx.change_acknowledgment(due.message_id, Answering.UNWANTED, at=at)
            return None
        tx.write_acknowledgment(due.message_id, answer.code, self._bytes(kept, answer, at))
        return tx.acknowledgment(due.message_id)

    def _bytes(self, kept: KeptMessage, answer: Acknowledgment, at: float) -> bytes:
        channel = channel_named(self.settings, kept.message.channel)
        header = header_of(kept.message.body, channel)
        return ack.write(
            answer._replace(control_id=header.control_id),
            header,
            at=at,
            control_id=self.new_id(),
            body=kept.message.body,
            accept=channel.application_acknowledgment.accept_acknowledgment,
        )


def application_answer(kept: KeptMessage) -> Acknowledgment:
    """What the application says of a message, by what became of it (chapter 2.9.3).

    AE where its content stopped it; AR where the bridge failed, which says nothing of its content.
    """
    if kept.status is not Status.PARKED:
        return Acknowledgment("AA", "")
    if kept.cause is None:
        return Acknowledgment("AE", "")
    # What ZautoAI said of it may name the patient, whom the sender named first.
    text = sentence(kept.cause, reveal=True).translate(_PLAIN_QUOTES)
    error = AckError(kept.cause.path, explain(kept.cause).code, text)
    is_ours = kept.verdict is Verdict.BRIDGE
    return Acknowledgment("AR" if is_ours else "AE", "", text, (error,))
