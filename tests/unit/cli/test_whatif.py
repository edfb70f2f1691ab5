"""`bridge whatif`: a gate for changed mappings, on files and on what the store kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.cli.whatif import summary
from bridge.settings import Settings
from bridge.shipped import mappings_folder
from bridge.study.whatif import run as module
from bridge.study.whatif.run import Replacement, whatif
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_coverage import keep
from tests.unit.pipeline.hl7 import adt
from tests.unit.study.test_whatif import MIXED

SECRETS = ("4711", "Nair", "Meera", "9845000001", "19840712", "Lake Road")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "registration.hl7"
    path.write_bytes(adt())
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that changes how a woman is told."""
    folder = tmp_path / "site"
    (folder / "codes").mkdir(parents=True)
    (folder / "codes/gender.yaml").write_text("rows: {F: Woman}\n")
    return folder


def test_no_difference_exits_0(run: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "same").mkdir()
    result = run("whatif", "--mappings", str(tmp_path / "same"), str(file))
    assert (result.exit_code, result.output) == (0, "1 message: nothing differs.\n")


def test_a_difference_exits_1_and_is_shown(run: Run, file: Path, site: Path) -> None:
    result = run("whatif", "--mappings", str(site), str(file))
    assert result.exit_code == 1
    assert "1 message: 1 would come to something else." in result.output
    assert "patients.gender" in result.output
    assert [secret for secret in SECRETS if secret in result.output] == []


def test_an_allowed_difference_exits_0(run: Run, file: Path, site: Path) -> None:
    result = run("whatif", "--mappings", str(site), str(file), "--allow", "patients.gender")
    assert result.exit_code == 0
    assert "all of it allowed" in result.output


def test_reveal_shows_values_side_by_side(run: Run, file: Path, site: Path) -> None:
    result = run("whatif", "--mappings", str(site), str(file), "--reveal")
    line = next(x for x in result.output.splitlines() if "Female" in x)
    assert line.split()[-2:] == ["Female", "Woman"]


def test_json_holds_every_count(run: Run, file: Path, site: Path) -> None:
    report = json.loads(run("whatif", "--mappings", str(site), str(file), "--json").stdout)
    assert (report["messages"], report["differing"], report["unchanged"]) == (1, 1, 0)
    assert [d["what"] for d in report["differences"]] == ["patients", "patients.gender"]


def test_what_the_store_kept_is_taken_through_both(run: Run, tmp_path: Path, site: Path) -> None:
    keep(tmp_path, 90_000, 60)
    result = run("whatif", "--mappings", str(site), "--since", "1h", "--json")
    assert (result.exit_code, json.loads(result.stdout)["messages"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--allow", "patients.gendr", "registration.hl7"], "Did you mean 'patients.gender'?"),
        (["empty"], "no message to compare"),
        ([], "name files or folders"),
        (["nowhere.hl7"], "no such file"),
    ],
)
def test_what_cannot_be_compared_exits_2(
    run: Run, file: Path, site: Path, words: list[str], told: str
) -> None:
    Path("empty").mkdir()
    result = run("whatif", "--mappings", str(site), *words)
    assert result.exit_code == 2
    assert told in result.output


def test_wrong_mappings_exit_2_with_every_fault(run: Run, file: Path, site: Path) -> None:
    (site / "codes/gender.yaml").write_text("row: {F: Woman}\nrows: {M: }\n")
    result = run("whatif", "--mappings", str(site), str(file))
    assert result.exit_code == 2
    assert "Did you mean 'rows'?" in result.output


def test_a_folder_with_a_catalogue_stands_for_the_shipped_mappings(run: Run, file: Path) -> None:
    assert Replacement(mappings_folder()).whole
    result = run("whatif", "--mappings", str(mappings_folder()), str(file))
    assert result.exit_code == 0


def test_a_folder_stands_for_the_site_it_is_for(
    run: Run, file: Path, site: Path, tmp_path: Path
) -> None:
    """The two hospitals are told apart by MSH-4; only the one that the folder is for differs."""
    for name in ("lotus", "banyan"):
        (tmp_path / "conf/sites" / name).mkdir(parents=True)
    (tmp_path / "conf/bridge.yaml").write_text(
        "channels:\n"
        "  - {name: one, sending_facility: LOTUS, site: lotus}\n"
        "  - {name: two, sending_facility: BANYAN, site: banyan}\n"
    )
    words = ("whatif", "--mappings", str(site), str(file))
    assert "say with --site" in run(*words).output
    assert "the channels name lotus, banyan" in run(*words, "--site", "lots").output
    codes = {name: run(*words, "--site", name).exit_code for name in ("lotus", "banyan")}
    assert codes == {"lotus": 1, "banyan": 0}


def test_several_processes_come_to_what_one_does(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 6)
    monkeypatch.setattr(module, "CHUNK", 3)
    messages = [(str(number), MIXED[number % len(MIXED)]) for number in range(40)]
    one, two = (whatif(messages, Settings(), Replacement(site), workers=n) for n in (1, 2))
    assert one.differing > 0
    assert one == two


def test_one_sentence_says_what_matters() -> None:
    report = {"messages": 2, "untaken": 1, "differing": 0, "differs": False}
    assert summary(report) == "2 messages (1 of types that no mapping takes): nothing differs."
