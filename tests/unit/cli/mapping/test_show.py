"""`bridge mapping show`: what is in effect, and who wrote which line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.errors import BridgeError, MappingError
from tests.unit.cli.conftest import Run


@pytest.fixture
def lakeside(run: Run, tmp_path: Path) -> Path:
    """A hospital that writes W for a woman."""
    codes = tmp_path / "conf/sites/lakeside/codes"
    codes.mkdir(parents=True)
    (codes / "gender.yaml").write_text("rows: {W: Female}\n")
    return codes.parent


def test_each_line_stands_beside_the_file_that_wrote_it(run: Run, lakeside: Path) -> None:
    lines = run("mapping", "show", "gender", "--site", "lakeside").output.splitlines()
    (own,) = [line for line in lines if line.startswith("  W: Female ")]
    (shipped,) = [line for line in lines if line.startswith("  F: Female ")]
    assert own.endswith("# lakeside/codes/gender.yaml:1")
    assert "# mappings/codes/gender.yaml:" in shipped


def test_without_a_site_the_shipped_one_is_shown(run: Run, lakeside: Path) -> None:
    assert "W: Female" not in run("mapping", "show", "codes/gender").output


def test_programs_get_the_whole_path_and_the_values(run: Run, lakeside: Path) -> None:
    result = run("mapping", "show", "gender", "--site", "lakeside", "--json")
    report = json.loads(result.stdout)
    assert report["name"] == "codes/gender"
    assert report["value"]["rows"]["W"] == "Female"
    (line,) = [line for line in report["lines"] if line["yaml"] == "  W: Female"]
    assert (line["file"], line["line"]) == ("conf/sites/lakeside/codes/gender.yaml", 1)


def test_without_a_name_all_are_listed(run: Run) -> None:
    listed = run("mapping", "show").output.split()
    assert {"hl7v2/adt_registration", "parts/patient_from_pid", "codes/gender"} <= set(listed)


def test_a_name_that_leads_nowhere_is_told_with_the_nearest(run: Run) -> None:
    result = run("mapping", "show", "gendr")
    assert isinstance(result.exception, BridgeError)
    told = "there is no mapping, part or code table 'gendr'. Did you mean 'gender'?"
    assert str(result.exception) == told


def test_a_name_that_may_be_two_is_told_with_both(run: Run, lakeside: Path) -> None:
    (lakeside / "parts").mkdir()
    (lakeside / "parts/gender.yaml").write_text("source: hl7v2\n")
    result = run("mapping", "show", "gender", "--site", "lakeside")
    assert str(result.exception) == ("'gender' may be codes/gender or parts/gender: write it so")


def test_a_site_that_is_not_there_is_told_with_those_that_are(run: Run, lakeside: Path) -> None:
    result = run("mapping", "show", "gender", "--site", "lakside")
    assert isinstance(result.exception, MappingError)
    told = "conf/sites/lakside:1:1: there is no site 'lakside' in conf/sites; there are lakeside."
    assert str(result.exception) == f"{told} Did you mean 'lakeside'?"


def test_what_cannot_be_read_is_told_with_its_place(run: Run, lakeside: Path) -> None:
    (lakeside / "codes/gender.yaml").write_text("rows: {W: &x Female}\n")
    result = run("mapping", "show", "gender", "--site", "lakeside")
    assert isinstance(result.exception, MappingError)
    assert "gender.yaml:1:11: &x: an anchor is not taken" in str(result.exception)
