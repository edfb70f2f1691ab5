"""How fast a byte stream is cut into MLLP frames: `python bench/frame.py`."""

from __future__ import annotations

import time
from collections.abc import Callable

from bridge import logs
from bridge.hl7v2.framing import FS, VT, Frame, Framer, wrap

READ = 64 * 1024
MIB = 1024 * 1024
CAP = 16 * MIB


def main() -> None:
    """Measure each stream five times and print the best as a table."""
    streams = {
        "32,000 frames of 1 KB": (wrap(b"x" * 1024) * 32_000, READ, 32_000),
        "2 frames of 16 MiB": (wrap(b"x" * CAP) * 2, READ, 2),
        "1 frame of 1 MiB, byte by byte": (wrap(b"x" * MIB), 1, 1),
        "1 MiB of nothing but VT": (VT * MIB, READ, 0),
        "1 frame of 1 MiB of FS": (wrap(FS * MIB), READ, 1),
        "16 MiB of junk": (b"x" * CAP, READ, 0),
    }
    print(f"{'stream, in reads of 64 KB':34} {'ms':>8} {'MB/s':>8} {'µs a frame':>12}")
    for name, (stream, read, frames) in streams.items():
        seconds = best(lambda stream=stream, read=read: count(stream, read))
        assert count(stream, read) == frames
        each = f"{seconds / frames * 1e6:.2f}" if frames else ""
        print(f"{name:34} {seconds * 1e3:8.1f} {len(stream) / seconds / 1e6:8.0f} {each:>12}")


def count(stream: bytes, read: int) -> int:
    """Feed a stream in reads of a size and count the frames."""
    framer = Framer(CAP)
    pieces = (stream[at : at + read] for at in range(0, len(stream), read))
    return sum(isinstance(found, Frame) for piece in pieces for found in framer.feed(piece))


def best(measured: Callable[[], object]) -> float:
    """Seconds of the fastest of five runs."""
    runs = []
    for _ in range(5):
        begun = time.perf_counter()
        measured()
        runs.append(time.perf_counter() - begun)
    return min(runs)


if __name__ == "__main__":
    logs.configure("WARNING")
    main()
