"""On a message's way its MSH is scanned once and its body decoded once, and once more to translate.

Counted is what Python really calls, on every thread: each header that a scan returns, and each
`bytes.decode` of something as long as the message.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

import pytest

from bridge.hl7v2 import header
from bridge.hl7v2.framing import Frame, Framer, wrap
from bridge.pipeline.planning.translate import Rehearsal, translate
from bridge.settings import Channel
from tests.unit.pipeline.desk import Desk
from tests.unit.pipeline.hl7 import adt, message
from tests.unit.pipeline.planning.test_work import MAPPINGS

SCAN = header.scan.__code__
#: bytes that a message of these tests is longer than, and its MSH shorter
LONG = 150
PLAIN = adt()
LATIN = adt(name="Rosé^André").decode().encode("latin-1")
DECLARED = adt(msh_end="||||||UNICODE UTF-8", name="नायर^मीरा")
WITH_MSH_IN_TEXT = adt(name="MSHRI^Meera")
BATCH = b"BHS|^~\\&|HIS|LOTUS\r" + adt("C1") + adt("C2") + b"BTS|2\r"
HEADLESS = adt("C1") + adt("C2") + adt("C3")


class Counts:
    """How often a header was scanned and a body decoded."""

    def __init__(self) -> None:
        self.scans = self.decodings = 0

    def note(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "return" and frame.f_code is SCAN:
            self.scans += called is not None
        is_decoding = event == "c_call" and called.__name__ == "decode"
        if is_decoding and isinstance(called.__self__, bytes):
            self.decodings += len(called.__self__) > LONG


@contextmanager
def counting() -> Iterator[Counts]:
    counts, before = Counts(), sys.getprofile()
    threading.setprofile(counts.note)
    sys.setprofile(counts.note)
    try:
        yield counts
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


async def taken(desk: Desk, text: bytes) -> Counts:
    """What it takes from the listener's frame to the acknowledgment."""
    with counting() as counts:
        (frame,) = Framer(1_000_000).feed(wrap(text))
        assert isinstance(frame, Frame)
        reply = await desk.hl7(frame.body)
    assert reply.acknowledgment is not None
    assert b"|AA|" in reply.acknowledgment
    return counts


@pytest.mark.parametrize("text", [PLAIN, DECLARED, WITH_MSH_IN_TEXT])
@pytest.mark.parametrize("structure", ["off", "warn"])
async def test_one_message_is_read_once(
    open_desk: Callable[..., Desk], text: bytes, structure: Literal["off", "warn"]
) -> None:
    desk = open_desk(channels=[Channel(name="adt", structure=structure)])
    counts = await taken(desk, text)
    await desk.store.close()
    assert (counts.scans, counts.decodings) == (1, 1)


async def test_what_is_not_utf_8_is_tried_as_utf_8_first(desk: Desk) -> None:
    counts = await taken(desk, LATIN)
    assert (counts.scans, counts.decodings) == (1, 2)


@pytest.mark.parametrize(("text", "number"), [(BATCH, 2), (HEADLESS, 3)])
async def test_each_message_of_a_frame_is_read_once(desk: Desk, text: bytes, number: int) -> None:
    counts = await taken(desk, text)
    assert (counts.scans, counts.decodings) == (number, number)


async def test_the_channel_is_found_by_the_same_header(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(
        channels=[
            Channel(name="lab", sending_application="LIS"),
            Channel(name="adt", sending_application="HIS", structure="reject"),
        ]
    )
    counts = await taken(desk, PLAIN)
    assert desk.kept()[0].message.channel == "adt"
    await desk.store.close()
    assert (counts.scans, counts.decodings) == (1, 1)


@pytest.mark.parametrize("text", [PLAIN, DECLARED])
def test_it_is_read_once_more_to_be_translated(desk: Desk, text: bytes) -> None:
    kept = message(text)
    with counting() as counts:
        made = translate(kept, MAPPINGS, desk.settings, Rehearsal())
    assert made is not None
    assert made.calls
    assert (counts.scans, counts.decodings) == (1, 1)
