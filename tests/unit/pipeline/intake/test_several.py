"""Several messages in one frame: each is kept on its own, and one frame answers them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import StoreBusy
from bridge.hl7v2 import ack
from bridge.hl7v2.batches import read
from bridge.message import Reply, Status
from bridge.pipeline.intake.keep import Intake
from bridge.store.records import Keeping, Kept
from tests.unit.pipeline.desk import Desk, told
from tests.unit.pipeline.hl7 import adt

ENDS = [b"\r", b"\n", b"\r\n"]
BHS = b"BHS|^~\\&|HIS|LOTUS|||||||B1\r"


def answers(reply: Reply) -> list[tuple[str, str]]:
    """MSA-1 and MSA-2 of each acknowledgment of a frame."""
    assert reply.acknowledgment is not None
    batches = read(reply.acknowledgment).batches
    found = [ack.read(each) for batch in batches for each in batch.messages]
    return [(each.code, each.control_id) for each in found]


def kept(desk: Desk) -> list[tuple[str, Status]]:
    return [(each.message.control_id, each.status) for each in desk.kept()]


def other(body: bytes) -> bytes:
    """The same message of another facility."""
    return body.replace(b"|LOTUS|", b"|ROSE|", 1)


@pytest.mark.parametrize("end", ENDS)
async def test_each_message_is_kept_and_answered_in_its_place(desk: Desk, end: bytes) -> None:
    bodies = [adt(f"C{n}", patient=str(n)).replace(b"\r", end) for n in range(3)]
    reply = await desk.hl7(b"".join(bodies))
    assert answers(reply) == [("AA", "C0"), ("AA", "C1"), ("AA", "C2")]
    assert not reply.close
    assert [await stored(desk, n) for n in range(3)] == bodies
    assert desk.quarantined == 0


async def stored(desk: Desk, index: int) -> bytes:
    number = desk.kept()[index].id
    whole = desk.store.read(lambda view: view.message(number))
    assert whole is not None
    return whole.message.body


@pytest.mark.parametrize("frame", [adt("C1") + adt("C2"), adt("C1") + adt("C2") + b"BTS|2\r"])
async def test_the_same_frame_again_is_answered_as_before(desk: Desk, frame: bytes) -> None:
    first = await desk.hl7(frame)
    desk.clock.now += 3600
    assert await desk.hl7(frame) == first
    assert [each.duplicates for each in desk.kept()] == [1, 1]


async def test_the_same_message_twice_in_a_frame_is_a_duplicate(desk: Desk) -> None:
    assert answers(await desk.hl7(adt("C1") * 2)) == [("AA", "C1"), ("AA", "C1")]
    assert [each.duplicates for each in desk.kept()] == [1]


async def test_nothing_is_answered_before_all_are_kept(desk: Desk) -> None:
    class Full:
        """A store that is full after the first message."""

        def __init__(self) -> None:
            self.count = 0

        async def keep(self, keeping: Keeping) -> Kept:
            self.count += 1
            if self.count > 1:
                raise StoreBusy("the disk is full")
            return await desk.store.keep(keeping)

    intake: Intake = desk.made(Full())  # type: ignore[arg-type]
    frame = adt("C1") + adt("C2")
    with pytest.raises(StoreBusy):
        await intake.take_hl7(desk.settings.channels[0], frame, "a peer")
    assert answers(await desk.hl7(frame)) == [("AA", "C1"), ("AA", "C2")]
    assert [each.duplicates for each in desk.kept()] == [1, 0]


@pytest.mark.parametrize(
    ("first", "second", "codes", "statuses"),
    [
        ({"kind": "ORU^R01"}, {}, "AA AA", "unmapped waiting"),
        ({}, {"kind": "ORU^R01"}, "AA AA", "waiting unmapped"),
        ({"version": "3.0"}, {}, "AR AA", "rejected waiting"),
        ({}, {"version": "3.0"}, "AA AR", "waiting rejected"),
        ({"msh_end": "|||AL|NE"}, {}, "CA AA", "waiting waiting"),
        ({"msh_end": "|||AL|NE"}, {"msh_end": "|||AL|AL"}, "CA CA", "waiting waiting"),
        ({"msh_end": "|||ER|NE"}, {"version": "3.0", "msh_end": "|||ER|NE"}, "CR", ""),
    ],
)
async def test_each_message_has_its_own_outcome(
    desk: Desk, first: dict[str, Any], second: dict[str, Any], codes: str, statuses: str
) -> None:
    reply = await desk.hl7(adt("C1", **first) + adt("C2", **second))
    assert [code for code, _ in answers(reply)] == codes.split()
    if statuses:
        assert [status for _, status in kept(desk)] == statuses.split()


async def test_a_message_whose_bytes_are_not_of_its_charset_costs_only_itself(desk: Desk) -> None:
    end = "||||||UNICODE UTF-8"
    wrong = adt("C2", msh_end=end).replace(b"Nair", b"N\xe4r")
    reply = await desk.hl7(adt("C1", msh_end=end) + wrong + adt("C3", msh_end=end))
    assert answers(reply) == [("AA", "C1"), ("AE", "C2"), ("AA", "C3")]


async def test_where_no_message_wants_an_answer_none_is_sent(desk: Desk) -> None:
    silent = {"msh_end": "|||NE|NE"}
    assert await desk.hl7(adt("C1", **silent) + adt("C2", **silent)) == Reply(None)
    assert answers(await desk.hl7(adt("C3", **silent) + adt("C4"))) == [("AA", "C4")]
    assert len(desk.kept()) == 4


async def test_each_is_owed_its_own_application_acknowledgment(desk: Desk) -> None:
    asking = {"msh_end": "|||AL|AL"}
    reply = await desk.hl7(adt("C1", **asking) + adt("C2") + adt("C3", **asking))
    assert [each.message_id for each in reply.owes] == [1, 3]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("trailer", "comment"),
    [
        ("BTS|2", ""),
        ("BTS", ""),
        ("BTS||checked", ""),
        (" BTS|2", ""),
        ("BTS|3", "BTS[1]-1 says 3 messages, 2 came"),
        ("BTS|1", "BTS[1]-1 says 1 messages, 2 came"),
    ],
)
async def test_a_batch_needs_no_header_and_its_count_is_checked(
    desk: Desk, trailer: str, comment: str, end: bytes
) -> None:
    frame = adt("C1") + adt("C2") + trailer.encode() + b"\r"
    reply = await desk.hl7(frame.replace(b"\r", end))
    assert [code for code, _ in answers(reply)] == ["AA", "AA"]
    assert reply.acknowledgment is not None
    last = reply.acknowledgment.decode().rstrip("\r").split("\r")[-1]
    assert last == ("BTS|2|" + comment).rstrip("|")
    assert (len(desk.kept()), desk.quarantined) == (2, bool(comment))


@pytest.mark.parametrize(
    "rest", [b"BTS|1\r", b"BTS\r", b"FTS|1\r", BHS, b"BTS|1\rNTE|1\r", b"FTS|x\rNTE|1\r"]
)
async def test_one_message_that_is_counted_right_is_no_batch(desk: Desk, rest: bytes) -> None:
    reply = await desk.hl7(adt("C1") + rest)
    assert told(reply) == ("AA", "C1")
    assert reply.acknowledgment is not None
    assert b"BTS" not in reply.acknowledgment
    assert await stored(desk, 0) == adt("C1") + rest
    assert desk.quarantined == 0


async def test_one_message_that_is_counted_wrong_is_reported(desk: Desk) -> None:
    reply = await desk.hl7(adt("C1") + b"BTS|2\r")
    assert reply.acknowledgment is not None
    assert reply.acknowledgment.endswith(b"BTS|1|BTS[1]-1 says 2 messages, 1 came\r")
    assert await stored(desk, 0) == adt("C1")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("msh_end", "code"), [("", b"AE"), ("|||AL|NE", b"CE")])
@pytest.mark.parametrize(
    "line", [b"MSH|^~\\&|HIS|LOTUS", b"MSH|2 of it", b"MSH", b"msh|^~\\&|HIS|LOTUS", b" MSH|x"]
)
async def test_a_line_that_begins_with_msh_and_begins_no_message_refuses_its_message(
    desk: Desk, line: bytes, msh_end: str, code: bytes, end: bytes
) -> None:
    frame = adt("C1", msh_end=msh_end) + line + b"\r" + adt("", visit="V2").partition(b"\r")[2]
    reply = await desk.hl7(frame.replace(b"\r", end))
    assert reply.acknowledgment is not None
    assert b"MSA|%s|C1" % code in reply.acknowledgment
    assert b"ERR||MSH^2|100^Segment sequence error^HL70357|E||||line 5 " in reply.acknowledgment
    assert kept(desk) == [("C1", Status.REJECTED)]
    assert desk.kept()[0].reason.startswith("MSH[2]: line 5 has an MSH")
    assert await stored(desk, 0) == frame.replace(b"\r", end)


async def test_old_versions_have_the_place_in_err_1(desk: Desk) -> None:
    reply = await desk.hl7(adt("C1", version="2.3") + b"MSH|x\r")
    assert b"ERR|MSH^2^^100&Segment sequence error" in (reply.acknowledgment or b"")


async def test_a_message_of_another_sender_refuses_the_one_it_stands_in(desk: Desk) -> None:
    reply = await desk.hl7(adt("C1") + adt("C2") + other(adt("C3")) + adt("C4"))
    assert answers(reply) == [("AA", "C1"), ("AE", "C2"), ("AA", "C4")]
    assert await stored(desk, 1) == adt("C2") + other(adt("C3"))


async def test_a_message_glued_to_the_last_line_is_refused(desk: Desk) -> None:
    reply = await desk.hl7(adt("C1").removesuffix(b"\r") + adt("C2"))
    assert answers(reply) == [("AE", "C1")]
    assert kept(desk) == [("C1", Status.REJECTED)]


async def test_a_refused_frame_is_judged_again(desk: Desk) -> None:
    frame = adt("C1") + other(adt("C2"))
    assert answers(await desk.hl7(frame)) == answers(await desk.hl7(frame)) == [("AE", "C1")]
    assert kept(desk) == [("C1", Status.REJECTED)] * 2


async def test_a_batch_may_hold_messages_of_several_senders(desk: Desk) -> None:
    reply = await desk.hl7(BHS + adt("C1") + other(adt("C2")) + adt("") + b"BTS|3\r")
    assert answers(reply) == [("AA", "C1"), ("AA", "C2"), ("AE", "")]
    assert desk.quarantined == 0


async def test_a_line_of_a_batch_that_begins_no_message_refuses_its_message(desk: Desk) -> None:
    reply = await desk.hl7(BHS + adt("C1") + b"MSH|2 of it\r" + adt("C2") + b"BTS|2\r")
    assert answers(reply) == [("AE", "C1"), ("AA", "C2")]


@pytest.mark.parametrize(
    ("frame", "strays"),
    [
        (BHS + b"PID|1||9\r" + adt("C1") + b"BTS|1\r", 1),
        (BHS + adt("C1") + b"BTS|1\rPID|1||9\r", 1),
        (b"FHS|^~\\&\r" + BHS + adt("C1") + b"BTS|1\rnotes\rFTS|1\rnotes\r", 2),
    ],
)
async def test_text_outside_of_messages_is_kept_in_quarantine(
    desk: Desk, frame: bytes, strays: int
) -> None:
    assert answers(await desk.hl7(frame)) == [("AA", "C1")]
    assert (kept(desk), desk.quarantined) == ([("C1", Status.WAITING)], strays)


async def test_a_frame_that_begins_with_something_else_is_no_message(desk: Desk) -> None:
    assert await desk.hl7(b"PID|1||9\r" + adt("C1") + adt("C2")) == Reply(None, close=True)
    assert (kept(desk), desk.quarantined) == ([], 1)


async def test_limits_hold_for_each_message(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(limits={"segments": 10})
    long = adt("C2") + b"NTE|1\r" * 10
    assert answers(await desk.hl7(adt("C1") + long + adt("C3"))) == [
        ("AA", "C1"),
        ("AR", "C2"),
        ("AA", "C3"),
    ]
    await desk.store.close()


async def test_each_message_is_of_the_channel_that_it_belongs_to(
    open_desk: Callable[..., Desk],
) -> None:
    channels = [{"name": "other", "sending_facility": "ROSE"}, {"name": "usual"}]
    desk = open_desk(channels=channels)
    await desk.hl7(other(adt("C1")) + other(adt("C2")), desk.settings.channels[1])
    assert [each.message.channel for each in desk.kept()] == ["other", "other"]
    await desk.store.close()


@pytest.mark.parametrize("name", [b"BTS", b"FTS", b"BHS", b"FHS"])
@pytest.mark.parametrize("behind", [b"", b"PV1|1|O\r"])
@pytest.mark.parametrize("head", [b"", BHS])
async def test_text_behind_a_line_feed_stays_in_its_message(
    desk: Desk, name: bytes, behind: bytes, head: bytes
) -> None:
    one = adt("C1") + b"NTE|1||counts\n" + name + b"|allergy: penicillin|x\r" + behind
    assert answers(await desk.hl7(head + one + adt("C2"))) == [("AA", "C1"), ("AA", "C2")]
    assert [await stored(desk, 0), await stored(desk, 1)] == [one, adt("C2")]
    assert desk.quarantined == 0


TINY = b"MSH|^~\\&|HIS|LOTUS|||2026||ADT^A04|C%d|P|2.5\r"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "frame",
    [
        adt("C1") + b"".join(TINY % n for n in range(2, 6)),
        BHS + adt("C1") + b"".join(TINY % n for n in range(2, 6)) + b"BTS|5\r",
        adt("C1") + b"MSH\r" * 4,
        adt("C1") + b"msh|\r" * 4,
        adt("C1") + b" MSH|x\r" * 4,
        adt("C1") + BHS * 5,
        adt("C1") + b"BTS|1\r" * 5,
        adt("C1") + b" FTS\r" * 5,
        BHS * 5 + adt("C1"),
        b"FHS|^~\\&\r" + (BHS + adt("C1") + b"BTS|1\r") * 2 + b"FTS|2\r",
    ],
)
@pytest.mark.parametrize(("msh_end", "code"), [("", "AR"), ("|||AL|NE", "CE")])
async def test_a_frame_of_too_many_messages_or_batch_lines_is_refused_whole(
    open_desk: Callable[..., Desk], frame: bytes, end: bytes, msh_end: str, code: str
) -> None:
    desk = open_desk(limits={"messages": 4})
    body = frame.replace(adt("C1"), adt("C1", msh_end=msh_end)).replace(b"\r", end)
    reply = await desk.hl7(body)
    assert (answers(reply), reply.close) == ([(code, "C1")], True)
    assert b"limits.messages" in (reply.acknowledgment or b"")
    assert (kept(desk), desk.quarantined) == ([], 1)
    await desk.store.close()


@pytest.mark.parametrize("frame", [BHS * 5, BHS + b"PID|1\r" + b"BTS\r" * 4, BHS + b"MSH\r" * 5])
async def test_a_frame_of_too_many_without_a_header_to_answer_is_kept_in_quarantine(
    open_desk: Callable[..., Desk], frame: bytes
) -> None:
    desk = open_desk(limits={"messages": 4})
    assert await desk.hl7(frame) == Reply(None, close=True)
    assert (kept(desk), desk.quarantined) == ([], 1)
    await desk.store.close()


@pytest.mark.parametrize(
    ("frame", "count"),
    [
        (b"".join(adt(f"C{n}") for n in range(4)), 4),
        (BHS + b"".join(adt(f"C{n}") for n in range(4)) + b"BTS|4\r", 4),
        (b"FHS|^~\\&\r" + BHS + adt("C1") + adt("C2") + b"BTS|2\rFTS|1\r", 2),
        (adt("C1") + b"NTE|1||MSH MSH MSH MSH BTS BTS BTS BTS BTS\r" + adt("C2"), 2),
    ],
)
async def test_as_many_as_the_limit_are_taken(
    open_desk: Callable[..., Desk], frame: bytes, count: int
) -> None:
    desk = open_desk(limits={"messages": 4})
    assert [code for code, _ in answers(await desk.hl7(frame))] == ["AA"] * count
    assert (len(desk.kept()), desk.quarantined) == (count, 0)
    await desk.store.close()
