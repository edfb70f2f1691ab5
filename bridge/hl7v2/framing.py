"""Minimal Lower Layer Protocol, release 1: `<VT> message <FS> <CR>`, without sockets.

The blocks are those of HL7's transport specification (MLLP release 1, appendix C.4). What
release 2 adds, the transport's own `<VT> <ACK> <FS> <CR>` and `<NAK>`, is passed over.

An FS ends its frame only where CR, LF or VT follows, or nothing: word processors leave FS in
texts too, and senders without the CR exist. Of several FS in a row the last one ends the frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

VT, FS, CR = b"\x0b", b"\x1c", b"\r"
_END = FS + CR
_TRANSPORT_BLOCKS = (b"\x06", b"\x15")
#: what follows an FS that ends a frame
_FOLLOWERS = (CR, b"\n", VT)
#: such an FS
_ENDING = re.compile(rb"\x1c(?=[\r\n\x0b])")
#: bytes kept of what cannot be used, for quarantine
HEAD = 4096

#: a VT inside a frame that begins another: before what a message or batch begins with, or a block
#: of release 2. Any other is text: word processors end lines with it, and people paste from them
_AGAIN = re.compile(rb"\x0b(?=(?:\xef\xbb\xbf)?(?:MSH|FHS|BHS)|[\x06\x15])")
#: a VT, with whether it begins another frame still to come
_UNDECIDED = re.compile(rb"\x0b(?:(?:\xef\xbb\xbf)?(?:MS?|[FB]H?)?|\xef\xbb?)\Z")
#: bytes by which an undecided VT can stand before the end
_LOOK_AHEAD = 6


class Frame(NamedTuple):
    """One whole block."""

    #: what stood between VT and the FS that ended it
    body: bytes


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that belong to no whole frame: outside any, or in one that was begun again.

    What stands outside frames is reported when a frame begins, and every 4,096 bytes.
    """

    head: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Oversize:
    """A frame over the cap, reported the moment it is over; its remaining bytes are dropped."""

    head: bytes
    #: bytes read when it was given up: the cap and one more
    size: int


Found: TypeAlias = Frame | Junk | Oversize


class _Held:
    """The bytes kept of what has not ended, never more than a frame may have."""

    __slots__ = ("_max_frame", "data", "dropping")

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self.data = bytearray()
        #: the frame was over the cap: its remaining bytes are not kept
        self.dropping = False

    def add(self, part: bytes, found: list[Found]) -> None:
        """Keep bytes of a frame; one over the cap is reported, and given up."""
        if self.dropping:
            return
        if len(self.data) + len(part) <= self._max_frame:
            self.data += part
            return
        head = (bytes(self.data[:HEAD]) + part[:HEAD])[: min(HEAD, self._max_frame + 1)]
        found.append(Oversize(head, self._max_frame + 1))
        self.data, self.dropping = bytearray(), True

    def add_outside(self, part: bytes, found: list[Found]) -> None:
        """Keep bytes that stand outside any frame."""
        self.data += part if self.data else part.lstrip(b"\r\n")
        while len(self.data) >= HEAD:
            found.append(Junk(bytes(self.data[:HEAD]), HEAD))
            del self.data[:HEAD]

    def close(self, found: list[Found]) -> None:
        """Report what is held as a whole frame."""
        if not self.dropping:
            found += _frame(bytes(self.data))
        self.data, self.dropping = bytearray(), False

    def discard(self, found: list[Found]) -> None:
        """Report it as what belongs to none."""
        if self.data:
            found.append(Junk(bytes(self.data[:HEAD]), len(self.data)))
        self.data, self.dropping = bytearray(), False


class Framer:
    """Cuts a stream of bytes into frames; how the stream is chunked makes no difference.

    Each byte is looked at a fixed number of times, whatever the sender does. Line ends between
    frames are nothing to report. It has no clock: where `fs_last`, whoever feeds it decides how
    long to wait for what follows, and calls `end_at_fs`.
    """

    __slots__ = ("_held", "_inside", "_max_frame", "_undecided")

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self._held = _Held(max_frame)
        #: the end of what was fed: an FS that may end the frame, or what begins with a VT that may
        #: begin another inside it
        self._undecided = b""
        self._inside = False

    @property
    def inside(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return self._inside

    @property
    def fs_last(self) -> bool:
        """Whether a frame is under way that ends with an FS: it has ended if nothing follows."""
        return self._undecided == FS

    @property
    def partial(self) -> bool:
        """Whether something has begun that has not ended: a frame, or bytes outside one."""
        return self._inside or bool(self._held.data)

    @property
    def held(self) -> int:
        """Bytes kept of what has not ended."""
        return len(self._held.data) + len(self._undecided)

    def feed(self, data: bytes) -> list[Found]:
        """What these bytes bring to an end."""
        return self._one_frame(data) or self._cut(data)

    def end_at_fs(self) -> list[Found]:
        """The frame whose last byte is an FS, where nothing followed it in time."""
        found: list[Found] = []
        if self.fs_last:
            self._undecided = b""
            self._end_frame(found)
        return found

    def finish(self) -> list[Found]:
        """What the end of the stream leaves: a frame that ends with FS, or what never ended."""
        found = self.end_at_fs()
        if not self._held.dropping:
            self._held.data += self._undecided
        self._undecided = b""
        self._held.discard(found)
        self._inside = False
        return found

    def _one_frame(self, data: bytes) -> list[Found]:
        """The frame that these bytes are, where they are one and nothing else: most reads are."""
        if self.partial or not (data.startswith(VT) and data.endswith(_END)):
            return []
        body = data[1:-2]
        if not 1 < len(body) <= self._max_frame or VT in body or FS in body:
            return []
        return [Frame(body)]

    def _cut(self, data: bytes) -> list[Found]:
        found: list[Found] = []
        at = 0
        if self._undecided:
            data, self._undecided = self._undecided + data, b""
        while at < len(data):
            at = self._inner(data, at, found) if self._inside else self._outer(data, at, found)
        return found

    def _outer(self, data: bytes, at: int, found: list[Found]) -> int:
        """Take what stands before the next frame; returns where that begins."""
        begin = data.find(VT, at)
        end = begin if begin >= 0 else len(data)
        # FS and CR is all that stands between the frames of most senders
        if self._held.data or data[at:end] not in (b"", CR):
            for number, part in enumerate(data[at:end].split(FS)):
                if number:
                    self._held.discard(found)
                self._held.add_outside(part, found)
        if begin < 0:
            return end
        self._begin(found)
        return begin + 1

    def _inner(self, data: bytes, at: int, found: list[Found]) -> int:
        """Take what belongs to the frame under way; returns where that ends."""
        end = _end(data, at)
        stop = end
        if end < 0:
            stop = len(data) - data.endswith(FS)
            self._undecided = data[stop:]
        if data.find(VT, at, stop) >= 0:
            at = self._begun_again(data, at, stop, found)
            stop = len(data) - len(self._undecided) if end < 0 else end
        fits = 0 <= end <= at + self._max_frame
        if fits and not self._held.data and not self._held.dropping:
            self._inside = False
            found += _frame(data[at:end])
            return end + 1
        self._held.add(data[at:stop] if at or stop < len(data) else data, found)
        if end < 0:
            return len(data)
        self._end_frame(found)
        return end + 1

    def _begun_again(self, data: bytes, at: int, stop: int, found: list[Found]) -> int:
        """Begin the frames that begin before this one has ended; returns where the last does."""
        if stop == len(data):
            undecided = _UNDECIDED.search(data, max(at, stop - _LOOK_AHEAD))
            stop = undecided.start() if undecided else stop
            self._undecided = data[stop:]
        for again in _AGAIN.finditer(data, at):
            if again.start() >= stop:
                break
            self._held.add(data[at : again.start()], found)
            self._begin(found)
            at = again.end()
        return at

    def _begin(self, found: list[Found]) -> None:
        self._held.discard(found)
        self._inside = True

    def _end_frame(self, found: list[Found]) -> None:
        self._held.close(found)
        self._inside = False


def _frame(body: bytes) -> list[Found]:
    """The frame of a body, unless that is a block of the transport's own."""
    return [] if body in _TRANSPORT_BLOCKS else [Frame(body)]


def _end(data: bytes, at: int) -> int:
    """Where the FS stands that ends a frame, -1 where none does yet."""
    end = data.find(FS, at)
    if end < 0 or data[end + 1 : end + 2] in _FOLLOWERS:
        return end
    ending = _ENDING.search(data, end)
    return ending.start() if ending else -1


def wrap(body: bytes) -> bytes:
    """A message as one block."""
    return VT + body + _END
