"""`bridge demo` as a person runs it: what it prints, how it exits, that nothing stays behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from bridge.demo.started import starting
from bridge.errors import BridgeError
from tests.acceptance.processes import until
from tests.patience import PATIENCE
from tests.widths import split_words, too_wide

ROOT = Path(__file__).parents[2]


class Short(NamedTuple):
    """What a demonstration printed on lines of so many columns."""

    columns: int
    text: str


@contextmanager
def demo(*words: str, folder: Path, columns: int = 120) -> Iterator[subprocess.Popen[str]]:
    """The command in a process group of its own, its temporary files under `folder`."""
    running = subprocess.Popen(
        [sys.executable, "-m", "bridge", "demo", *words],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": str(columns), "TMPDIR": str(folder), "BRIDGE_MLLP__PORT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with running:
        yield running
        assert running.wait(PATIENCE) is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)
    assert list(folder.iterdir()) == []


def printed_until(running: subprocess.Popen[str], words: str) -> str:
    """What was printed up to the line with these words."""
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    pytest.fail(f"never printed {words!r}:\n{''.join(lines)}")


def whole(folder: Path, *words: str, columns: int) -> str:
    """What a whole demonstration prints; it must have ended as expected."""
    with demo(*words, folder=folder, columns=columns) as running:
        text, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, text
    return text


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All of it, on lines that have room for all."""
    return whole(tmp_path_factory.mktemp("temporary"), "--all", columns=200)


@pytest.fixture(scope="module", params=[80, 100])
def short(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Short:
    """What it prints unless asked for more, on usual lines."""
    columns = request.param
    return Short(columns, whole(tmp_path_factory.mktemp("temporary"), columns=columns))


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def one_sample(tmp_path: Path) -> Path:
    """A folder of samples with a single one, for what needs no more; nothing said of its end."""
    folder = tmp_path / "samples"
    (folder / "adt").mkdir(parents=True)
    shutil.copy(
        ROOT / "samples/hl7v2/adt-a04/01-registered-as-outpatient.hl7", folder / "adt/1.hl7"
    )
    return folder


def test_all_samples_end_as_expected(printed: str) -> None:
    assert re.search(r"All ended as \S+/samples/expected\.yaml says: \d+ messages", printed)


def test_it_fits_the_line_and_a_screen_or_two(short: Short, printed: str) -> None:
    assert too_wide(short.text, short.columns) == []
    assert len(short.text.splitlines()) < 150
    assert split_words(steady(short.text), steady(printed)) == []


def steady(text: str) -> str:
    """Without what another run has otherwise: seconds, rules, and how the rest is asked for."""
    other = r"\d+\.\d s|─+|^.* shows each file, call and message\.$"
    return re.sub(other, "", text, flags=re.MULTILINE)


def test_the_summary_comes_first_then_what_did_not_end_as_usual(short: Short) -> None:
    assert short.text.strip().startswith("In all")
    places = [
        short.text.index(each)
        for each in ("In all", "delivered", "All ended as", "What did not end as usual", "--all")
    ]
    assert places == sorted(places)
    assert "Which calls were made" not in short.text


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("parked       hl7v2/error/no-phone.hl7", "incomplete: phoneNumber"),
        ("rejected     hl7v2/error/unsupported-version.hl7", "MSH-12"),
        ("quarantined  hl7v2/error/not-hl7.hl7", "the connection was closed"),
        ("unmapped     hl7v2/oru-r01/01-laboratory-result.hl7", "no mapping takes"),
        (
            "held         orders/error/prescription-for-an-unknown-visit.json",
            "waits for patient-visits/",
        ),
    ],
)
def test_each_that_was_not_delivered_has_its_reason_on_a_line_of_its_own(
    short: Short, sample: str, reason: str
) -> None:
    lines = short.text.splitlines()
    below = lines[lines.index(sample) + 1]
    assert below.startswith(" " * 13)
    assert reason in below or reason in f"{below} {lines[lines.index(sample) + 2].strip()}"


@pytest.mark.parametrize(
    "line",
    [
        r"01-consultation\.json +Encounter +201 +delivered +held until Patient/\S+ came",
        r"03-admitted-in-enhanced-mode\.hl7 +ADT\^A01 +CA +delivered",
        r"23-the-same-message-again\.hl7 +ADT\^A04 +AA +duplicate",
        r"no-phone\.hl7 +ADT\^A04 +AA +parked +incomplete: phoneNumber",
        r"unsupported-version\.hl7 +ADT\^A04 +AR +rejected +MSH-12",
        r"prescription-one-medicine\.json +prescriptions +202 +delivered",
    ],
)
def test_all_shows_how_each_sample_was_answered_and_ended(printed: str, line: str) -> None:
    assert re.search(line, printed)


def test_all_shows_the_calls_and_their_answers(printed: str) -> None:
    assert re.search(r"file +patients +providers +patient-visits", printed)
    assert re.search(r"02-number-with-a-prefix\.hl7 +MRN00451  POST 201 +L21  POST 201", printed)
    assert re.search(r"05-nothing-changed\.hl7 +\d+  unchanged", printed)
    assert re.search(r"01-registered-as-outpatient\.hl7 .*\n +specialities +\w+  POST 201", printed)


def test_all_shows_the_messages_to_the_hospital_with_their_acknowledgment(printed: str) -> None:
    sent = printed[printed.index("for orders/prescription-one-medicine.json") :]
    control_id = re.search(r"\|RDE\^O11\^RDE_O11\|(\w+)\|", sent)
    assert control_id
    assert f"MSA|AA|{control_id[1]}" in sent
    assert "RXE||MED-001^Paracetamol 500 mg" in sent


def test_a_difference_is_named_and_the_exit_is_1(one_sample: Path, temporary: Path) -> None:
    wrong = "adt: {1.hl7: {answer: AE, status: delivered, calls: [POST patients 201]}}"
    (one_sample / "expected.yaml").write_text(wrong)
    with demo("--samples", str(one_sample), folder=temporary) as running:
        text, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "adt/1.hl7: answer\n  expected  AE\n  actual    AA\n" in text
    assert "adt/1.hl7: calls\n  expected  [POST patients 201]\n" in text
    assert "2 differences" in text


def test_keep_leaves_all_running_until_ctrl_c(one_sample: Path, temporary: Path) -> None:
    resources = ("patients", "providers", "patient-visits", "specialities")
    calls = f"[{', '.join(f'POST {name} 201' for name in resources)}]"
    right = f"adt: {{1.hl7: {{answer: AA, status: delivered, calls: {calls}}}}}"
    (one_sample / "expected.yaml").write_text(right)
    with demo("--keep", "--samples", str(one_sample), folder=temporary) as running:
        printed = printed_until(running, "/orders")
        assert re.search(r"bridge status --config \S+/bridge\.yaml", printed)
        http = re.search(r"(http://\S+)/fhir", printed)
        assert http
        with urllib.request.urlopen(f"{http[1]}/healthz", timeout=PATIENCE) as answer:
            assert answer.status == 200
        os.killpg(running.pid, signal.SIGINT)
    assert running.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_and_all_it_started(temporary: Path, number: signal.Signals) -> None:
    with demo(folder=temporary) as running:
        await until(lambda: any(temporary.glob("*/bridge.log")), "the bridge was started")
        running.send_signal(number)
    assert running.returncode == 130


async def test_a_process_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    async with starting("bridge", ["no-such-command"], os.environ, tmp_path / "log") as process:
        with pytest.raises(BridgeError, match=r"ended by itself with code 2(.|\n)*no-such-command"):
            await process.said("listens")
