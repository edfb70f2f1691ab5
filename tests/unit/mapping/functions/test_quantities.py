"""Quantities and whole numbers of a message: as a whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.delivery import Translation
from bridge.fhir.reader import FhirDocument
from bridge.message import Protocol

Made = Callable[..., Translation]
#: numbers of which a reader could take a part
NO_NM = (
    *("x", "1,000", "70,5", "70.5.1", "1e3", "1E3", "7 2", "1_000", "72kg", ">70", "70-80"),
    *("٧٢", "７２", "NaN", "Infinity", "-Infinity", "0x48", "--5", "+", ".", "9" * 400),
)


def _only(translation: Translation) -> dict[str, Any]:
    (call,) = translation.calls
    return call.payload


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("72^kg", 72),
        ("158.7^lb", 71.985),
        ("850^g", 0.85),
        ("72", 72),
        ("+72^kg", 72),
        ("072.50^kg", 72.5),
        (".5^kg", 0.5),
        ("2^cm", None),
        *((f"{number}^kg", None) for number in NO_NM),
    ],
)
def test_a_quantity_is_told_in_the_unit_wanted(made: Made, sent: str, told: float | None) -> None:
    rule = "weight: {from: OBX-5, as: quantity, unit: kg, stated: kg}"
    assert _only(made(rule, f"OBX|1|CQ|W||{sent}")).get("weight") == told


def test_a_number_whose_unit_nobody_states_is_no_quantity(made: Made) -> None:
    translation = made("weight: {from: OBX-5, as: quantity, unit: kg}", "OBX|1|NM|W||72")
    assert "weight" not in _only(translation)
    assert [remark.path for remark in translation.warnings] == ["OBX-5"]


def test_a_fhir_quantity_is_read_by_its_code(made: Made) -> None:
    resource = {
        "resourceType": "Patient",
        "extension": [{"valueQuantity": {"value": 98.6, "code": "[degF]"}}],
    }
    rule = "weight: {from: extension.value, as: quantity, unit: Cel}"
    document = FhirDocument(resource, "Patient/1")
    assert _only(made(rule, document=document, protocol=Protocol.FHIR))["weight"] == 37


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"value": 72}, 72),
        ({"value": 1e1}, 10),
        ({"value": 0.5}, 0.5),
        ({"value": 5e-3}, 0.005),
        ({"value": "72.5"}, 72.5),
        ({"value": 72, "comparator": "<"}, None),
        ({"value": 72, "comparator": ">="}, None),
        *(({"value": value}, None) for value in (*NO_NM, True, [72], {"value": 72}, 1e300, 10**16)),
        ({}, None),
    ],
)
def test_a_fhir_quantity_is_read_as_a_whole_or_not_at_all(
    made: Made, stated: dict[str, Any], told: float | None
) -> None:
    quantity = {"unit": "kg", **stated}
    resource = {"resourceType": "Patient", "extension": [{"valueQuantity": quantity}]}
    rule = "weight: {from: extension.value, as: quantity, unit: kg}"
    translation = made(rule, document=FhirDocument(resource, "P/1"), protocol=Protocol.FHIR)
    assert _only(translation).get("weight") == told
    assert [remark.path for remark in translation.warnings] == (
        ["extension.value"] if told is None else []
    )


@pytest.mark.parametrize("way", ["as: integer", "default: ''"])
@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("72", 72),
        ("007", 7),
        ("9" * 15, 999_999_999_999_999),
        *((number, None) for number in (*NO_NM, "72.5", "-3", "9" * 16, "9" * 5000)),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_number_field_takes_a_whole_number_or_nothing(
    made: Made, way: str, sent: str, told: int | None
) -> None:
    rule = f"weight: {{from: OBX-5.1, {way}}}"
    assert _only(made(rule, f"OBX|1|NM|W||{sent}")).get("weight") == told
