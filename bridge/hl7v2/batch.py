"""Files of messages: one, several one after the other, or a batch (chapter 2.10.3)."""

from __future__ import annotations

import re
from itertools import dropwhile

from bridge.hl7v2 import charset, segments
from bridge.hl7v2.framing import FS, VT

_BATCH = (b"FHS", b"BHS")
#: MSH at the beginning of a line, and a separator after it
_BEGIN = re.compile(rb"(?:\A|(?<=[\r\n]))MSH(?=[^\sA-Za-z0-9])")


def split(data: bytes) -> list[bytes]:
    """The messages of a file, in order.

    A file of one message is that message, but for a byte order mark. Of several, each is what
    stands from its MSH to the next; of a captured connection, what stands in its frames. Batch
    headers and trailers are dropped. UTF-16 and UTF-32 become UTF-8. What has no message in it
    comes back whole, for the receiver to judge.
    """
    data = charset.narrowed(data).removeprefix(segments.UTF8_BOM)
    if is_framed(data):
        return [message for body in framed(data) for message in split(body)] or [data]
    if data.lstrip().startswith(_BATCH):
        return _of_batch(data) or [data]
    begins = [match.start() for match in _BEGIN.finditer(data)]
    ends = [*begins[1:], len(data)]
    return [data[at:end] for at, end in zip(begins, ends, strict=False)] or [data]


def is_framed(data: bytes) -> bool:
    """Whether a file is a captured connection, with its frames."""
    return data.lstrip(b"\r\n ").startswith(VT)


def framed(data: bytes) -> list[bytes]:
    """What stands in the frames of a capture, the last of which may not have ended."""
    bodies = (block.partition(FS)[0] for block in data.split(VT))
    return [body for body in bodies if body.strip()]


def _of_batch(data: bytes) -> list[bytes]:
    # Loaded here: python-hl7 takes longer to import than everything else a replay needs.
    import hl7

    # One character a byte, so that what comes out has the bytes that went in. Ends are made
    # carriage returns first, for the library takes a batch with line feeds for one segment; and
    # what stands before the first MSH is left out, for the library writes it to its log.
    text = data.decode("latin-1").lstrip()
    lines = segments.split(text, text[3:4])
    messages = "\r".join(dropwhile(lambda line: not line.startswith("MSH"), lines))
    found = hl7.split_file(messages) if messages else []
    return [message.encode("latin-1") for message in found]
