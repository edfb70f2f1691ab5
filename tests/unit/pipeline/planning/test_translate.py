"""Reading a message and what is known beside it: pure, and the same dry as in earnest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.delivery import Entity, Translation
from bridge.message import Message, Protocol
from bridge.pipeline.channels import channel_named
from bridge.pipeline.planning.translate import Rehearsal, line_remarks, stable_key, translate
from bridge.settings import Channel, Settings
from tests.patience import PATIENCE
from tests.unit.pipeline.hl7 import adt, message
from tests.unit.pipeline.planning.test_work import MAPPINGS, encounter, order, patient

SETTINGS = Settings()
ROOT = Path(__file__).resolve().parents[4]

#: prints what the messages of these tests and all samples become, as the store would keep it
TRANSLATING = """
import sys
from dataclasses import replace
from pathlib import Path
from bridge import logs
from bridge.message import Message
from bridge.pipeline.planning.translate import Rehearsal, translate
from bridge.study.traffic import from_files
from bridge.store.rows import call_json, lineage_json
from tests.unit.pipeline.hl7 import adt, message
from tests.unit.pipeline.planning.test_translate import MAPPINGS, SETTINGS
from tests.unit.pipeline.planning.test_work import patient

logs.configure("WARNING")
samples = from_files([Path(sys.argv[1])], lambda *_: True, SETTINGS, lambda: 1e6)
known = Rehearsal()
for given in [message(adt()), patient("P9"), *(sample for _, sample in samples)]:
    made = translate(given, MAPPINGS, SETTINGS, known) if isinstance(given, Message) else None
    if made is not None:
        known.learn(made.calls)
        for call in (*made.calls, *made.held_calls):
            sys.stdout.buffer.write(call_json(call) + lineage_json(call) + b"\\n")
        print(replace(made, calls=(), held_calls=()), flush=True)
"""


def translated(given: Message, known: Rehearsal | None = None) -> Translation:
    made = translate(given, MAPPINGS, SETTINGS, known or Rehearsal())
    assert made is not None
    return made


def test_a_type_without_a_mapping_gives_nothing() -> None:
    assert translate(message(adt(kind="ORU^R01")), MAPPINGS, SETTINGS, Rehearsal()) is None


def test_the_same_message_always_gives_the_same_calls() -> None:
    seeds = ("0", "1", "random")
    first, *others = [translations_of(seed) for seed in seeds]
    assert first.count(b"\n") > 200
    assert b"4711" in first
    assert [each == first for each in others] == [True, True]


def translations_of(hash_seed: str) -> bytes:
    """What messages become in a process whose sets and strings hash by this seed."""
    result = subprocess.run(
        [sys.executable, "-c", TRANSLATING, str(ROOT / "samples")],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


def test_what_cannot_be_read_says_why() -> None:
    made = translated(patient("P9")._replace(body=b"[]"))
    assert (made.calls, made.problem) == ((), "must be a JSON object")


def test_a_link_that_was_learnt_is_followed() -> None:
    known = Rehearsal()
    assert translated(encounter("P9"), known).needs == ("Patient/P9",)
    known.learn(translated(patient("P9"), known).calls)
    (visit,) = translated(encounter("P9"), known).calls
    assert visit.payload["patientId"] == "4711"


def test_an_order_is_filled_with_what_is_known_of_its_visit() -> None:
    known = Rehearsal()
    assert translated(order("V1"), known).needs == ("patient-visits/V1",)
    known.learn(translated(message(adt(visit="V1")), known).calls)
    (call,) = translated(order("V1"), known).calls
    segments = dict(call.payload["segments"][:3])
    assert segments["PID"]["5.1"] == "Nair"
    assert segments["PV1"]["7.1"] == "D1"


def test_an_order_whose_visit_is_all_that_is_known_is_translated() -> None:
    known = Rehearsal()
    known._entities["patient-visits", "V1"] = Entity("patient-visits", "V1")
    assert len(translated(order("V1"), known).calls) == 1


def test_the_key_of_an_order_is_the_same_at_every_sending_and_no_other() -> None:
    one = order("V1")
    assert stable_key(one) == stable_key(one._replace())
    assert len(stable_key(one)) <= 20
    others = [
        order("V2"),
        one._replace(received_at=2e6),
        one._replace(message_type="service-order"),
    ]
    assert len({stable_key(each) for each in (one, *others)}) == 4


def test_a_message_may_outlive_its_channel() -> None:
    assert channel_named(SETTINGS, "default") is SETTINGS.channels[0]
    assert channel_named(SETTINGS, "gone") == Channel(name="gone")


def test_the_channels_version_and_charset_are_read_by() -> None:
    settings = Settings(channels=(Channel(name="default", fallback_charset="cp1251"),))
    given = message(adt(name="Nair^Meera").replace(b"Meera", "Мира".encode("cp1251")))
    made = translate(given, MAPPINGS, settings, Rehearsal())
    assert made is not None
    assert made.calls[0].payload["fullName"] == "Мира Nair"


def test_every_protocol_is_read() -> None:
    assert {each.protocol for each in MAPPINGS.all} == set(Protocol)


LINES = [
    ("\rPID|", "\r  PID|", "line 3: has blanks around its segment name; read nevertheless"),
    ("\rPID|", "\rPID |", "line 3: has blanks around its segment name; read nevertheless"),
    ("\rPV1|", "\rpv1|", "line 4: has a segment name in lower case; not read"),
    ("12 Lake", "12\rLake", "line 4: is not a segment; not read"),
    ("V1\r", "V1\r|Ward|\rjunk\r", "line 5: is not a segment; not read"),
]


@pytest.mark.parametrize(("before", "after", "told"), LINES)
def test_a_line_that_is_not_plainly_a_segment_is_named(before: str, after: str, told: str) -> None:
    given = message(adt().replace(before.encode(), after.encode(), 1))
    remarks = [f"{each.path}: {each.text}" for each in translated(given).warnings]
    assert told in remarks
    assert told in line_remarks(given, SETTINGS)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("name", [b" PID", b"PID ", b"\tPID ", b" PV1", b"PV1  "])
def test_padded_and_indented_lines_are_read_like_any_other(name: bytes, end: bytes) -> None:
    odd = adt().replace(b"\r" + name.strip(), b"\r" + name, 1).replace(b"\r", end)
    assert translated(message(odd)).calls == translated(message(adt())).calls


def test_only_hl7_has_lines() -> None:
    assert line_remarks(patient("P9"), SETTINGS) == []
    undecodable = adt(msh_end="||||||UNICODE UTF-8").replace(b"Nair", b"N\xe4r\rjunk")
    assert line_remarks(message(undecodable), SETTINGS) == []
