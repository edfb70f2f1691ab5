"""`bridge fixture`: a real message becomes a test without its people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.message import Message, Protocol, Status
from bridge.store.open import open_store

BODY = (
    "MSH|^~\\&|HIS|SGH|||20260305110500||ADT^A04|CTL4711|P|2.5.1||||||8859/1\r"
    "PID|1||4711^^^SGH^MR||Müller^Meera||19880214|F|||||9840011111\r"
    "ZPI|Müller, Meera|0815\r"
).encode("latin-1")
SECRETS = ("4711", "SGH", "Müller", "Meera", "19880214", "9840011111", "0815", "20260305")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "lakeside"


def message(run: Any, tmp_path: Path) -> Path:
    file = tmp_path / "mueller.hl7"
    file.write_bytes(BODY)
    return file


def test_a_file_becomes_a_test_that_passes(run: Any, tmp_path: Path, site: Path) -> None:
    file = message(run, tmp_path)
    result = run("fixture", "--file", str(file), "--as", "two words", "--to", str(site))
    assert result.exit_code == 0
    assert "remark" not in result.output
    text = (site / "hl7v2" / "adt_registration_test.yaml").read_text()
    assert [secret for secret in SECRETS if secret in text] == []
    assert "- name: two words" in text
    assert "gender: Female" in text
    assert run("mapping", "test", "two words", "--site", str(site)).output == "1 passed, 0 failed\n"


def test_the_name_says_nothing_and_is_there_once(run: Any, tmp_path: Path, site: Path) -> None:
    words = ("fixture", "--file", str(message(run, tmp_path)), "--to", str(site))
    assert "'ADT^A04, from a file' is written" in run(*words).output
    again = run(*words)
    assert isinstance(again.exception, BridgeError)
    assert "name this one with --as" in str(again.exception)
    assert run(*words, "--as", "one more of mine").exit_code == 0
    tested = run("mapping", "test", "from a file", "one more of mine", "--site", str(site))
    assert tested.output == "2 passed, 0 failed\n"


async def test_a_kept_message_is_only_read(run: Any, tmp_path: Path, site: Path) -> None:
    kept = Message("default", Protocol.HL7V2, "ADT^A04", "CTL4711", "HIS", "SGH", 1.7e9, BODY)
    store = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 1.7e9)
    answered = {"answer_code": "AA", "acknowledgment": b"", "identity": None}
    number = (await store.run(lambda tx: tx.keep(kept, status=Status.WAITING, **answered))).id
    await store.close()
    before = (tmp_path / "bridge.db").read_bytes()
    assert run("fixture", str(number), "--to", str(site)).exit_code == 0
    assert (tmp_path / "bridge.db").read_bytes() == before
    assert "ADT^A04, message 1" in (site / "hl7v2" / "adt_registration_test.yaml").read_text()


def test_a_message_of_no_site_needs_a_folder(run: Any, tmp_path: Path) -> None:
    result = run("fixture", "--file", str(message(run, tmp_path)))
    assert "name a site's folder with --to" in str(result.exception)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fixture", "--to", "x"), "name one message"),
        (("fixture", "1", "--file", "a", "--to", "x"), "name one message"),
        (("fixture", "1", "--to", "x"), "there is no store at"),
        (("fixture", "--file", "gone.hl7", "--to", "x"), "no such file: gone.hl7"),
    ],
)
def test_what_cannot_be_done_says_why(run: Any, words: tuple[str, ...], told: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, BridgeError)
    assert told in str(result.exception)
