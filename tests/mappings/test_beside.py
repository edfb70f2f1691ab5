"""The tests that stand beside mappings, each a test of its own here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.service.parts import read_parts
from bridge.settings import MappingSettings, Settings
from bridge.study.benches import benches, run_all
from bridge.study.trial import Trial

ROOT = Path(__file__).parents[2]
#: "" for the shipped mappings alone
SITES = ["", *sorted(path.name for path in ROOT.glob("conf/sites/*") if path.is_dir())]


def trials(site: str) -> list[Trial]:
    mappings = MappingSettings(folder=ROOT / "mappings", sites=ROOT / "conf/sites", site=site)
    settings = Settings(mappings=mappings)
    return run_all(benches(read_parts(settings), settings)[-1:])


TRIALS = [trial for site in SITES for trial in trials(site)]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_a_message_becomes_what_its_mapping_promises(trial: Trial) -> None:
    assert [str(fault) for fault in trial.faults] == []


def test_every_shipped_mapping_has_tests_for_each_of_its_message_types() -> None:
    tested = {(trial.file.mapping, trial.message_type) for trial in TRIALS}
    for mapping in read_parts(Settings()).mappings.all:
        for message_type in mapping.messages:
            assert (mapping.name, message_type) in tested, f"{mapping.name} of {message_type}"


def test_each_shipped_mapping_is_tested_with_good_and_odd_messages() -> None:
    for mapping in read_parts(Settings()).mappings.all:
        if mapping.nothing:
            continue
        ends = [trial.made for trial in TRIALS if trial.file.mapping == mapping.name]
        assert any(made and made.calls for made in ends), mapping.name
        assert any(made is None or not made.calls or made.warnings for made in ends), mapping.name
