"""What a site's policies make of messages that lack something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.delivery import Call, Translation
from bridge.errors import MappingError
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue

Adt = Callable[..., Translation]
PID = "PID|1||4711^^^LAKESIDE^MR||Iyer^Kavya||19790305|F|||||9840011111|||||ACC7"
#: begins or changes a visit
EVENTS = ["A01", "A04", "A05", "A08", "A14"]
BEGAN = "PV1|1|O" + "|" * 42


def visits(translation: Translation) -> list[Call]:
    return [call for call in translation.calls if call.resource == "patient-visits"]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("policy", [(), ("account", "admission"), ("park",)])
def test_pv1_2_n_means_that_there_is_no_visit(adt: Adt, event: str, policy: Any) -> None:
    pv1 = f"PV1|1|N|{'|' * 15}|V88{'|' * 25}20260301101500"
    translation = adt(PID, pv1, event=event, no_visit_number=policy)
    assert [call.resource for call in translation.calls] == ["patients"]
    assert translation.problem == ""


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    ("policy", "ids"),
    [
        ((), []),
        (("account",), ["ACC7"]),
        (("admission",), ["4711-20260301T0445Z"]),
        # in the order of the mapping, whatever the order of the words
        (("admission", "account"), ["ACC7"]),
        (("account", "park"), ["ACC7"]),
    ],
)
def test_what_stands_for_a_visit_number(adt: Adt, event: str, policy: Any, ids: list[str]) -> None:
    translation = adt(PID, f"{BEGAN}20260301101500", event=event, no_visit_number=policy)
    assert [call.external_id for call in visits(translation)] == ids
    assert translation.calls[0].resource == "patients"


@pytest.mark.parametrize("event", EVENTS)
def test_a_visit_without_a_number_parks_the_message_where_the_site_says_so(
    adt: Adt, event: str
) -> None:
    translation = adt(PID, "PV1|1|O", event=event, no_visit_number=("admission", "park"))
    assert translation.calls == ()
    assert translation.problem.startswith("no id for patient-visits")


def test_without_a_visit_segment_there_is_nothing_to_park(adt: Adt) -> None:
    translation = adt(PID, no_visit_number=("park",))
    assert [call.resource for call in translation.calls] == ["patients"]


def test_the_same_visit_has_the_same_number_with_and_without_seconds(adt: Adt) -> None:
    times = ("202603011015", "20260301101500", "20260301101559.9", "20260301044500+0000")
    made = {
        visits(adt(PID, BEGAN + time, no_visit_number=("admission",)))[0].external_id
        for time in times
    }
    assert made == {"4711-20260301T0445Z"}


@pytest.mark.parametrize("time", ["20260301", "2026030110", "soon", "20261301101500"])
def test_no_number_is_made_of_what_is_no_minute(adt: Adt, time: str) -> None:
    assert visits(adt(PID, BEGAN + time, no_visit_number=("admission",))) == []


def test_a_visit_without_a_time_waits_for_one_where_the_site_says_so(adt: Adt) -> None:
    pv1 = "PV1|1|O" + "|" * 17 + "V88"
    (usual,) = visits(adt("EVN||20260301101500", PID, pv1))
    assert usual.payload["visitDateTime"] == "2026-03-01T04:45:00Z"
    (waits,) = visits(adt("EVN||20260301101500", PID, pv1, no_visit_time="park"))
    assert "visitDateTime" not in waits.payload
    (stated,) = visits(adt(PID, pv1 + "|" * 25 + "20260301", no_visit_time="park"))
    assert stated.payload["visitDateTime"] == "2026-02-28T18:30:00Z"


@pytest.mark.parametrize(
    ("written", "policy", "sent"),
    [
        ("1979", "drop", None),
        ("1979", "first_day", "1979-01-01"),
        ("197903", "first_day", "1979-03-01"),
        ("1979-03", "first_day", "1979-03-01"),
        ("197913", "first_day", None),
        ("19790305", "first_day", "1979-03-05"),
        ("19790305", "park", "1979-03-05"),
        ("19790305053000", "park", "1979-03-05"),
        ("79", "first_day", None),
    ],
)
def test_a_partial_birth_date(adt: Adt, written: str, policy: str, sent: str | None) -> None:
    translation = adt(PID.replace("19790305", written), partial_birth_dates=policy)
    assert translation.problem == ""
    assert translation.calls[0].payload.get("dateOfBirth") == sent


def test_a_partial_birth_date_can_be_left_to_a_person(adt: Adt) -> None:
    translation = adt(PID.replace("19790305", "1979"), partial_birth_dates="park")
    assert translation.calls == ()
    assert translation.problem.startswith("PID-7: ")
    assert "1979" not in translation.problem


@pytest.mark.parametrize(
    ("wrong", "told", "suggestion"),
    [
        ("{site: no_visit_numbr, is: account}", "no setting of site", "no_visit_number"),
        ("{site: no_visit_number, is: acount}", "is never 'acount'", "account"),
        ("{site: no_visit_time, not: event s}", "is never 'event s'", "event"),
        ("{site: no_visit_number}", "no yes/no setting of site", None),
    ],
)
def test_a_condition_on_a_setting_that_cannot_be_is_a_fault(
    tmp_path: Path, shipped: Path, zauto: Catalogue, wrong: str, told: str, suggestion: str | None
) -> None:
    part = tmp_path / "parts/patient_from_pid.yaml"
    part.parent.mkdir()
    part.write_text(f"fields:\n  title: {{from: PID-5, as: title, when: {wrong}}}\n")
    with pytest.raises(MappingError) as raised:
        load([shipped, tmp_path], zauto, Site())
    (fault,) = raised.value.faults
    assert told in fault.message
    assert fault.suggestion == suggestion


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ("{site: uhid, is: allocate}", True),
        ("{site: uhid, not: [allocate, digits]}", False),
        ("{site: country, is: [IN, NP]}", True),
        ("{site: country, not: [IN, NP]}", False),
        ("{site: next_of_kin_phone, is: 'false'}", True),
    ],
)
def test_a_rule_can_ask_what_a_setting_is(
    tmp_path: Path, shipped: Path, zauto: Catalogue, test: str, holds: bool
) -> None:
    part = tmp_path / "parts/patient_from_pid.yaml"
    part.parent.mkdir()
    part.write_text(f"fields:\n  remarks: {{constant: asked, when: {test}}}\n")
    mapping = load([shipped, tmp_path], zauto, Site()).find(Protocol.HL7V2, "ADT^A04")
    assert mapping is not None
    (rule,) = next(field.rules for field in mapping.calls[0].fields if field.name == "remarks")
    assert [test.decided for test in rule.when] == [holds]
