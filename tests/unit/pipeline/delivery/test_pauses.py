"""What is paused, as the store keeps it and as people name it."""

from __future__ import annotations

import json

import pytest

from bridge.delivery import Target
from bridge.errors import BridgeError
from bridge.pipeline.delivery.pauses import Destination, Pauses, Selection

ALL = frozenset(Destination)
EVERYTHING = Selection()
HOSPITAL = Selection(Destination.HOSPITAL)
PATIENTS = Selection(resource="patients")
LAB = Selection(channel="lab")
MEERA = Selection(patient="4711")
SINGLE = [HOSPITAL, PATIENTS, LAB, MEERA]


def paused(*selections: Selection) -> Pauses:
    """A pause of each, one after another."""
    pauses = Pauses()
    for each in selections:
        pauses = pauses.paused(each)
    return pauses


@pytest.mark.parametrize("note", [None, "", "no"])
def test_nothing_is_paused_at_first(note: str | None) -> None:
    assert Pauses.read(note) == Pauses()
    assert not Pauses().all


def test_the_first_note_of_all_pauses_everything() -> None:
    assert Pauses.read("yes") == Pauses(ALL)
    assert Pauses.read("yes").all


def test_a_note_without_channels_and_patients_is_read() -> None:
    note = json.dumps({"destinations": ["hospital"], "resources": ["patients"]})
    assert Pauses.read(note) == paused(HOSPITAL, PATIENTS)


def test_a_pause_of_all_is_one_of_each_destination() -> None:
    assert paused(EVERYTHING).resumed(HOSPITAL).destinations == {Destination.ZAUTOAI}


@pytest.mark.parametrize("selection", SINGLE)
def test_each_is_paused_and_resumed_alone(selection: Selection) -> None:
    others = [each for each in SINGLE if each != selection]
    assert paused(*SINGLE).resumed(selection) == paused(*others)
    assert paused(selection) == Pauses.of(selection)
    assert paused(selection).resumed(selection) == Pauses()
    assert paused(*others).resumed(selection) == paused(*others)


def test_a_resume_of_everything_leaves_nothing() -> None:
    assert paused(*SINGLE).resumed(EVERYTHING) == Pauses()


def test_what_is_paused_is_read_as_it_was_kept() -> None:
    assert Pauses.read(paused(*SINGLE).note()) == paused(*SINGLE)


def test_destinations_have_names_in_the_store_and_in_sentences() -> None:
    assert {each.target for each in Destination} == set(Target)
    assert [each.words for each in Destination] == ["ZautoAI", "the hospital"]


@pytest.mark.parametrize(
    "selection",
    [EVERYTHING, *SINGLE, Selection(Destination.ZAUTOAI, "patients")],
)
def test_what_exists_and_goes_together_is_accepted(selection: Selection) -> None:
    selection.check({"patients"}, {"lab"})


@pytest.mark.parametrize(
    ("selection", "error"),
    [
        (
            Selection(resource="patient"),
            "there is no resource 'patient'; there are patients, providers",
        ),
        (Selection(channel="LAB"), "there is no channel 'LAB'; there are default, lab"),
        (
            Selection(Destination.HOSPITAL, "patients"),
            "the hospital has no resources: leave --destination out",
        ),
        (
            Selection(channel="lab", patient="4711"),
            "--channel and --patient cannot be combined: give one of them",
        ),
        (
            Selection(resource="patients", channel="lab"),
            "--resource and --channel cannot be combined: give one of them",
        ),
        (
            Selection(Destination.ZAUTOAI, patient="4711"),
            "--destination and --patient cannot be combined: give one of them",
        ),
    ],
)
def test_all_else_is_refused_with_what_there_is(selection: Selection, error: str) -> None:
    with pytest.raises(BridgeError) as raised:
        selection.check({"providers", "patients"}, {"lab", "default"})
    assert str(raised.value) == error
