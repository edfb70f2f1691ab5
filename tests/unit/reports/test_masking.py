"""People are masked, constants are not."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.causes import MASK
from bridge.delivery import Call, Interaction, Target
from bridge.lineage import Origin
from bridge.reports.masking import masked_payload


def origin(field: str, made_by: str = "", path: str = "PID-8") -> Origin:
    return Origin(field, path, "F", "parts/patient_from_pid.yaml:1", made_by)


def a_call(payload: dict[str, Any], target: Target = Target.ZAUTO) -> Call:
    return Call(target, Interaction.UPSERT, "patients", "P1", payload)


@pytest.mark.parametrize(
    ("made_by", "path", "shown"),
    [
        ("codes/gender: F", "PID-8", True),
        ("codes/gender[MEDIS]: F", "PID-8", True),
        ("codes/encounter_class_to_hl7: otherwise", "PID-8", True),
        ("constant", "", True),
        ("site.country_code", "", True),
        # the table keeps what the sender wrote
        ("codes/language: otherwise keep", "PID-15", False),
        ("person_name", "PID-5", False),
        ("", "PID-5", False),
        ("default", "PID-5", False),
    ],
)
def test_what_the_mappings_state_is_shown(made_by: str, path: str, shown: bool) -> None:
    call = a_call({"gender": "FEMALE"})
    payload = masked_payload(call, [origin("gender", made_by, path)])
    assert payload == {"gender": "FEMALE" if shown else MASK}


def test_a_value_without_an_origin_is_hidden_and_null_stays() -> None:
    assert masked_payload(a_call({"uhid": 4711, "email": None}), []) == {
        "uhid": MASK,
        "email": None,
    }


def test_of_a_message_to_the_hospital_segments_and_constants_are_shown() -> None:
    segments = [
        ("ORC", {"1": "NW", "2": "V1"}),
        ("RXE", {"2.1": "Florblemycin", "5": "mg"}),
        ("RXE", {"2.1": "Other", "5": "mg"}),
    ]
    call = a_call({"segments": segments}, Target.HOSPITAL)
    origins = [
        origin("ORC-1", "constant", ""),
        origin("ORC-2", "", "externalVisitId"),
        origin("RXE[1]-2.1", "", "line.name"),
        origin("RXE[1]-5", "codes/dose_unit: mg"),
        origin("RXE[2]-2.1", "", "line.name"),
        origin("RXE[2]-5", "codes/dose_unit: mg"),
    ]
    assert masked_payload(call, origins)["segments"] == [
        ("ORC", {"1": "NW", "2": MASK}),
        ("RXE", {"2.1": MASK, "5": "mg"}),
        ("RXE", {"2.1": MASK, "5": "mg"}),
    ]


def test_what_only_some_lines_take_from_a_table_is_hidden() -> None:
    call = a_call({"segments": [("RXE", {"5": "mg"}), ("RXE", {"5": "Meera"})]}, Target.HOSPITAL)
    origins = [origin("RXE[1]-5", "codes/dose_unit: mg"), origin("RXE[2]-5", "", "line.unit")]
    assert masked_payload(call, origins)["segments"] == [("RXE", {"5": MASK}), ("RXE", {"5": MASK})]
