"""How long what-if takes over much traffic, and how much memory: `python bench/whatif.py`.

    python bench/whatif.py [--messages 100000] [--folder DIR]

Varied messages of invented people are written to a temporary folder, a thousand to a batch file:
registrations, admissions and updates of HL7 v2 (19 of 20), FHIR patients and encounters, and orders
for their visits. Then `bridge whatif` runs as a process of its own over them, with a mapping that
changes one field. `seconds` is wall clock, `cpu` the sum over all its processes; memory is the peak
of its largest process.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH = 1000
FAMILIES = "Adler Bose Castro Duarte Ekwueme Farid Gupta Haugen Ito Joshi Kaur Lindqvist".split()
GIVEN = "Asha Bilal Chandra Dana Emeka Farah Gita Hana Ivo Jaya Kiran Leena".split()
TOWNS = ("Pune^MH^411001", "Kochi^KL^682001", "Mysuru^KA^570001")


def main() -> None:
    """Write the messages, run the command, print what it took."""
    parser = argparse.ArgumentParser(description="Time and memory of bridge whatif.")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the messages are written, and left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        _write(folder, options.messages)
        site = folder / "site"
        (site / "codes").mkdir(parents=True, exist_ok=True)
        (site / "codes/patient_class.yaml").write_text("rows: {E: OUT_PATIENT}\n")
        started = time.monotonic()
        command = [sys.executable, "-m", "bridge", "whatif", "--json"]
        where = ["--mappings", str(site), str(folder / "messages")]
        done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, text=True)
        seconds = time.monotonic() - started
    if done.returncode != 1:
        sys.exit(f"the command ended with {done.returncode}: {done.stderr[-2000:]}")
    _tell(json.loads(done.stdout), seconds)


def _tell(report: dict[str, object], seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, cpu = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
    count = int(str(report["messages"]))
    print(f"{'messages':>10}{'differing':>11}{'seconds':>9}{'cpu':>7}{'msg/s':>8}{'peak MiB':>10}")
    rate = count / seconds
    print(
        f"{count:>10}{report['differing']:>11}{seconds:>9.1f}{cpu:>7.1f}{rate:>8.0f}{peak:>10.0f}"
    )


def _write(folder: Path, count: int) -> None:
    messages = folder / "messages"
    messages.mkdir(parents=True, exist_ok=True)
    chosen = random.Random(7)
    hl7 = range(count * 19 // 20)
    for start in range(0, len(hl7), BATCH):
        batch = (_registration(number, chosen) for number in hl7[start : start + BATCH])
        (messages / f"{start:08}.hl7").write_text("\r".join(batch))
    for number in range(len(hl7), count):
        for name, text in _json_of(number, chosen):
            (messages / f"{number:08}{name}.json").write_text(text)


def _registration(number: int, chosen: random.Random) -> str:
    patient = chosen.randrange(max(1, number // 3 + 1))
    family, given, event = (chosen.choice(names) for names in (FAMILIES, GIVEN, EVENTS))
    phone = f"+9198{patient % 10**8:08}"
    at = f"202603{number % 28 + 1:02}{number % 24:02}{number % 60:02}00+0530"
    segments = [
        rf"MSH|^~\&|HIS|LAKESIDE|ZAUTO|CLINIC|{at}||ADT^{event}|W{number}|P|2.5.1"
        "||||||UNICODE UTF-8",
        f"EVN|{event}|{at}",
        f"PID|1||{patient}^^^LAKESIDE^MR||{family}^{given}^^^{chosen.choice(TITLES)}||"
        f"{1940 + patient % 80}0{patient % 9 + 1}1{patient % 9}|{chosen.choice('MFOU')}|||"
        f"{patient % 90} Lake Road^^{chosen.choice(TOWNS)}||{phone}||{chosen.choice(LANGUAGES)}",
        f"PV1|1|{chosen.choice('IOEOO')}|OPD^{patient % 40}^A|||"
        f"|D{patient % 30}^{family}^Maya^^^Dr||||||||||||V{number - number % 4}",
    ]
    if number % 5 == 0:
        segments.append(f"NK1|1|{family}^{chosen.choice(GIVEN)}|FTH|| {phone}||C")
    if number % 7 == 0:
        segments.append("IN1|1|P1|S|Sun Health||||G1")
    return "\r".join(segments)


EVENTS = ("A01", "A04", "A04", "A08", "A08", "A08", "A03")
TITLES = ("Mr", "Mrs", "Dr", "")
LANGUAGES = ("mr", "eng", "hin", "")


def _json_of(number: int, chosen: random.Random) -> Iterator[tuple[str, str]]:
    """In turn a patient, an encounter of an earlier one, and an order for an earlier visit."""
    if number % 3 == 0:
        name = [{"family": chosen.choice(FAMILIES), "given": [chosen.choice(GIVEN)]}]
        telecom = [{"system": "phone", "value": f"+9198{number:08}"}]
        patient = {"resourceType": "Patient", "id": f"p{number}", "name": name, "telecom": telecom}
        yield "", json.dumps(patient | {"gender": chosen.choice(("male", "female"))})
    elif number % 3 == 1:
        subject = {"reference": f"Patient/p{number - 1}"}
        visit = {"resourceType": "Encounter", "id": f"e{number}", "subject": subject}
        period = {"start": "2026-03-01T09:00:00+05:30"}
        yield "", json.dumps(visit | {"status": "planned", "period": period})
    else:
        medicine = {"name": "Paracetamol 500", "dose": "1 tablet", "frequency": "1-0-1"}
        visit = f"V{chosen.randrange(number) // 4 * 4}"
        yield "", json.dumps({"externalVisitId": visit, "Medications": [medicine]})


if __name__ == "__main__":
    main()
