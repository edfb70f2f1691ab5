"""Minimal Lower Layer Protocol, release 1: `<VT> message <FS> <CR>`, without sockets.

The blocks are those of HL7's transport specification (MLLP release 1, appendix C.4). What
release 2 adds, the transport's own `<VT> <ACK> <FS> <CR>` and `<NAK>`, is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

VT, FS, CR = b"\x0b", b"\x1c", b"\r"
_TRANSPORT_BLOCKS = (b"\x06", b"\x15")
#: bytes kept of what cannot be used, for quarantine
HEAD = 4096


@dataclass(frozen=True, slots=True)
class Frame:
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

    __slots__ = ("_dropping", "_held", "_inside", "_max_frame")

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self._held = bytearray()
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

    def feed(self, data: bytes) -> list[Frame | Junk | Oversize]:
        """What these bytes bring to an end."""
        found: list[Found] = []
        *ended, rest = data.split(FS)
        for run in ended:
            self._take(run, found)
            self._close(found)
        self._take(rest, found)
        return found

    def finish(self) -> list[Junk]:
        """What was begun and never ended, when the stream is over."""
        left: list[Found] = []
        self._discard(left)
        self._inside = self._dropping = False
        return [junk for junk in left if isinstance(junk, Junk)]

    def _take(self, run: bytes, found: list[Found]) -> None:
        before, *opened = run.split(VT)
        self._add(before, found)
        for part in opened:
            self._discard(found)
            self._inside, self._dropping = True, False
            self._add(part, found)

    def _add(self, part: bytes, found: list[Found]) -> None:
        if self._dropping or not part:
            return
        if self._inside:
            self._add_inside(part, found)
        else:
            self._add_outside(part, found)

    def _add_inside(self, part: bytes, found: list[Found]) -> None:
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
        if not self._inside:
            self._discard(found)
        elif not self._dropping:
            body = bytes(self._held)
            self._held.clear()
            if body not in _TRANSPORT_BLOCKS:
                found.append(Frame(body))
        self._inside = self._dropping = False

    def _discard(self, found: list[Found]) -> None:
        if self._held:
            found.append(Junk(bytes(self._held[:HEAD]), len(self._held)))
            self._held = bytearray()


def wrap(body: bytes) -> bytes:
    """A message as one block."""
    return VT + body + FS + CR
