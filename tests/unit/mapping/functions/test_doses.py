"""Doses and durations: coded where the whole text is understood, and sent as written always."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.delivery import Call, Translation
from bridge.mapping.document import Context
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.dotted import OrderDocument
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Hospital, Site
from bridge.zauto.catalogue import Catalogue

Order = Callable[..., Translation]
CASES = Path(__file__).parents[5] / "shared" / "cases"
CONTEXT = Context(
    received_at=1772347500.0, key="K1", hospital=Hospital(), known={"patient-visits/V88": {}}
)


class Rxe(NamedTuple):
    """RXE-3, RXE-4 and RXE-5 as they are sent; "" where nothing is."""

    minimum: str
    maximum: str = ""
    code: str = ""
    unit: str = "As directed"


NOT_CODED = Rxe("0")


def _prescription(order: Order, line: dict[str, Any], **site: Any) -> Call:
    body = {"externalVisitId": "V88", "Medications": [{"name": "Medicine", **line}]}
    (call,) = order("prescription", body, CONTEXT, **site).calls
    return call


def _segments(call: Call, name: str) -> list[dict[str, str]]:
    return [values for segment, values in call.payload["segments"] if segment == name]


def _rxe(call: Call) -> Rxe:
    (rxe,) = _segments(call, "RXE")
    return Rxe(*(rxe.get(place, "") for place in ("3", "4", "5.1", "5.2")))


def _notes(call: Call) -> list[str]:
    return [note["3"] for note in _segments(call, "NTE")]


def _check(order: Order, dose: Any, expected: Rxe, **site: Any) -> None:
    """The dose is coded so, or not at all with a note; the words go along either way."""
    call = _prescription(order, {"dose": dose, "frequency": "BD"}, **site)
    assert _rxe(call) == expected
    assert _notes(call) == ([] if expected != NOT_CODED else [f"Dose not coded: {dose}"])
    (rxe,), (tq1,) = _segments(call, "RXE"), _segments(call, "TQ1")
    assert rxe["7.2"] == tq1["11"] == f"{dose} BD"


CODED = {
    "1 tablet": Rxe("1", "", "TAB", "tablet"),
    "01 tab": Rxe("1", "", "TAB", "tab"),
    "1 tab.": Rxe("1", "", "TAB", "tab."),
    "1 TABLET": Rxe("1", "", "TAB", "TABLET"),
    "500mg": Rxe("500", "", "mg", "mg"),
    "500\u00a0mg": Rxe("500", "", "mg", "mg"),
    "500\u202fmg": Rxe("500", "", "mg", "mg"),
    "250 micrograms": Rxe("250", "", "ug", "micrograms"),
    "0.125 mg": Rxe("0.125", "", "mg", "mg"),
    "0.500 mg": Rxe("0.500", "", "mg", "mg"),
    "2.5 ml": Rxe("2.5", "", "mL", "ml"),
    "62.5": Rxe("62.5"),
    "2": Rxe("2"),
    "5,00,000 IU": Rxe("500000", "", "[iU]", "IU"),
    "1,00,00,000 units": Rxe("10000000", "", "[iU]", "units"),
    "1,000.5 mg": Rxe("1000.5", "", "mg", "mg"),
    "1,000.125 mg": Rxe("1000.125", "", "mg", "mg"),
    "1234.567 mg": Rxe("1234.567", "", "mg", "mg"),
    "1/2 tab": Rxe("0.5", "", "TAB", "tab"),
    "1 / 2 tab": Rxe("0.5", "", "TAB", "tab"),
    "3/4 tablet": Rxe("0.75", "", "TAB", "tablet"),
    "½ tab": Rxe("0.5", "", "TAB", "tab"),
    "½": Rxe("0.5"),
    "½ mg": Rxe("0.5", "", "mg", "mg"),
    "1½ tab": Rxe("1.5", "", "TAB", "tab"),
    "1 ½ tab": Rxe("1.5", "", "TAB", "tab"),
    "1-1/2 tab": Rxe("1.5", "", "TAB", "tab"),
    "1 1/2 tab": Rxe("1.5", "", "TAB", "tab"),
    "9 1/2 tab": Rxe("9.5", "", "TAB", "tab"),
    "9½ ml": Rxe("9.5", "", "mL", "ml"),
    "5-10 ml": Rxe("5", "10", "mL", "ml"),
    "5-10 mg": Rxe("5", "10", "mg", "mg"),
    "5-20 mg": Rxe("5", "20", "mg", "mg"),
    "0.25 to 1 g": Rxe("0.25", "1", "g", "g"),
    "25–100 mcg": Rxe("25", "100", "ug", "mcg"),
    "½-2 mg": Rxe("0.5", "2", "mg", "mg"),
    "1-10 ml": Rxe("1", "10", "mL", "ml"),
    "5 – 10 ml": Rxe("5", "10", "mL", "ml"),
    "1 to 2 tablets": Rxe("1", "2", "TAB", "tablets"),
    "2.5 to 5 ml": Rxe("2.5", "5", "mL", "ml"),
    "½-1 tab": Rxe("0.5", "1", "TAB", "tab"),
    "1/2-1 tab": Rxe("0.5", "1", "TAB", "tab"),
}


@pytest.mark.parametrize("decimal_comma", [False, True])
@pytest.mark.parametrize(("dose", "expected"), CODED.items(), ids=CODED)
def test_a_dose_that_is_a_number_and_a_known_unit_is_coded(
    order: Order, dose: str, expected: Rxe, decimal_comma: bool
) -> None:
    _check(order, dose, expected, decimal_comma=decimal_comma)


@pytest.mark.parametrize("decimal_comma", [False, True])
@pytest.mark.parametrize(
    "dose",
    [
        # two rules could read it
        *("1.000 mg", "2.125 mg", "12.500", "999.999 ml", "1.000-2.000 mg", "1/2 mg", "1/4 g"),
        # no rule reads it
        *("1.000,5 mg", "1.000.000 IU", "1,00 0 mg", "1,000,00 IU", "12,34,5 IU", "0,500,000 IU"),
        *("1.5.2 mg", "1..5 mg", ".5 mg", "5. mg", "1, mg", "01.5 mg", "00.5 mg", "1,2.5 mg"),
        *("1e3 mg", "1E3", "1_000 mg", "0x10", "1 000 mg", "1\u00a0000 mg", "1'000 mg"),
        *("+5 mg", "-1 tab", "\u22121 tab", "±5", "<5 mg", ">5 mg", "~5 mg", "5+5 mg"),
        *("1" * 21, "1" * 200_000 + " mg", "1" + " " * 100 + "mg"),
        # not a dose
        *("0", "0 mg", "0.0 ml", "0-1 tab", "0/2 tab", "00"),
        # strengths of two substances, fractions that are none
        *("10/20 mg", "250/125 mg", "5/10", "5/10 ml", "1/500 mg", "1/0 tab", "3/2 tab"),
        *("1/3 tab", "1/8 tab", "2/4 tab", "1/2", "1/2/3 tab", "1-10/20 tab", "½/½ tab"),
        "1.5½ tab",
        # a strength and a part of a tablet
        *("40 1/2 tab", "500 1/2 tab", "500 ½ tab", "500-1/2 tab", "500 - 1/2 tab", "650½ tab"),
        *("10 1/2 tab", "10½ tab", "10 3/4 tablet", "20 ¼ ml", "100 ½", "500\u00a0½ tab"),
        *("01 1/2 tab", "01½ tab", "0½ tab", "0 1/2 tab", "1-40½ tab", "500½-1 tab"),
        # two strengths, written like a range
        *("5-325 mg", "5-500 mg", "5 to 325 mg", "5\u2013325 mg", "5 - 325 mg", "37.5-325 mg"),
        *("5-21 mg", "5-20.01 mg", "0.5-2.5 g", "25-125 mcg", "25 to 125 micrograms", "½-2.5 mg"),
        # schedules, and ranges that are none
        *("1-0-1", "1-0-1 tab", "1-1-1", "0-0-1", "1-2", "1 to 2", "10-5 ml", "5-5 ml"),
        "5-10-15 ml",
        *("1-2-1/2 tab", "½-½-½ tab", "5--10 ml", "5- ml", "5\u221210 ml", "5 ml to 10 ml"),
        "5/10-20 ml",
        # more than a number and a unit
        *("2 x 500 mg", "2x500mg", "500 mg x 2", "5 mg/kg", "500 mg/5 ml", "5 mg then 10 mg"),
        *("1 tablet twice daily", "1 tablet (500 mg)", "1 tablet, 2 tablets", "1 tablet\nat night"),
        *("up to 2 tablets", "about 5 ml", "max 5 mg", "tablet 1", "mg 500", "5 mg.", "5 mg)"),
        "#1 tab",
        # a unit that no row knows
        *("1 sachet", "5 furlongs", "5 %", "1 tabet", "1 t", "5 m g", "5 mg mg"),
        # digits that an NM does not know
        *("٥ mg", "５ mg", "५ mg", "5٥ mg", "² tab", "1٫5 mg", "Ⅴ mg"),
        # words
        *("as directed", "a fingertip", "one tablet", "half tab", "NaN", "Infinity mg", "null"),
        "-",
        # what JSON has beside texts
        *(True, False, -1, 0, -0.5, 0.0, float("nan"), float("inf"), 1e300, 10**30),
    ],
    ids=lambda dose: repr(dose)[:30],
)  # fmt: skip
def test_a_dose_that_is_not_wholly_understood_is_not_coded(
    order: Order, dose: Any, decimal_comma: bool
) -> None:
    call = _prescription(order, {"dose": dose}, decimal_comma=decimal_comma)
    assert _rxe(call) == NOT_CODED
    (note,) = _notes(call)
    assert note == f"Dose not coded: {dose}"
    words = _segments(call, "RXE")[0]["7.2"], _segments(call, "TQ1")[0]["11"]
    assert words[0] == words[1] != ""


@pytest.mark.parametrize(
    ("dose", "point", "comma"),
    [
        ("0,5 ml", NOT_CODED, Rxe("0.5", "", "mL", "ml")),
        ("0,125 mg", NOT_CODED, Rxe("0.125", "", "mg", "mg")),
        ("1,5 mg", NOT_CODED, Rxe("1.5", "", "mg", "mg")),
        ("62,5", NOT_CODED, Rxe("62.5")),
        ("12,34 ml", NOT_CODED, Rxe("12.34", "", "mL", "ml")),
        ("1234,567 mg", NOT_CODED, Rxe("1234.567", "", "mg", "mg")),
        ("0,5-1,5 ml", NOT_CODED, Rxe("0.5", "1.5", "mL", "ml")),
        ("1,000 mg", Rxe("1000", "", "mg", "mg"), NOT_CODED),
        ("1,000-2,000 mg", Rxe("1000", "2000", "mg", "mg"), NOT_CODED),
        ("60,000", Rxe("60000"), NOT_CODED),
        ("12,500 IU", Rxe("12500", "", "[iU]", "IU"), NOT_CODED),
        ("0,000 mg", NOT_CODED, NOT_CODED),
        ("00,5 mg", NOT_CODED, NOT_CODED),
        ("1,5.2 mg", NOT_CODED, NOT_CODED),
    ],
)
def test_a_comma_is_what_the_site_says(order: Order, dose: str, point: Rxe, comma: Rxe) -> None:
    _check(order, dose, point)
    _check(order, dose, comma, decimal_comma=True)


@pytest.mark.parametrize(
    ("dose", "minimum"), [(500, "500"), (0.5, "0.5"), (1e3, "1000"), (2.125, "2.125")]
)
def test_a_json_number_is_a_number_without_a_unit(order: Order, dose: Any, minimum: str) -> None:
    call = _prescription(order, {"dose": dose})
    assert _rxe(call) == Rxe(minimum)
    assert _notes(call) == []


@pytest.mark.parametrize(("policy", "minimum"), [("zero", "0"), ("empty", "")])
@pytest.mark.parametrize("dose", ["as directed", "10/20 mg", "1 sachet", "", "  ", None])
def test_rxe_3_of_a_dose_that_is_not_coded_is_what_the_site_says(
    order: Order, dose: str | None, policy: str, minimum: str
) -> None:
    call = _prescription(order, {"dose": dose}, uncoded_dose=policy)
    assert _rxe(call) == Rxe(minimum)
    assert _rxe(_prescription(order, {"dose": "5 ml"}, uncoded_dose=policy)).minimum == "5"
    stated = (dose or "").strip()
    assert _notes(call) == [f"Dose not coded: {stated or 'no dose given'}"]


def test_notes_stand_side_by_side(order: Order) -> None:
    line = {"notes": "with water", "duration": "till review"}
    notes = ["with water", "Dose not coded: no dose given", "Duration not coded: till review"]
    assert _notes(_prescription(order, line)) == notes


@pytest.mark.parametrize(
    ("dose", "unknown"),
    [("1 sachet", ["sachet"]), ("1-2  eye  drops", ["eye drops"]), ("5 ml", []), ("1-0-1", [])],
)
def test_a_unit_without_a_row_is_counted(order: Order, dose: str, unknown: list[str]) -> None:
    body = {"externalVisitId": "V88", "Medications": [{"name": "Medicine", "dose": dose}]}
    codes = order("prescription", body, CONTEXT).unknown_codes
    assert [(code.table, code.code, code.held) for code in codes] == [
        ("dose_unit", code, False) for code in unknown
    ]


@pytest.mark.parametrize(
    ("table", "expected", "held"),
    [
        ("rows: {sachet: SACHET}", Rxe("1", "", "SACHET", "sachet"), False),
        ("senders: {default: {sachet: SACHET}}", Rxe("1", "", "SACHET", "sachet"), False),
        ("senders: {other: {sachet: SACHET}}", NOT_CODED, False),
        ("otherwise: keep", NOT_CODED, False),
        ("otherwise: other", NOT_CODED, False),
        ("otherwise: hold", None, True),
    ],
)
def test_a_unit_is_known_by_a_row_alone(
    tmp_path: Path, shipped: Path, zauto: Catalogue, table: str, expected: Rxe | None, held: bool
) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes/dose_unit.yaml").write_text(f"{table}\n")
    mapping = load([shipped, tmp_path], zauto, Site()).find(Protocol.ORDERS, "prescription-order")
    assert mapping is not None
    body = {"externalVisitId": "V88", "Medications": [{"name": "Medicine", "dose": "1 sachet"}]}
    context = replace(CONTEXT, sender="default")
    translation = apply(mapping, OrderDocument(body, context), context)
    assert [_rxe(call) for call in translation.calls] == ([expected] if expected else [])
    assert bool(translation.needs) is held


@pytest.mark.parametrize(
    ("duration", "number", "unit"),
    [
        ("5 days", "5", "d"),
        ("5days", "5", "d"),
        ("05 Days", "5", "d"),
        ("5\u00a0days", "5", "d"),
        ("for 10 days", "10", "d"),
        ("x 2 wk", "2", "wk"),
        ("1 month", "1", "mo"),
        ("48 hours", "48", "h"),
    ],
)
def test_a_duration_that_is_a_number_and_a_unit_of_time_is_coded(
    order: Order, duration: str, number: str, unit: str
) -> None:
    call = _prescription(order, {"dose": "1 tablet", "duration": duration})
    (tq1,) = _segments(call, "TQ1")
    assert (tq1["6.1"], tq1["6.2"], tq1["11"]) == (number, unit, f"1 tablet {duration}")
    assert _notes(call) == []


@pytest.mark.parametrize(
    "duration",
    [
        *("0 days", "00 d", "-5 days", "+5 days", "5-7 days", "5 to 7 days", "1,000 days"),
        *("1.5 months", "1/2 month", "½ month", "5 days then stop", "5 days."),
        *("1 week 2 days", "10000 days", "1e3 days", "٥ days", "５ days", "5 dayſ", "5", "days"),
        *("till review", "5 m", "5 min", "5\ndays"),
        *(5, 5.0, True),
    ],
    ids=repr,
)  # fmt: skip
def test_a_duration_that_is_not_wholly_understood_is_not_coded(order: Order, duration: Any) -> None:
    call = _prescription(order, {"dose": "1 tablet", "duration": duration})
    (tq1,) = _segments(call, "TQ1")
    assert "6.1" not in tq1
    assert "6.2" not in tq1
    assert tq1["11"].startswith("1 tablet ")
    assert _notes(call) == [f"Duration not coded: {duration}"]


@pytest.mark.parametrize("duration", [None, "", " "])
def test_a_duration_that_is_not_given_is_not_noted(order: Order, duration: str | None) -> None:
    assert _notes(_prescription(order, {"dose": "1 tablet", "duration": duration})) == []


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not beside the repository")
def test_doses_seen_in_the_field(order: Order) -> None:
    body = json.loads((CASES / "F25-dose-with-commas.json").read_text(encoding="utf-8"))
    context = replace(CONTEXT, known={f"patient-visits/{body['externalVisitId']}": {}})
    (call,) = order("prescription", body, context).calls
    doses = {line["externalMedicineId"]: line["dose"] for line in body["Medications"]}
    coded = {"D0": ("1000", "mg"), "D1": ("500000", "[iU]"), "D5": ("1.5", "TAB")}
    sent = {rxe["2.1"]: (rxe["3"], rxe.get("5.1")) for rxe in _segments(call, "RXE")}
    assert sent == {medicine: coded.get(medicine, ("0", None)) for medicine in doses}
    assert not any("4" in rxe for rxe in _segments(call, "RXE"))
    uncoded = [dose for medicine, dose in doses.items() if medicine not in coded]
    assert _notes(call) == [f"Dose not coded: {dose}" for dose in uncoded]
