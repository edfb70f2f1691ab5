"""Minimal Lower Layer Protocol, release 1: `<VT> message <FS> <CR>`, without sockets.

The blocks are those of HL7's transport specification (MLLP release 1, appendix C.4). What
release 2 adds, the transport's own `<VT> <ACK> <FS> <CR>` and `<NAK>`, is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

VT, FS, CR = b"\x0b", b"\x1c", b"\r"
_END = FS + CR
_TRANSPORT_BLOCKS = (b"\x06", b"\x15")
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

    #: what stood between VT and FS
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


class Framer:
    """Cuts a stream of bytes into frames; how the stream is chunked makes no difference.

    Each byte is looked at a fixed number of times, whatever the sender does. A frame ends at FS
    whether or not CR follows. Line ends between frames are nothing to report.
    """

    __slots__ = ("_dropping", "_held", "_inside", "_max_frame", "_undecided")

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self._held = bytearray()
        #: the end of what was fed, from a VT on that may begin a frame inside the frame
        self._undecided = b""
        self._inside = False
        self._dropping = False

    @property
    def inside(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return self._inside

    @property
    def partial(self) -> bool:
        """Whether something has begun that has not ended: a frame, or bytes outside one."""
        return self._inside or bool(self._held)

    @property
    def held(self) -> int:
        """Bytes kept of what has not ended."""
        return len(self._held) + len(self._undecided)

    def feed(self, data: bytes) -> list[Found]:
        """What these bytes bring to an end."""
        return self._one_frame(data) or self._cut(data)

    def finish(self) -> list[Junk]:
        """What was begun and never ended, when the stream is over."""
        left: list[Found] = []
        if not self._dropping:
            self._held += self._undecided
        self._undecided = b""
        self._discard(left)
        self._inside = self._dropping = False
        return [junk for junk in left if isinstance(junk, Junk)]

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
        if self._held or data[at:end] not in (b"", CR):
            for number, part in enumerate(data[at:end].split(FS)):
                if number:
                    self._discard(found)
                self._add_outside(part, found)
        if begin < 0:
            return end
        self._begin(found)
        return begin + 1

    def _inner(self, data: bytes, at: int, found: list[Found]) -> int:
        """Take what belongs to the frame under way; returns where that ends."""
        end = data.find(FS, at)
        stop = end if end >= 0 else len(data)
        if data.find(VT, at, stop) >= 0:
            return self._inner_with_vt(data, at, stop, found)
        if end >= 0 and not self._held and not self._dropping and stop - at <= self._max_frame:
            self._inside = False
            self._whole(data[at:stop], found)
        else:
            self._add(data[at:stop] if at or end >= 0 else data, found)
            if end >= 0:
                self._close(found)
        return stop + 1

    def _inner_with_vt(self, data: bytes, at: int, stop: int, found: list[Found]) -> int:
        """The same, where another frame may begin before this one has ended."""
        ended = stop < len(data)
        if not ended:
            undecided = _UNDECIDED.search(data, max(at, stop - _LOOK_AHEAD))
            stop = undecided.start() if undecided else stop
            self._undecided = data[stop:]
        for again in _AGAIN.finditer(data, at):
            if again.start() >= stop:
                break
            self._add(data[at : again.start()], found)
            self._begin(found)
            at = again.end()
        self._add(data[at:stop], found)
        if ended:
            self._close(found)
        return stop + 1 if ended else len(data)

    def _begin(self, found: list[Found]) -> None:
        self._discard(found)
        self._inside, self._dropping = True, False

    def _add(self, part: bytes, found: list[Found]) -> None:
        if self._dropping:
            return
        if len(self._held) + len(part) <= self._max_frame:
            self._held += part
            return
        head = (bytes(self._held[:HEAD]) + part[:HEAD])[: min(HEAD, self._max_frame + 1)]
        found.append(Oversize(head, self._max_frame + 1))
        self._held = bytearray()
        self._dropping = True

    def _add_outside(self, part: bytes, found: list[Found]) -> None:
        self._held += part if self._held else part.lstrip(b"\r\n")
        while len(self._held) >= HEAD:
            found.append(Junk(bytes(self._held[:HEAD]), HEAD))
            del self._held[:HEAD]

    def _close(self, found: list[Found]) -> None:
        if not self._dropping:
            body = bytes(self._held)
            self._held = bytearray()
            self._whole(body, found)
        self._inside = self._dropping = False

    def _whole(self, body: bytes, found: list[Found]) -> None:
        if body not in _TRANSPORT_BLOCKS:
            found.append(Frame(body))

    def _discard(self, found: list[Found]) -> None:
        if self._held:
            found.append(Junk(bytes(self._held[:HEAD]), len(self._held)))
            self._held = bytearray()


def wrap(body: bytes) -> bytes:
    """A message as one block."""
    return VT + body + _END
