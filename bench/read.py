"""What the hot path costs a message of 1 KB: `python bench/read.py`."""

from __future__ import annotations

import timeit
from collections.abc import Callable

import hl7

from bridge import logs
from bridge.errors import LimitError
from bridge.hl7v2 import ack
from bridge.hl7v2.header import check_limits, scan
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document
from bridge.hl7v2.writer import write
from bridge.message import Acknowledgment
from bridge.settings import Limits

#: what a registration is usually mapped from
PATHS = (
    "MSH-3.1 MSH-4.1 MSH-9.2 MSH-10 EVN-2.1 PID-3[MR].1 PID-3.1 PID-3[1].4 PID-5 PID-5.1 PID-5.2 "
    "PID-7.1 PID-8.1 PID-11.1 PID-11.3 PID-13.1 PID-14.1 PID-40.1 NK1-2.1 NK1-5.1 PV1-2.1 PV1-7.1 "
    "PV1-7.2 PV1-19.1 PV1-44.1"
).split()
LIMITS = Limits()


def main() -> None:
    """Measure each step and print the best as a table."""
    message = registration()
    header, paths = scan(message), [parse(path) for path in PATHS]
    positive = Acknowledgment("AA", header.control_id)
    text = message.decode()

    def read() -> None:
        document = Hl7Document(message, header)
        for path in paths:
            document.values(path)

    print(f"message of {len(message)} bytes, {len(paths)} fields\n")
    show("header.scan", lambda: scan(message))
    show("header.check_limits", lambda: check_limits(message, LIMITS))
    show("Hl7Document and all fields", read)
    show("ack.write, positive", lambda: ack.write(positive, header, at=0.0, control_id="B1"))
    show("hl7.parse of python-hl7", lambda: hl7.parse(text))
    print("\nrefusals, in ms")
    for name, body in hostile().items():
        print(f"{name:34} {best(lambda body=body: refuse(body), 3) * 1e3:8.2f}")


def registration() -> bytes:
    """An ADT^A04 of an invented person."""
    segments = [
        ("MSH", {"3": "HIS", "4": "WARD", "5": "ZAUTO", "7": "20260102030405", "9.1": "ADT"}),
        ("EVN", {"2": "20260102030405"}),
        ("PID", {"1": "1", "3.1": "1004217", "3.4": "HOSP", "3.5": "MR", "3[2].1": "88231"}),
        ("NK1", {"1": "1", "2.1": "Kulkarni", "2.2": "Anil", "3": "SPO", "5.1": "+912025551234"}),
        (
            "PV1",
            {"1": "1", "2": "O", "3.1": "OPD", "7.1": "D17", "7.2": "Deshpande", "7.3": "Usha"},
        ),
    ]
    segments[0][1].update({"9.2": "A04", "9.3": "ADT_A01", "10": "MSG0001", "11": "P", "12": "2.5"})
    segments[2][1].update({"5.1": "Kulkarni", "5.2": "Meera", "7": "19900305", "8": "F"})
    segments[2][1].update({"11.1": "4 Lake View Road", "11.3": "Pune", "13.1": "+912025550000"})
    segments[4][1].update({"19.1": "V700123", "44": "20260102030000"})
    notes = [("OBX", {"1": str(n), "2": "TX", "3.1": f"N{n}", "5": "x" * 60}) for n in range(1, 8)]
    return write([*segments, *notes])


def hostile() -> dict[str, bytes]:
    """Messages that are too much in one way each."""
    head = b"MSH|^~\\&|HIS\r"
    return {
        "100,000 repetitions": head + b"PID|1||" + b"1~" * 100_000,
        "20,000 segments": head + b"NTE|123456\r" * 20_000,
        "20,000 segments, line feeds": head + b"NTE|123456\n" * 20_000,
        "100,000 fields": head + b"PID" + b"|1" * 100_000,
    }


def refuse(body: bytes) -> None:
    """Check a message that is over a limit."""
    try:
        check_limits(body, LIMITS)
    except LimitError:
        return
    raise AssertionError("was not refused")


def show(name: str, measured: Callable[[], object]) -> None:
    """Print one row, in microseconds."""
    print(f"{name:34} {best(measured, 2_000) * 1e6:8.2f} µs")


def best(measured: Callable[[], object], number: int) -> float:
    """Seconds of one call in the fastest of seven series."""
    return min(timeit.repeat(measured, number=number, repeat=7)) / number


if __name__ == "__main__":
    logs.configure("WARNING")
    main()
