"""What is paused, as the store keeps it and as people name it."""

from __future__ import annotations

import pytest

from bridge.delivery import Target
from bridge.pipeline.pauses import Destination, Pauses

ALL = frozenset(Destination)


@pytest.mark.parametrize("note", [None, "", "no"])
def test_nothing_is_paused_at_first(note: str | None) -> None:
    assert Pauses.read(note) == Pauses()
    assert not Pauses().all


def test_the_note_of_an_earlier_version_pauses_everything() -> None:
    assert Pauses.read("yes") == Pauses(ALL)
    assert Pauses.read("yes").all


def test_a_pause_of_all_is_one_of_each() -> None:
    paused = Pauses().paused(None, "")
    assert paused.resumed(Destination.HOSPITAL, "").destinations == {Destination.ZAUTOAI}


def test_a_destination_or_a_resource_is_paused_alone() -> None:
    paused = Pauses().paused(Destination.HOSPITAL, "").paused(None, "patients")
    assert paused == Pauses(frozenset({Destination.HOSPITAL}), frozenset({"patients"}))
    assert paused.report() == {
        "paused": False,
        "paused_destinations": ["hospital"],
        "paused_resources": ["patients"],
    }
    assert paused.resumed(None, "patients").resources == frozenset()
    assert paused.resumed(Destination.HOSPITAL, "").resources == {"patients"}
    assert paused.resumed(None, "") == Pauses()


def test_what_is_paused_is_read_as_it_was_kept() -> None:
    paused = Pauses().paused(Destination.ZAUTOAI, "").paused(None, "providers")
    assert Pauses.read(paused.note()) == paused


def test_destinations_have_names_in_the_store_and_in_sentences() -> None:
    assert {each.target for each in Destination} == set(Target)
    assert [each.words for each in Destination] == ["ZautoAI", "the hospital"]
