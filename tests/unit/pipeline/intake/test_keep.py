"""Keep, then acknowledge: what each sender is told, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import StoreBusy
from bridge.message import Owed, Protocol, Reply, Status, Verdict
from bridge.pipeline.intake.keep import ORDER_WINDOW
from bridge.settings import Channel, Limits, Settings
from bridge.store.acknowledgments import Owing
from bridge.store.records import Keeping, Kept
from tests.unit.pipeline.desk import Desk, told
from tests.unit.pipeline.hl7 import adt


class TestHl7:
    async def test_a_message_is_kept_as_it_came_and_acknowledged(self, desk: Desk) -> None:
        body = adt("C77")
        assert told(await desk.hl7(body)) == ("AA", "C77")
        (kept,) = desk.kept()
        whole = desk.store.read(lambda view: view.message(kept.id))
        assert whole is not None
        assert whole.message.body == body
        assert (whole.status, whole.answer_code) == (Status.WAITING, "AA")
        assert (whole.message.sending_application, whole.message.sending_facility) == (
            "HIS",
            "LOTUS",
        )
        assert desk.woken == 1

    async def test_enhanced_mode_gets_a_commit(self, desk: Desk) -> None:
        assert told(await desk.hl7(adt(msh_end="|||AL|NE"))) == ("CA", "C1")

    async def test_who_wants_no_answer_gets_none_and_is_kept(self, desk: Desk) -> None:
        reply = await desk.hl7(adt(msh_end="|||NE|NE"))
        assert reply == Reply(None)
        assert len(desk.kept()) == 1

    async def test_a_type_without_a_mapping_is_kept_as_unmapped(self, desk: Desk) -> None:
        assert told(await desk.hl7(adt(kind="ORU^R01"))) == ("AA", "C1")
        assert desk.kept()[0].status is Status.UNMAPPED

    async def test_the_same_bytes_get_the_stored_answer_and_no_new_work(self, desk: Desk) -> None:
        first = await desk.hl7(adt())
        desk.clock.now += 3600
        assert await desk.hl7(adt()) == first
        (kept,) = desk.kept()
        assert kept.duplicates == 1

    async def test_the_same_control_id_with_other_bytes_is_a_new_message(self, desk: Desk) -> None:
        await desk.hl7(adt(name="Nair^Meera"))
        await desk.hl7(adt(name="Menon^Meera"))
        assert len(desk.kept()) == 2

    @pytest.mark.parametrize(
        ("body", "code", "reason"),
        [
            (adt(version="3.0"), "AR", "MSH-12: version is not 2.x (error 203)"),
            (adt(kind="").replace(b"EVN||", b"ZVN||"), "AE", "MSH-9: message type is missing"),
            (adt(""), "AE", "MSH-10: message control id is missing (error 101)"),
            (adt(msh_end="||||||UNICODE UTF-8").replace(b"Meera", b"M\xff"), "AE", "(error 102)"),
        ],
    )
    async def test_what_cannot_be_taken_is_refused_and_kept(
        self, desk: Desk, body: bytes, code: str, reason: str
    ) -> None:
        assert told(await desk.hl7(body))[0] == code
        (kept,) = desk.kept()
        assert (kept.status, kept.verdict) == (Status.REJECTED, Verdict.SENDER)
        assert reason in kept.reason

    async def test_a_refused_message_is_judged_anew_when_it_comes_again(
        self, open_desk: Callable[..., Desk]
    ) -> None:
        strict = Channel(name="default", processing_ids=("T",))
        desk = open_desk(channels=(strict,))
        assert told(await desk.hl7(adt()))[0] == "AR"
        desk.settings = Settings()
        desk.intake = desk.made(desk.store)
        assert told(await desk.hl7(adt()))[0] == "AA"
        assert [kept.status for kept in desk.kept()] == [Status.REJECTED, Status.WAITING]
        await desk.store.close()

    async def test_a_channel_may_refuse_what_no_mapping_takes(
        self, open_desk: Callable[..., Desk]
    ) -> None:
        desk = open_desk(channels=(Channel(name="strict", unknown_types="reject"),))
        assert told(await desk.hl7(adt(kind="ORU^R01")))[0] == "AR"
        assert told(await desk.hl7(adt(kind="ADT^A04")))[0] == "AA"
        await desk.store.close()

    async def test_a_message_belongs_to_the_channel_that_names_its_sender(
        self, open_desk: Callable[..., Desk]
    ) -> None:
        desk = open_desk(
            channels=(
                Channel(name="lab", sending_application="LIS"),
                Channel(name="front desk", sending_application="HIS", sending_facility="LOTUS"),
                Channel(name="rest"),
            )
        )
        await desk.hl7(adt())
        await desk.hl7(adt().replace(b"LOTUS", b"OTHER"))
        assert [kept.message.channel for kept in desk.kept()] == ["front desk", "rest"]
        await desk.store.close()

    async def test_what_is_not_hl7_is_put_aside_and_hung_up_on(self, desk: Desk) -> None:
        assert await desk.hl7(b"GET / HTTP/1.1\r\n") == Reply(None, close=True)
        assert (desk.quarantined, desk.kept()) == (1, [])

    async def test_what_is_over_a_cap_is_answered_put_aside_and_hung_up_on(
        self, open_desk: Callable[..., Desk]
    ) -> None:
        desk = open_desk(limits=Limits(segments=3))
        reply = await desk.hl7(adt())
        assert told(reply)[0] == "AR"
        assert reply.close
        assert (desk.quarantined, desk.kept()) == (1, [])
        await desk.store.close()

    async def test_nothing_is_answered_when_nothing_could_be_kept(self, desk: Desk) -> None:
        desk.intake = desk.made(_Full())
        with pytest.raises(StoreBusy):
            await desk.hl7(adt())
        assert desk.woken == 0


class _Full:
    """A store without room."""

    async def keep(self, keeping: Keeping) -> Kept:
        raise StoreBusy("no room")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


class TestFhir:
    async def test_a_create_is_given_an_id(self, desk: Desk) -> None:
        receipt = await desk.intake.take_fhir("Patient", "", b"{}", update=False)
        assert (receipt.resource_id, receipt.created) == ("ID1", True)
        (kept,) = desk.kept()
        assert (kept.message.reference, kept.answer_code) == ("Patient/ID1", "201")

    async def test_the_first_update_creates_and_the_next_does_not(self, desk: Desk) -> None:
        first = await desk.intake.take_fhir("Patient", "7", b"{}", update=True)
        second = await desk.intake.take_fhir("Patient", "7", b"{}", update=True)
        assert (first.created, second.created) == (True, False)
        assert second.id > first.id

    async def test_what_the_door_refused_is_kept_with_its_reason(self, desk: Desk) -> None:
        await desk.intake.refuse(Protocol.FHIR, "Patient", b"{", 400, "the body is no JSON")
        (kept,) = desk.kept()
        assert (kept.status, kept.answer_code) == (Status.REJECTED, "400")
        assert kept.reason == "the body is no JSON (error 400)"


class TestOrders:
    async def take(self, desk: Desk, body: bytes, key: str = "") -> tuple[int, bool]:
        receipt = await desk.intake.take_order("prescription-order", body, idempotency_key=key)
        return receipt.id, receipt.duplicate

    async def test_the_same_order_within_the_window_is_kept_once(self, desk: Desk) -> None:
        first, _ = await self.take(desk, b'{"a": 1, "b": 2}')
        desk.clock.now += ORDER_WINDOW - 1
        assert await self.take(desk, b'{"b": 2, "a": 1}') == (first, True)
        assert len(desk.kept()) == 1

    async def test_after_the_window_it_is_a_new_order(self, desk: Desk) -> None:
        first, _ = await self.take(desk, b'{"a": 1}')
        desk.clock.now += ORDER_WINDOW + 1
        second, duplicate = await self.take(desk, b'{"a": 1}')
        assert (second != first, duplicate) == (True, False)
        assert await self.take(desk, b'{"a": 1}') == (second, True)

    async def test_a_key_names_one_order_for_good(self, desk: Desk) -> None:
        first, _ = await self.take(desk, b'{"a": 1}', "K1")
        desk.clock.now += 10 * ORDER_WINDOW
        assert await self.take(desk, b'{"a": 1}', "K1") == (first, True)

    async def test_two_keys_are_two_orders(self, desk: Desk) -> None:
        first = await self.take(desk, b'{"a": 1}', "K1")
        assert await self.take(desk, b'{"a": 1}', "K2") != first
        assert len(desk.kept()) == 2

    async def test_prescriptions_and_services_are_never_the_same_order(self, desk: Desk) -> None:
        await self.take(desk, b'{"a": 1}')
        receipt = await desk.intake.take_order("service-order", b'{"a": 1}')
        assert not receipt.duplicate


class TestStructure:
    async def test_a_channel_may_reject_what_is_not_built_as_its_version_says(
        self, open_desk: Callable[..., Desk]
    ) -> None:
        desk = open_desk(channels=[{"name": "adt", "structure": "reject"}])
        assert told(await desk.hl7(adt("C1"))) == ("AA", "C1")
        reply = await desk.hl7(adt("C2").partition(b"\rPV1")[0] + b"\r")
        assert told(reply) == ("AE", "C2")
        assert b"ERR||PV1^1|100^" in (reply.acknowledgment or b"")
        assert desk.kept()[1].status is Status.REJECTED
        await desk.store.close()


class TestBatch:
    HEAD = b"BHS|^~\\&|HIS|LOTUS|||||||BATCH-1\r"

    async def test_each_message_has_its_own_outcome_and_one_batch_answers(self, desk: Desk) -> None:
        messages = [adt(f"C{n}") for n in range(100)]
        wrong = adt("", kind="ADT^A04")
        reply = await desk.hl7(self.HEAD + b"".join([*messages, wrong]) + b"BTS|101\r")
        assert not reply.close
        assert reply.acknowledgment is not None
        assert reply.acknowledgment.startswith(b"BHS|")
        assert reply.acknowledgment.count(b"MSA|AA|") == 100
        assert reply.acknowledgment.count(b"MSA|AE|") == 1
        assert reply.acknowledgment.endswith(b"BTS|101\r")
        kept = desk.store.read(lambda view: view.messages(limit=200))[::-1]
        assert [each.message.control_id for each in kept] == [*(f"C{n}" for n in range(100)), ""]

    async def test_a_batch_sent_again_gets_the_same_answers(self, desk: Desk) -> None:
        body = self.HEAD + adt("C1") + b"BTS|1\r"
        first, again = await desk.hl7(body), await desk.hl7(body)
        assert first.acknowledgment is not None
        assert again.acknowledgment is not None
        cut = first.acknowledgment.index(b"MSH")
        assert first.acknowledgment[cut:] == again.acknowledgment[cut:]
        assert len(desk.kept()) == 1

    async def test_a_wrong_count_takes_what_came_and_leaves_a_trace(self, desk: Desk) -> None:
        reply = await desk.hl7(self.HEAD + adt("C1") + b"BTS|2\r")
        assert reply.acknowledgment is not None
        assert b"BTS|1|BTS[1]-1 says 2 messages, 1 came\r" in reply.acknowledgment
        assert (len(desk.kept()), desk.quarantined) == (1, 1)

    @pytest.mark.parametrize("text", [b"", b"PID|1||9\rPV1|1\r", b"notes\rBTS|0\rBHS|x\rmore\r"])
    async def test_a_frame_without_a_message_leaves_one_trace(
        self, desk: Desk, text: bytes
    ) -> None:
        frame = self.HEAD + text + b"BTS|2\r"
        reply = await desk.hl7(frame)
        assert reply.acknowledgment is not None
        assert b"\rMSA|" not in reply.acknowledgment
        (trace,) = desk.store.read(lambda view: view.quarantined(9))
        assert trace.reason.endswith("says 2 messages, 0 came; holds no message")
        assert (trace.head, desk.kept()) == (frame, [])

    async def test_where_no_message_wants_an_answer_none_is_sent(self, desk: Desk) -> None:
        assert await desk.hl7(self.HEAD + adt(msh_end="|||NE|NE")) == Reply(None)


class TestLater:
    """What MSH-16 asks for in enhanced mode is owed after the commit."""

    async def owed(self, desk: Desk, msh_end: str, **more: Any) -> Owing | None:
        self.reply = await desk.hl7(adt(msh_end=msh_end, **more))
        row = desk.store.read(lambda view: view.acknowledgment(desk.kept()[-1].id))
        return None if row is None else row.owing

    async def test_the_commit_comes_first_and_the_answer_is_owed(self, desk: Desk) -> None:
        assert await self.owed(desk, "|||AL|AL") == Owing(
            "AL", "translation", "same/default/HIS|LOTUS"
        )
        assert told(self.reply) == ("CA", "C1")
        assert self.reply.owes == (Owed(1, "same/default/HIS|LOTUS"),)

    @pytest.mark.parametrize("msh_end", ["", "|||AL|NE", "|||AL|", "|||NE|AL", "|||NE|NE"])
    async def test_who_does_not_ask_is_owed_none(self, desk: Desk, msh_end: str) -> None:
        assert await self.owed(desk, msh_end) is None
        assert self.reply.owes == ()

    async def test_a_refused_message_is_owed_none(self, desk: Desk) -> None:
        assert await self.owed(desk, "|||AL|AL", version="3.0") is None
        assert told(self.reply) == ("CR", "C1")
        assert self.reply.owes == ()

    async def test_a_duplicate_is_answered_where_it_came_from(self, desk: Desk) -> None:
        first = await desk.hl7(adt(msh_end="|||AL|AL"))
        assert await desk.hl7(adt(msh_end="|||AL|AL")) == first

    async def test_each_message_of_a_batch_is_owed_its_own(self, desk: Desk) -> None:
        body = b"BHS|^~\\&|HIS|LOTUS\r" + adt("C1", msh_end="|||AL|AL")
        reply = await desk.hl7(body + adt("C2") + adt("C3", msh_end="|||NE|SU") + b"BTS|3\r")
        assert [each.message_id for each in reply.owes] == [1]
        assert reply.acknowledgment is not None
        assert [reply.acknowledgment.count(b"MSA|%s|" % code) for code in (b"CA", b"AA")] == [1, 2]

    async def test_a_channel_names_the_time_and_the_place(
        self, open_desk: Callable[..., Desk]
    ) -> None:
        chosen = {"after": "delivery", "to": "10.1.2.3:2600"}
        desk = open_desk(channels=[{"name": "adt", "application_acknowledgment": chosen}])
        assert await self.owed(desk, "|||AL|ER") == Owing("ER", "delivery", "10.1.2.3:2600")
        assert (told(self.reply), self.reply.owes) == (("CA", "C1"), ())
        assert await self.owed(desk, "|||NE|AL") == Owing("AL", "delivery", "10.1.2.3:2600")
        assert self.reply.acknowledgment is None
        await desk.store.close()

    async def test_a_channel_may_send_none(self, open_desk: Callable[..., Desk]) -> None:
        chosen = {"after": "never"}
        desk = open_desk(channels=[{"name": "adt", "application_acknowledgment": chosen}])
        assert await self.owed(desk, "|||AL|AL") is None
        assert told(self.reply) == ("CA", "C1")
        assert await self.owed(desk, "|||NE|AL") is None
        assert told(self.reply) == ("AA", "C1")
        await desk.store.close()
