"""Prescription and service orders to HL7 v2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge.delivery import Call, Interaction, Target, Translation
from bridge.hl7v2 import grammar, writer
from bridge.lineage import Origin
from bridge.mapping.document import Context
from bridge.settings import Hospital

Order = Callable[..., Translation]

CONTEXT = Context(
    received_at=1772347500.0,
    key="K7Q2M4X6Z8B3D5F7",
    hospital=Hospital(),
    known={
        "patient-visits/V88": {
            "visitNumber": "V88",
            "class": "O",
            "pointOfCare": "OPD",
            "patientId": "4711",
            "providerId": "D9",
        },
        "patients/4711": {
            "identifier": "4711",
            "identifierType": "MR",
            "authority": "LAKESIDE",
            "family": "Iyer",
            "given": "Kavya",
            "dateOfBirth": "1979-03-05",
            "sex": "F",
        },
        "providers/D9": {"id": "D9", "family": "Menon", "given": "Arun"},
    },
)


def _medicine(**words: Any) -> dict[str, Any]:
    return {"externalMedicineId": "M1", "name": "Paracetamol", "dose": "1 tablet", **words}


@pytest.fixture
def prescription(order: Order) -> Callable[..., Call]:
    """The call of a prescription of these medicines."""

    def send(*medicines: dict[str, Any], context: Context = CONTEXT) -> Call:
        body = {"externalVisitId": "V88", "Medications": list(medicines)}
        (call,) = order("prescription", body, context).calls
        return call

    return send


@pytest.fixture
def services(order: Order) -> Callable[..., Call]:
    """The call of an order of these services."""

    def send(*lines: dict[str, Any], context: Context = CONTEXT) -> Call:
        body = {"externalVisitId": "V88", "Services": list(lines)}
        (call,) = order("service", body, context).calls
        return call

    return send


def _segments(call: Call, name: str) -> list[dict[str, str]]:
    return [values for segment, values in call.payload["segments"] if segment == name]


def test_a_prescription_is_one_rde_for_the_hospital(prescription: Callable[..., Call]) -> None:
    call = prescription(_medicine(frequency="1-0-1", when="after food", duration="5 days"))
    assert (call.target, call.interaction) == (Target.HOSPITAL, Interaction.SEND)
    assert (call.resource, call.external_id) == ("RDE^O11", CONTEXT.key)
    assert writer.write(call.payload["segments"]).decode().split("\r") == [
        r"MSH|^~\&|ZAUTO|ZAUTOAI|HIS|HOSPITAL|20260301121500+0530||RDE^O11^RDE_O11"
        "|K7Q2M4X6Z8B3D5F7|P|2.5.1",
        "PID|1||4711^^^LAKESIDE^MR||Iyer^Kavya||19790305|F",
        "PV1|1|O|OPD||||D9^Menon^Arun||||||||||||V88",
        "ORC|NW|K7Q2M4X6Z8B3D5F7-1|||||||20260301121500+0530|||D9^Menon^Arun",
        "RXE||M1^Paracetamol^99ZAUTO|1||TAB^tablet||^1 tablet 1-0-1 after food 5 days"
        "||||||||K7Q2M4X6Z8B3D5F7-1",
        "TQ1|1||BID|||5^d|||||1 tablet 1-0-1 after food 5 days",
        "RXR|OTH^Other/Miscellaneous^HL70162",
        "",
    ]


@pytest.mark.parametrize("kind", ["prescription", "service"])
@pytest.mark.parametrize("facts", ["all", "none"])
def test_the_standards_grammar_finds_no_fault(order: Order, kind: str, facts: str) -> None:
    known = CONTEXT.known if facts == "all" else {**CONTEXT.known, "providers/D9": {}}
    context = Context(received_at=1.0, key="K1", hospital=Hospital(), known=known)
    body = {
        "externalVisitId": "V88",
        "Medications": [
            _medicine(frequency="BD", duration="2 weeks", notes="with water | & ^ ~ \\"),
            _medicine(name="मरहम", dose="as directed"),
            _medicine(dose=""),
        ],
        "Services": [
            {"externalServiceId": "S1", "name": "X-ray", "price": 300, "status": "scheduled"},
            {"externalServiceId": "S2", "name": "ECG", "status": "weird"},
        ],
    }
    (call,) = order(kind, body, context).calls
    assert grammar.check_structure(writer.write(call.payload["segments"])) == []


def test_an_appointment_without_a_visit_number_is_named_by_its_own(order: Order) -> None:
    facts = {"appointment": "AP5", "patientId": "4711"}
    context = replace(CONTEXT, known={**CONTEXT.known, "patient-visits/SCH2-AP5": facts})
    body = {"externalVisitId": "SCH2-AP5", "Medications": [_medicine()]}
    (call,) = order("prescription", body, context).calls
    (pv1,) = (fields for name, fields in call.payload["segments"] if name == "PV1")
    assert "19.1" not in pv1
    assert pv1["50.1"] == "AP5"


def test_an_order_of_an_unknown_visit_waits_for_it(order: Order) -> None:
    body = {"externalVisitId": "V1", "Medications": [_medicine()]}
    translation = order("prescription", body, CONTEXT)
    assert translation.calls == ()
    assert translation.needs == ("patient-visits/V1",)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"Medications": [_medicine()]}, "order.externalVisitId has no value"),
        ({"externalVisitId": "V88", "Medications": []}, "order.Medications has no value"),
        ({"externalVisitId": "V88"}, "order.Medications has no value"),
    ],
)
def test_an_order_without_visit_or_lines_is_a_problem(
    order: Order, body: dict[str, Any], told: str
) -> None:
    translation = order("prescription", body, CONTEXT)
    assert translation.calls == ()
    assert told in translation.problem


@pytest.mark.parametrize(
    ("frequency", "code"),
    [("1-0-1", "BID"), ("bd", "BID"), ("TDS", "TID"), ("HS", "QHS"), ("sos", "PRN"), ("?", None)],
)
def test_a_frequency_is_coded_where_it_is_known_and_always_sent_as_written(
    prescription: Callable[..., Call], frequency: str, code: str | None
) -> None:
    (tq1,) = _segments(prescription(_medicine(frequency=frequency)), "TQ1")
    assert tq1.get("3.1") == code
    assert frequency in tq1["11"]


def test_numbers_are_stable_and_short(prescription: Callable[..., Call]) -> None:
    lines = [_medicine() for _ in range(120)]
    first, again = prescription(*lines), prescription(*lines)
    assert first == again
    numbers = [orc["2"] for orc in _segments(first, "ORC")]
    assert len(set(numbers)) == 120
    assert max(map(len, numbers)) <= 20
    assert _segments(first, "MSH")[0]["10"] == CONTEXT.key


def test_a_service_keeps_its_number_from_push_to_push(services: Callable[..., Call]) -> None:
    later = Context(received_at=9e8, key="OTHERKEY", hospital=Hospital(), known=CONTEXT.known)
    new = services({"externalServiceId": "S1", "name": "X-ray", "status": "scheduled"})
    cancel = services(
        {"externalServiceId": "S9", "name": "ECG", "status": "scheduled"},
        {"externalServiceId": "S1", "name": "X-ray", "status": "cancelled"},
        context=later,
    )
    (placed,), (_, cancelled) = _segments(new, "ORC"), _segments(cancel, "ORC")
    assert placed["2"] == cancelled["2"] == _segments(new, "OBR")[0]["2"]
    assert (placed["1"], cancelled["1"]) == ("NW", "CA")
    twice = services(*[{"externalServiceId": "S1", "name": "X-ray"}] * 2)
    assert len({orc["2"] for orc in _segments(twice, "ORC")}) == 2


@pytest.mark.parametrize(
    ("status", "control", "state"),
    [
        (None, "NW", None),
        ("Scheduled", "NW", None),
        ("updated", "XO", None),
        ("canceled", "CA", None),
        ("in progress", "SC", "IP"),
        ("completed", "SC", "CM"),
        ("sample spilt", "SC", None),
    ],
)
def test_a_services_status_becomes_an_order_control(
    services: Callable[..., Call], status: str | None, control: str, state: str | None
) -> None:
    call = services({"externalServiceId": "S1", "name": "X-ray", "status": status})
    (orc,) = _segments(call, "ORC")
    assert (orc["1"], orc.get("5")) == (control, state)
    assert [note["3"] for note in _segments(call, "NTE")] == ([status] if status else [])


@pytest.mark.parametrize(
    ("price", "written"),
    [
        (300, "300"),
        (300.0, "300"),
        (99.5, "99.5"),
        (0, "0"),
        (1e3, "1000"),
        (2.125, "2.13"),
        (1.005, "1.01"),
        (599.9699999, "599.97"),
        (999.995, "1000.00"),
        ("1,200.50", "1200.50"),
        ("1,000.00", "1000.00"),
        ("5,00,000", "500000"),
        ("599.9699999", "599.97"),
        (" 450 ", "450"),
        (999_999_999_999, "999999999999"),
    ],
)
def test_a_price_is_a_charge_in_the_sites_currency(
    services: Callable[..., Call], price: Any, written: str
) -> None:
    call = services({"externalServiceId": "S1", "name": "X-ray", "price": price})
    (ft1,) = _segments(call, "FT1")
    assert (ft1["12.1.1"], ft1["12.1.2"], ft1["6"]) == (written, "INR", "CG")


@pytest.mark.parametrize(
    "price",
    [
        *(-300, -0.5, True, float("nan"), float("inf"), 10**12, 10**300, {"value": 3}),
        *("1,00", "1.000", "1e3", "-300", "+300", "on request", "Rs 300", "300/-", "٣٠٠", "3 000"),
        *("0,5", "1_000", ".5", "1.000,50", "nan", "Infinity", " "),
    ],
    ids=lambda price: repr(price)[:20],
)
def test_without_an_amount_there_is_no_charge(order: Order, price: Any) -> None:
    line = {"externalServiceId": "S1", "name": "X-ray", "price": price}
    translation = order("service", {"externalVisitId": "V88", "Services": [line]}, CONTEXT)
    (call,) = translation.calls
    assert [segment for segment, _ in call.payload["segments"]] == [
        "MSH",
        "PID",
        "PV1",
        "ORC",
        "OBR",
    ]
    remarks = [(remark.path, remark.text) for remark in translation.warnings]
    assert remarks == [("line.price", "is not an amount of money; left out")]


def test_a_service_without_a_price_is_no_charge_and_no_remark(order: Order) -> None:
    line = {"externalServiceId": "S1", "name": "X-ray"}
    translation = order("service", {"externalVisitId": "V88", "Services": [line]}, CONTEXT)
    assert _segments(translation.calls[0], "FT1") == []
    assert translation.warnings == ()


@pytest.mark.parametrize(
    ("currency", "price", "written"),
    [
        ("KWD", 1.1255, "1.126"),
        ("OMR", 2.125, "2.125"),
        ("JPY", 599.5, "600"),
        ("AED", 1.125, "1.13"),
    ],
)
def test_a_price_is_rounded_to_the_decimals_of_its_currency(
    order: Order, currency: str, price: float, written: str
) -> None:
    body = {"externalVisitId": "V88", "Services": [{"externalServiceId": "S1", "price": price}]}
    (call,) = order("service", body, CONTEXT, currency=currency).calls
    (ft1,) = _segments(call, "FT1")
    assert (ft1["12.1.1"], ft1["12.1.2"]) == (written, currency)


def test_a_price_is_read_with_the_sites_decimal_comma(order: Order) -> None:
    prices = ("62,5", "1,000")
    lines = [{"externalServiceId": f"S{price}", "price": price} for price in prices]
    body = {"externalVisitId": "V88", "Services": lines}
    (call,) = order("service", body, CONTEXT, decimal_comma=True).calls
    assert [ft1["12.1.1"] for ft1 in _segments(call, "FT1")] == ["62.5"]


def test_what_is_not_written_has_no_origin(
    services: Callable[..., Call], told: Callable[..., tuple[Origin, ...]]
) -> None:
    line = {"externalServiceId": "S1", "name": "X-ray", "price": "on request"}
    call = services(line, {**line, "price": 300})
    charges = [origin.field for origin in told(call) if origin.field.startswith("FT1")]
    written = ["2", "4", "6", "7.1", "7.2", "7.3", "12.1.1", "12.1.2"]
    assert charges == [f"FT1[2]-{place}" for place in written]


def test_every_written_value_knows_where_it_came_from(
    prescription: Callable[..., Call], told: Callable[..., tuple[Origin, ...]]
) -> None:
    call = prescription(_medicine(notes="with water"), _medicine(name="Syrup"))
    fields = [origin.field for origin in told(call)]
    assert len(fields) == len(set(fields))
    origin = next(o for o in told(call) if o.field == "RXE[2]-2.2")
    assert (origin.path, origin.raw) == ("line.name", "Syrup")
    written = sum(len(values) for _, values in call.payload["segments"])
    assert len(fields) == written + 1
