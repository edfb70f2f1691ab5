"""Words of the language, each in a mapping as small as it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.delivery import Call, Translation
from bridge.errors import MappingError
from bridge.fhir.reader import FhirDocument
from bridge.mapping.document import Context
from bridge.mapping.engine.dotted import OrderDocument
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto import catalogue


def _write(folder: Path, name: str, text: str) -> None:
    file = folder / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _only(translation: Translation) -> dict[str, Any]:
    (call,) = translation.calls
    return call.payload


def _all(calls: tuple[Call, ...]) -> list[tuple[str, str]]:
    return [(call.external_id, call.payload["name"]) for call in calls]


Made = Callable[..., Translation]


def test_clear_states_that_there_is_no_value(made: Made) -> None:
    assert (
        _only(made("noted: {clear: true, when: PV1-45}", "PV1" + "|" * 45 + "x"))["noted"] is None
    )
    assert "noted" not in _only(made("noted: {clear: true, when: PV1-45}", "PV1|1"))


def test_a_required_field_cannot_be_cleared(
    tmp_path: Path, shipped: Path, zauto: catalogue.Catalogue
) -> None:
    _write(tmp_path, "parts/patient_from_pid", "fields:\n  fullName: {clear: true}\n")
    with pytest.raises(MappingError, match="requires this field"):
        load([shipped, tmp_path], zauto, Site())


@pytest.mark.parametrize("wrong", ["{clear: false}", "{clear: true, on: create}", "{clear: yes}"])
def test_a_clear_that_says_nothing_is_a_fault(made: Made, wrong: str) -> None:
    with pytest.raises(MappingError):
        made(f"noted: {wrong}")


def test_a_time_without_an_offset_is_of_the_zone_that_is_named(made: Made) -> None:
    rule = "noted: {from: EVN-2, as: date_time, zone: Asia/Dubai}"
    assert _only(made(rule, "EVN||20260301101500"))["noted"] == "2026-03-01T06:15:00Z"
    assert _only(made(rule, "EVN||20260301101500+0000"))["noted"] == "2026-03-01T10:15:00Z"


def test_an_unknown_zone_names_the_nearest(made: Made) -> None:
    with pytest.raises(MappingError, match="Asia/Kolkata"):
        made("noted: {from: EVN-2, as: date_time, zone: Asia/Kolkatta}")


@pytest.mark.parametrize(
    ("wrong", "told", "suggestion"),
    [
        ("name: {from: line.dose, as: dose_minimum}", "name the code table of the units", None),
        ("name: {from: line.dose, as: dose_unit, units: mgg}", "no code table 'mgg'", "mg"),
        ("name: {from: line.dose, units: mg}", "'units' goes with", None),
        ("name: {from: line.price, as: amount, units: mg}", "'units' goes with", None),
    ],
)
def test_units_that_do_not_fit_are_a_fault(
    made: Made, tmp_path: Path, wrong: str, told: str, suggestion: str | None
) -> None:
    _write(tmp_path, "codes/mg", "rows: {mg: mg}\n")
    with pytest.raises(MappingError) as raised:
        made(wrong, protocol=Protocol.ORDERS)
    (fault,) = raised.value.faults
    assert told in fault.message
    assert fault.suggestion == suggestion


def test_a_segment_cannot_require_what_it_does_not_hold(
    tmp_path: Path, shipped: Path, zauto: catalogue.Catalogue
) -> None:
    part = (shipped / "parts/orm_o01.yaml").read_text(encoding="utf-8")
    wrong = part.replace("when: line.charge\n", "when: line.charge\n        requires: 12.1.3\n")
    _write(tmp_path, "parts/orm_o01", wrong)
    with pytest.raises(MappingError) as raised:
        load([shipped, tmp_path], zauto, Site())
    (fault,) = raised.value.faults
    assert fault.message == "there is no field of FT1 '12.1.3'."
    assert fault.suggestion is not None


@pytest.mark.parametrize(
    "wrong",
    [
        "weight: {from: OBX-5, as: quantity}",
        "weight: {from: OBX-5, as: quantity, unit: kgs}",
        "weight: {from: OBX-5, as: quantity, unit: kg, stated: cm}",
        "weight: {from: OBX-5, unit: kg}",
        "weight: {from: OBX-5, as: integer, zone: Asia/Dubai}",
    ],
)
def test_a_unit_or_zone_that_does_not_fit_is_a_fault(made: Made, wrong: str) -> None:
    with pytest.raises(MappingError):
        made(wrong)


def test_the_earliest_moment_is_taken_of_all_values_in_whatever_zone_they_are(made: Made) -> None:
    rule = 'noted: {from: ["AIS[*]-4", AIG-8], as: earliest}'
    segments = ("AIS|1|||20260301101500+0530", "AIS|2|||20260301100000+0700", "AIG|1|||||||2026")
    translation = made(rule, *segments)
    assert _only(translation)["noted"] == "2026-03-01T03:00:00Z"
    assert [remark.path for remark in translation.warnings] == ["AIG-8"]
    assert [trace[1:3] for trace in translation.calls[0].lineage if trace[1]] == [
        ("AIS[*]-4 #2", "20260301100000+0700")
    ]
    assert "noted" not in _only(made(rule, "AIS|1"))


def test_a_prefix_stands_before_a_value_and_never_alone(made: Made) -> None:
    rule = "name: {from: AL1-3.2, prefix: A-}"
    assert _only(made(rule, "AL1|1||P^Penicillin"))["name"] == "A-Penicillin"
    assert "name" not in _only(made(rule, "AL1|1||P"))
    joined = 'name: {from: [AL1-3.1, AL1-3.2], join: " ", prefix: "= "}'
    assert _only(made(joined, "AL1|1||P^Penicillin"))["name"] == "= P Penicillin"
    assert _only(made(rule, 'AL1|1||^""'))["name"] is None


def test_a_condition_may_ask_that_there_is_nothing(made: Made) -> None:
    rule = "name: {from: PV1-50, when: {path: PV1-19, empty: true}}"
    alternate = "PV1|1" + "|" * 49 + "A7"
    assert _only(made(rule, alternate))["name"] == "A7"
    assert _only(made(rule, alternate.replace("||" * 18, "||" * 17 + '|""|')))["name"] == "A7"
    assert "name" not in _only(made(rule, "PV1|1" + "|" * 18 + "V1" + "|" * 31 + "A7"))


def test_a_condition_may_ask_for_a_segment(made: Made) -> None:
    call = "    when: AL1\n    required: true\n"
    assert made("name: {constant: x}", "AL1", call=call).calls
    assert made("name: {constant: x}", "PID|1", call=call).problem == "not called: there is no AL1"


def test_a_call_may_be_required_only_where_a_segment_is(made: Made) -> None:
    call = "    each: AL1\n    required: AL1\n"
    nobody = made("name: {constant: x}", "PID|1", call=call, message_id="{from: AL1-3}")
    assert (nobody.problem, nobody.calls) == ("", ())
    nameless = made("name: {constant: x}", "AL1|1", call=call, message_id="{from: AL1-3}")
    assert nameless.problem == "no id for allergies: nothing usable in AL1-3"


def test_a_call_is_made_for_each_segment(made: Made) -> None:
    segments = ("PID|1||7", "AL1|1||PCN^Penicillin", "AL1|2||LTX^Latex", "AL1|3")
    translation = made(
        "name: {from: AL1-3.2}", *segments, call="    each: AL1\n", message_id="{from: AL1-3.1}"
    )
    assert _all(translation.calls) == [("PCN", "Penicillin"), ("LTX", "Latex")]
    assert "no id for allergies" in translation.warnings[0].text


def test_segments_that_belong_together_are_taken_by_pairs(made: Made) -> None:
    segments = ("PID|1||A1", "MRG|B1", "PID|2||A2", "MRG|B2")
    translation = made(
        "name: {from: MRG-1}", *segments, call="    each: [PID, MRG]\n", message_id="{from: PID-3}"
    )
    assert _all(translation.calls) == [("A1", "B1"), ("A2", "B2")]


def test_a_group_that_lacks_a_segment_takes_no_other_groups(made: Made) -> None:
    segments = ("MRG|B0", "PID|1||A1", "PID|2||A2", "MRG|B2", "MRG|B3", "PID|3||A3")
    translation = made(
        "name: {from: MRG-1, default: none}",
        *segments,
        call="    each: [PID, MRG]\n",
        message_id="{from: PID-3}",
    )
    assert _all(translation.calls) == [("A1", "none"), ("A2", "B2"), ("A3", "none")]


def test_segments_repeat_within_a_group_that_begins_at_them(made: Made) -> None:
    segments = ("PID|1||A1", "MRG|B1", "PV1|1|I", "MRG|B2", "MRG|B3", "PV1|1|O")
    translation = made(
        "name: {from: PV1-2, default: none}",
        *segments,
        call="    each: [MRG, PV1]\n",
        message_id="{from: MRG-1}",
    )
    assert _all(translation.calls) == [("B1", "I"), ("B2", "none"), ("B3", "O")]


def test_a_required_call_for_each_group_needs_a_group(made: Made) -> None:
    translation = made("name: {from: AL1-3}", call="    each: AL1\n    required: true\n")
    assert translation.problem == "no call for allergies: the message has no AL1"
    assert translation.calls == ()


def test_a_call_is_made_for_each_repetition_of_a_field(made: Made) -> None:
    segments = ("PID|1||A1", "AL1|1||X^Cats~Y^Dogs", "PID|2||A2", "PID|3||A3", "AL1|1||Z^Hay")
    translation = made(
        "name: {from: [AL1-3.2, PID-3], join: ' of '}",
        *segments,
        call="    each: [PID, AL1-3]\n",
        message_id="{from: AL1-3.1}",
    )
    assert _all(translation.calls) == [("X", "Cats of A1"), ("Y", "Dogs of A1"), ("Z", "Hay of A3")]


def test_a_field_that_is_not_there_is_gone_through_without_a_word(made: Made) -> None:
    translation = made("name: {from: AL1-3}", "AL1|1", "AL1|2||X~Y", call="    each: AL1-3\n")
    assert ([c.payload["name"] for c in translation.calls], translation.warnings) == (
        ["X", "Y"],
        (),
    )
    translation = made("name: {from: AL1-3}", "PID|1", call="    each: AL1-3\n")
    assert (translation.calls, translation.warnings) == ((), ())


def test_repetitions_of_a_field_that_no_rule_reads_are_counted_all_the_same(made: Made) -> None:
    each = "    each: AL1-6\n"
    translation = made("name: {from: AL1-3}", "AL1|1||X|||1~2", call=each)
    assert len(translation.calls) == 2


def test_what_is_not_called_for_one_of_several_is_numbered(made: Made) -> None:
    call = "    each: AL1\n    when: {path: AL1-2, is: [DA]}\n    otherwise: only drugs count\n"
    segments = ("AL1|1|FA|X", "AL1|2|DA|Y", "AL1|3|FA|Z")
    translation = made("name: {from: AL1-3}", *segments, call=call)
    assert _all(translation.calls) == [("1", "Y")]
    told = [(remark.path, remark.text) for remark in translation.warnings]
    why = "not called: AL1-2 is none of DA (only drugs count)"
    assert told == [("allergies", why), ("allergies #3", why)]


def test_a_call_for_what_may_be_there_is_not_missed_where_it_is_not(made: Made) -> None:
    translation = made("name: {constant: x}", "PID|1", call="    when: AL1-3\n")
    assert (translation.calls, translation.warnings, translation.problem) == ((), (), "")
    required = made("name: {constant: x}", "PID|1", call="    when: AL1-3\n    required: true\n")
    assert required.problem == "not called: AL1-3 has no value"


def test_a_call_for_other_events_is_not_missed(made: Made) -> None:
    call = "    when: {path: MSH-9.2, is: [A08]}\n"
    translation = made("name: {constant: x}", "AL1|1", call=call)
    assert (translation.calls, translation.warnings, translation.problem) == ((), (), "")
    reason = made("name: {constant: x}", "AL1|1", call=f"{call}    otherwise: it stands already\n")
    (remark,) = reason.warnings
    assert remark.text == "not called: MSH-9.2 is none of A08 (it stands already)"
    required = made("name: {constant: x}", "AL1|1", call=f"{call}    required: true\n")
    assert required.problem == "not called: MSH-9.2 is none of A08"


def test_a_reason_for_not_calling_needs_a_condition(made: Made) -> None:
    with pytest.raises(MappingError, match="'otherwise' needs 'when'"):
        made("name: {constant: x}", call="    otherwise: nobody keeps it\n")


def test_a_call_is_made_for_each_item_of_a_list(made: Made) -> None:
    resource = {
        "resourceType": "Patient",
        "contact": [
            {"gender": "male", "name": {"text": "Ravi"}},
            {"name": {"text": "Uma"}, "gender": "female"},
        ],
    }
    translation = made(
        "name: {from: $this.name, as: person_name}",
        call="    each: contact\n",
        message_id="{from: $this.gender}",
        document=FhirDocument(resource, "Patient/1"),
        protocol=Protocol.FHIR,
    )
    assert _all(translation.calls) == [("male", "Ravi"), ("female", "Uma")]


def test_an_order_becomes_a_call_for_each_line(made: Made) -> None:
    order = {
        "externalVisitId": "V1",
        "Services": [
            {"externalServiceId": "S1", "name": "X-ray"},
            {"externalServiceId": "S2", "name": "ECG"},
        ],
    }
    translation = made(
        "name: {from: line.name}",
        call="    each: order.Services\n",
        message_id="{from: line.externalServiceId}",
        document=OrderDocument(order, Context()),
        protocol=Protocol.ORDERS,
    )
    assert _all(translation.calls) == [("S1", "X-ray"), ("S2", "ECG")]


def test_an_id_of_another_kind_of_group_is_a_fault(tmp_path: Path, shipped: Path) -> None:
    swap = (shipped / "hl7v2/adt_bed_swap.yaml").read_text(encoding="utf-8")
    _write(tmp_path, "hl7v2/adt_bed_swap", swap.replace("each: [PID, PV1, PV2]", "each: [PV1]"))
    with pytest.raises(MappingError, match="no earlier call for 'patients'"):
        load([shipped, tmp_path], catalogue.load(shipped / "zauto"), Site())


@pytest.mark.parametrize("wrong", ["allergy", "AL1-3.1", "AL1[2]-3", "QQQ-3", "[AL1-3, PID]"])
def test_what_is_no_segment_cannot_be_gone_through(made: Made, wrong: str) -> None:
    with pytest.raises(MappingError, match="not a segment"):
        made("name: {from: AL1-3.2}", call=f"    each: {wrong}\n")
