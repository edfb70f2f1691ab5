"""`bridge mapping test`, and what `bridge check` says of tests beside mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError, MappingError

TEST = """\
tests:
  - name: a woman
    message: |
      MSH|^~\\&|HIS|SGH|||20260305||ADT^A04|T1|P|2.5.1
      PID|1||4711||Rao^Meera|||W
    expect:
      calls:
        - upsert: patients
          id: 4711
          fields: {uhid: 4711, fullName: Meera Rao, gender: Male}
      remarks:
        - patient-visits: 'no id for patient-visits: nothing usable in PV1-19.1, PV1-50.1'
"""


@pytest.fixture
def site(run: Any, tmp_path: Path) -> Path:
    """A hospital that writes W for a woman, and tests it: wrongly, as it stands."""
    folder = tmp_path / "conf" / "sites" / "lakeside"
    (folder / "codes").mkdir(parents=True)
    (folder / "hl7v2").mkdir()
    (folder / "codes" / "gender.yaml").write_text("rows: {W: Female}\n")
    (folder / "hl7v2" / "adt_registration_test.yaml").write_text(TEST)
    return folder


def test_the_shipped_tests_pass(run: Any) -> None:
    result = run("mapping", "test")
    assert result.exit_code == 0
    assert result.output.endswith(" passed, 0 failed\n")


def test_tests_are_chosen_by_a_part_of_their_name(run: Any) -> None:
    assert run("mapping", "test", "outpatient is reg").output == "1 passed, 0 failed\n"
    nothing = run("mapping", "test", "no such")
    assert isinstance(nothing.exception, BridgeError)
    assert str(nothing.exception) == "there is no such test"


@pytest.mark.parametrize("named", ["lakeside", "conf/sites/lakeside"])
def test_a_sites_tests_are_run_and_what_differs_is_told(run: Any, site: Path, named: str) -> None:
    result = run("mapping", "test", "woman", "--site", named)
    assert result.exit_code == 1
    assert "hl7v2/adt_registration: a woman\n" in result.output
    assert "a woman.calls[0].fields.gender: expected 'Male', got 'Female'; " in result.output
    assert "by codes/gender: W." in result.output
    assert result.output.endswith("0 passed, 1 failed\n")


def test_an_update_is_asked_for_and_then_written(run: Any, site: Path) -> None:
    file = site / "hl7v2" / "adt_registration_test.yaml"
    assert run("mapping", "test", "--site", "lakeside", "--update").exit_code == 1
    assert file.read_text() == TEST
    result = run("mapping", "test", "--site", "lakeside", "--update", "--yes")
    assert result.exit_code == 0
    assert "expected 'Male', got 'Female'" in result.output
    assert "1 written" in result.output
    assert "gender: Female" in file.read_text()
    assert run("mapping", "test", "--site", "lakeside").exit_code == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_cannot_be_run_is_not_updated(run: Any, site: Path) -> None:
    file = site / "hl7v2" / "adt_registration_test.yaml"
    file.write_text(TEST.replace("MSH|", "MHS|"))
    result = run("mapping", "test", "--site", "lakeside", "--update", "--yes")
    assert result.exit_code == 1
    assert "written" not in result.output


def test_a_wrong_file_of_tests_is_told_and_nothing_is_run(run: Any, site: Path) -> None:
    (site / "hl7v2" / "adt_registration_test.yaml").write_text("tests: [{nmae: x}]\n")
    result = run("mapping", "test", "--site", "lakeside")
    assert isinstance(result.exception, MappingError)
    assert "'nmae' is not a word" in str(result.exception)


def test_check_takes_a_test_of_any_site_that_fails_for_a_fault(run: Any, site: Path) -> None:
    result = run("check")
    assert isinstance(result.exception, MappingError)
    (fault,) = result.exception.faults
    assert fault.message.startswith("expected 'Male', got 'Female'")
    file = site / "hl7v2" / "adt_registration_test.yaml"
    assert Path(fault.file).absolute() == file
    file.write_text(TEST.replace("Male", "Female"))
    assert "tests)" in run("check").output


@pytest.mark.parametrize(
    "words", [("check",), ("mapping", "test"), ("fixture", "--file", "one.hl7")]
)
def test_a_site_may_have_a_listener_of_its_own(
    run: Any, site: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    message = "MSH|^~\\&|HIS|SGH|||20260305||ADT^A04|T1|P|2.5.1\rPID|1||4711||Rao^Meera|||W"
    (tmp_path / "one.hl7").write_text(message)
    (site / "hl7v2" / "adt_registration_test.yaml").write_text(TEST.replace("Male", "Female"))
    (tmp_path / "conf" / "bridge.yaml").write_text(
        "listeners: [{name: lab, port: 2576}]\n"
        "channels: [{name: lab, listener: lab, site: lakeside}]\n"
    )
    result = run(*words)
    assert result.exit_code == 0, result.exception
