"""The structure check of a channel: off, warn or reject, and never longer than its deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from bridge.hl7v2.grammar import check_structure
from bridge.message import Message, Protocol
from bridge.pipeline.intake.structure import Structure, structure_faults
from bridge.settings import Channel, Settings
from tests.patience import PATIENCE
from tests.unit.pipeline.desk import Desk, told
from tests.unit.pipeline.hl7 import adt

WARN = Channel(name="adt", structure="warn")
REJECT = Channel(name="adt", structure="reject")
#: PV1 is required, and PID-3 in PID
BAD = b"MSH|^~\\&|HIS|LOTUS|||20260102||ADT^A04^ADT_A01|1|P|2.5.1\rEVN||20260102\rPID|1\r"


async def test_a_fault_is_logged_without_values_where_the_channel_warns() -> None:
    with capture_logs() as logged:
        assert await Structure(check_structure).refusal(WARN, BAD) is None
    (entry,) = logged
    assert entry["event"] == "structure"
    assert (entry["location"], entry["count"] > 0) == ("PV1", True)


async def test_it_is_refused_where_the_channel_rejects() -> None:
    refusal = await Structure(check_structure).refusal(REJECT, BAD)
    assert refusal is not None
    assert not refusal.reject
    assert (refusal.error.location, refusal.error.code) == ("PV1", 100)


async def test_a_required_field_and_a_wrong_value_have_their_codes() -> None:
    for fault, code in (("PID-3 is empty; HL7 requires it.", 101), ("PID-7 is not a date.", 102)):
        refusal = await Structure(lambda _, fault=fault: [fault]).refusal(REJECT, BAD)  # type: ignore[misc]
        assert refusal is not None
        assert refusal.error.code == code


async def test_local_segments_are_no_fault() -> None:
    refusal = await Structure(check_structure).refusal(REJECT, BAD + b"ZPD|1\rPV1|1|O\r")
    assert refusal is not None
    assert refusal.error.location == "PID-3"


async def test_what_is_not_judged_in_time_is_taken_and_holds_nobody_up() -> None:
    let_go = threading.Event()

    def check(body: bytes) -> list[str]:
        let_go.wait(PATIENCE)
        return ["PV1 is missing."]

    structure = Structure(check, deadline=0.01)
    with capture_logs() as logged:
        assert await structure.refusal(REJECT, adt()) is None
        assert await structure.refusal(REJECT, adt()) is None
    let_go.set()
    assert [entry["event"] for entry in logged] == ["structure not checked in time"]


def kept(channel: str, protocol: Protocol = Protocol.HL7V2) -> Message:
    return Message(channel, protocol, "ADT^A04", "1", "HIS", "LOTUS", 0.0, BAD)


@pytest.mark.parametrize("channel", [WARN, REJECT])
def test_every_fault_of_a_kept_message_is_told_where_its_channel_asks(channel: Channel) -> None:
    settings = Settings(channels=(channel,))
    assert [fault.split(" ")[0] for fault in structure_faults(kept("adt"), settings)] == [
        "PV1",
        "PID-3",
        "PID-5",
    ]
    assert structure_faults(kept("another"), settings) == []


def test_only_hl7_has_a_structure_to_check() -> None:
    settings = Settings(channels=(Channel(name="fhir", listener="fhir", structure="warn"),))
    assert structure_faults(kept("fhir", Protocol.FHIR), settings) == []


async def test_a_message_is_judged_in_its_own_charset(open_desk: Callable[..., Desk]) -> None:
    """The second byte of 亅 is the field separator in GB 18030."""
    declared = adt("C1", name="亅^亅", msh_end="||||||GB 18030-2000").decode().encode("gb18030")
    desk = open_desk(channels=[REJECT])
    assert told(await desk.hl7(declared)) == ("AA", "C1")
    assert told(await desk.hl7(b"\xef\xbb\xbf" + adt("C2"))) == ("AA", "C2")
    whole = desk.store.read(lambda view: view.message(desk.kept()[-1].id))
    await desk.store.close()
    assert whole is not None
    assert structure_faults(whole.message, desk.settings) == []
