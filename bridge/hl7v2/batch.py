"""Files of messages: one, several one after the other, or a batch (chapter 2.10.3)."""

from __future__ import annotations

from bridge.hl7v2 import batches, charset, segments
from bridge.hl7v2.beginnings import begins_message, may_be_several
from bridge.hl7v2.framing import FS, VT, Frame, Framer


def split(data: bytes) -> list[bytes]:
    """The messages of a file, in order, by the rule of a frame (see `beginnings`).

    A file of one message is that message, but for a byte order mark. Of a captured connection the
    frames are read. Batch headers and trailers are dropped. UTF-16 and UTF-32 become UTF-8. What
    stands outside of any message is a part of its own, for the receiver to judge.
    """
    return [part for body in _bodies(data) for part in _parts(body)] or [_plain(data)]


def miscounts(data: bytes) -> list[str]:
    """Where the batches of a file are counted wrong by their trailers, one sentence each."""
    files = [batches.read(body) for body in _bodies(data) if _may_be_batch(body)]
    return [told for file in files if not file.is_one_message for told in file.miscounts()]


def _parts(body: bytes) -> list[bytes]:
    file = batches.read(body)
    if begins_message(body) and file.is_one_message:
        return [body.lstrip()]
    return [item.body for item in file.items]


def _may_be_batch(body: bytes) -> bool:
    return may_be_several(body) or batches.is_batch(body)


def _bodies(data: bytes) -> list[bytes]:
    data = _plain(data)
    return _framed(data) if data.lstrip(b"\r\n ").startswith(VT) else [data]


def _plain(data: bytes) -> bytes:
    return charset.narrowed(data).removeprefix(segments.UTF8_BOM)


def _framed(data: bytes) -> list[bytes]:
    """What stands in the frames of a capture, the last of which may not have ended."""
    framer = Framer(len(data))
    found = [*framer.feed(data), *framer.end_at_fs()]
    if framer.inside:
        found += framer.feed(FS + b"\r")
    return [piece.body for piece in found if isinstance(piece, Frame) and piece.body.strip()]
