"""How long a message takes to become calls, lineage included.

    python bench/translate.py [--messages 2000] [--profile]

Each row is one kind of message: reading it (`read`), applying its mapping to what was read
(`apply`), and both together as the pipeline does them. Times are microseconds of CPU: the median
and the best of batches of 50, so that other work on the machine shows in the first and not in the
second.
"""

from __future__ import annotations

import argparse
import cProfile
import functools
import pstats
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge import logs
from bridge.fhir.reader import FhirDocument
from bridge.fhir.reader import read as read_json
from bridge.hl7v2.header import scan
from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.document import Context, Document
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.dotted import OrderDocument
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Hospital, Site
from bridge.zauto import catalogue

MAPPINGS = Path(__file__).parents[1] / "mappings"
BATCH = 50

REGISTRATION = "\r".join(
    (
        r"MSH|^~\&|MEDIS|RIVERSIDE|ZAUTO|CLINIC|20260301101500+0530||ADT^A04^ADT_A01|B1|P|2.5.1"
        "|||AL|NE||UNICODE UTF-8",
        "EVN|A04|20260301101500+0530|||DESK2^Joshi^Nilima^^^^^^RIVERSIDE|20260301101400+0530",
        "PID|1||RS004512^^^RIVERSIDE^MR~881204^^^REGIONAL^SS||Deshpande^Ishaan^Vinay^^Mr^^L"
        "||19910917|M||2028-9^Asian^HL70005|44 Lake View Road^Tower 2^Pune^MH^411001^IN^H"
        "~7 Station Road^^Nashik^MH^422001^IN^B||^PRN^PH^^91^20^55512345"
        "~^NET^Internet^ishaan.d@example.org|^WPN^PH^^91^20^55598765|mr^Marathi^ISO639"
        "|S^Single^HL70002|HIN^Hindu^HL70006|AC7731^^^RIVERSIDE^AN|||||N^Not Hispanic^HL70189",
        "PD1|||Riverside Clinic^^20114|D310^Kulkarni^Asha^^^Dr",
        "NK1|1|Deshpande^Vinay^^^Mr|FTH^Father^HL70063|44 Lake View Road^Tower 2^Pune^MH^411001^IN"
        "|^PRN^PH^^91^20^55512346",
        "PV1|1|O|OPD^12^B^RIVERSIDE^^N^EAST|R|||D310^Kulkarni^Asha^^^Dr^MD|D411^Shah^Ravi^^^Dr"
        "||||||ADM|||D310^Kulkarni^Asha^^^Dr|OP|RV90017^^^RIVERSIDE^VN|SELF"
        + "|"
        * 20
        + "RIVERSIDE"
        "|||||20260301101500+0530",
        "AL1|1|DA^Drug^HL70127|1191^Aspirin^RXNORM|MO|Hives",
        "IN1|1|P22^Family^LOCAL|SUNLIFE|Sun Health|PO Box 9^^Mumbai^MH^400001^IN|||GRP12|||20250401"
        "|20270331||||Deshpande^Ishaan|SEL^Self^HL70063",
        "",
    )
).encode()

PATIENT = b"""{"resourceType": "Patient", "id": "p-77", "active": true,
 "identifier": [{"system": "urn:riverside", "value": "RS004512",
   "type": {"coding": [{"code": "MR", "display": "Medical record number"}]}}],
 "name": [{"use": "official", "family": "Deshpande", "given": ["Ishaan", "Vinay"]}],
 "gender": "male", "birthDate": "1991-09-17",
 "telecom": [{"system": "phone", "value": "+912055512345", "use": "home"},
             {"system": "email", "value": "ishaan.d@example.org"}],
 "address": [{"line": ["44 Lake View Road"], "city": "Pune", "postalCode": "411001"}]}"""

PRESCRIPTION = b"""{"externalVisitId": "RV90017", "Medications": [
 {"externalMedicineId": "M1", "name": "Paracetamol 500", "dose": "1 tablet", "when": "after food",
  "frequency": "1-0-1", "duration": "5 days", "notes": ""},
 {"externalMedicineId": "M2", "name": "Cetirizine 10", "dose": "1 tablet", "when": "at night",
  "frequency": "HS", "duration": "3 days", "notes": "may cause sleep"}]}"""

HEADER = scan(REGISTRATION)
Read = Callable[[], Document]


def main() -> None:
    """Measure each kind of message and print a table."""
    parser = argparse.ArgumentParser(description="Microseconds from message to calls.")
    parser.add_argument("--messages", type=int, default=2000, help="messages of each kind")
    parser.add_argument("--profile", action="store_true", help="show where the first kind goes")
    options = parser.parse_args()
    site = Site()
    mappings = load([MAPPINGS], catalogue.load(MAPPINGS / "zauto"), site)
    print(f"{'message':<22}{'bytes':>7}{'calls':>7}{'read':>9}{'apply':>9}{'both':>9}{'best':>9}")
    for protocol, kind, body, read, context in _kinds():
        mapping = mappings.find(protocol, kind)
        assert mapping is not None

        def both(mapping: Any = mapping, read: Read = read, context: Context = context) -> Any:
            return apply(mapping, read(), context)

        if options.profile:
            return _profile(both, options.messages)
        document, calls = read(), len(both().calls)
        reading = _measure(read, options.messages)
        applying = _measure(functools.partial(apply, mapping, document, context), options.messages)
        together = _measure(both, options.messages)
        medians = [statistics.median(times) for times in (reading, applying, together)]
        cells = "".join(f"{value:>9.1f}" for value in (*medians, min(together)))
        print(f"{kind:<22}{len(body):>7}{calls:>7}{cells}")
    return None


def _registration() -> Document:
    return Hl7Document(REGISTRATION, HEADER, "cp1252")


def _kinds() -> list[tuple[Protocol, str, bytes, Read, Context]]:
    facts = {"patientId": "RS004512", "visitNumber": "RV90017", "class": "O"}
    person = {"identifier": "RS004512", "family": "Deshpande", "given": "Ishaan"}
    known = {"patient-visits/RV90017": facts, "patients/RS004512": person}
    ordering = Context(key="B1", hospital=Hospital(), known=known)
    return [
        (
            *(Protocol.HL7V2, "ADT^A04", REGISTRATION),
            _registration,
            Context(),
        ),
        (
            *(Protocol.FHIR, "Patient", PATIENT),
            lambda: FhirDocument(read_json(PATIENT), "Patient/p-77"),
            Context(),
        ),
        (
            *(Protocol.ORDERS, "prescription-order", PRESCRIPTION),
            lambda: OrderDocument(read_json(PRESCRIPTION), ordering),
            ordering,
        ),
    ]


def _measure(work: Callable[[], Any], messages: int) -> list[float]:
    """Microseconds of CPU for one, batch by batch."""
    times = []
    for _ in range(max(1, messages // BATCH)):
        start = time.process_time()
        for _ in range(BATCH):
            work()
        times.append((time.process_time() - start) / BATCH * 1e6)
    return times


def _profile(work: Callable[[], Any], messages: int) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(messages):
        work()
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    logs.configure("WARNING")
    main()
