"""What-if: exactly what differs, in whatever order and place messages are translated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mapping.engine.sets import Sets
from bridge.mapping.language.load import load as load_mappings
from bridge.message import Message, Protocol
from bridge.order import OrderLine, OrderState
from bridge.pipeline.planning.translate import Rehearsal, translate
from bridge.settings import Settings, Site
from bridge.shipped import mappings_folder
from bridge.study.lessons import Lessons, lessons_of
from bridge.study.whatif.compare import compare
from bridge.study.whatif.difference import (
    MOST_EXAMPLES,
    MOST_KINDS,
    OTHERS,
    About,
    Comparison,
    DifferenceKind,
    Example,
    Point,
)
from bridge.study.whatif.sides import Labelled, Pair, Sides, translate_hl7
from bridge.study.whatif.told import shape, told
from bridge.zauto import catalogue
from tests.unit.pipeline.hl7 import adt, message

SETTINGS = Settings()
CATALOGUE = catalogue.load(mappings_folder() / "zauto")
PRESENT = load_mappings([mappings_folder()], CATALOGUE, Site())
NOBODY: frozenset[str] = frozenset()

Change = Callable[[Mapping[str, str]], Pair]


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """The shipped mappings, and the same with a site's files over them."""

    def made(files: Mapping[str, str]) -> Pair:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        changed = load_mappings([mappings_folder(), tmp_path], CATALOGUE, Site())
        return Pair(Sets.of_one(PRESENT), Sets.of_one(changed), SETTINGS)

    return made


def fhir(resource: dict[str, object]) -> Message:
    kind, body = str(resource["resourceType"]), json.dumps(resource).encode()
    return Message(
        "default", Protocol.FHIR, kind, "", "", "", 1.0, body, f"{kind}/{resource['id']}"
    )


def order(visit: str) -> Message:
    body = json.dumps({"externalVisitId": visit, "Medications": [{"name": "X"}]}).encode()
    return Message("default", Protocol.ORDERS, "prescription-order", "", "", "", 1.0, body)


def run(pair: Pair, *messages: Message | bytes, chunk: int = 3) -> Comparison:
    """As the service does it, in small chunks."""
    whole = [
        (str(number), one if isinstance(one, Message) else message(one))
        for number, one in enumerate(messages, 1)
    ]
    sides = Sides(pair)
    for start in range(0, len(whole), chunk):
        some = whole[start : start + chunk]
        hl7 = [each for each in some if each[1].protocol is Protocol.HL7V2]
        difference, taught = translate_hl7(hl7, pair)
        sides.difference.add(difference)
        lessons = iter(taught)
        for label, one in some:
            if one.protocol is Protocol.HL7V2:
                sides.learn(next(lessons))
            else:
                sides.take(label, one)
    return sides.finish()


def points(found: Comparison) -> dict[tuple[str, str], int]:
    return {(point.what, str(point.kind)): count for point, count in found.points.items()}


def test_the_same_mappings_differ_in_nothing(change: Change) -> None:
    found = run(change({}), adt(), adt(name=""), adt(kind="ORU^R01"), order("V1"))
    assert (found.messages, found.differing, found.untaken, points(found)) == (4, 0, 1, {})


def test_moving_a_rule_to_another_line_is_no_difference(change: Change) -> None:
    part = (mappings_folder() / "parts/patient_from_pid.yaml").read_text()
    found = run(change({"parts/patient_from_pid.yaml": "# moved\n\n" + part}), adt())
    assert points(found) == {}


def test_fields_are_told_as_new_gone_or_changed(change: Change) -> None:
    pair = change(
        {
            "parts/patient_from_pid.yaml": "fields:\n  remarks: {constant: seen}\n"
            "  address: {from: PID-12}\n",
            "codes/gender.yaml": "rows: {F: Woman}\n",
        }
    )
    assert points(run(pair, adt(), adt().replace(b"|F|", b"|M|"))) == {
        ("patients", "changed"): 2,
        ("patients.remarks", "added"): 2,
        ("patients.address", "removed"): 2,
        ("patients.gender", "changed"): 1,
    }


def test_examples_stand_side_by_side_and_are_few(change: Change) -> None:
    pair = change({"codes/gender.yaml": "rows: {F: Woman}\n"})
    found = run(pair, *[adt()] * 10)
    point = Point(About.FIELD, "patients.gender", DifferenceKind.CHANGED)
    examples = found.examples[point]
    assert [(e.message, e.present, e.changed) for e in examples] == [
        (str(number), "Female", "Woman") for number in range(1, MOST_EXAMPLES + 1)
    ]


def test_a_call_that_comes_or_goes_is_told_whole(change: Change) -> None:
    without = change(
        {
            "hl7v2/adt_registration.yaml": "calls:\n"
            "  - {upsert: patients, use: patient_from_pid, required: true}\n"
        }
    )
    found = run(without, adt())
    assert points(found) == {("providers", "removed"): 1, ("patient-visits", "removed"): 1}
    back = run(Pair(without.changed, Sets.of_one(PRESENT), SETTINGS), adt())
    assert points(back) == {("providers", "added"): 1, ("patient-visits", "added"): 1}
    (example,) = back.examples[Point(About.CALL, "providers", DifferenceKind.ADDED)]
    assert example.present is None
    assert example.changed["fullName"] == "Anand Rao"


def test_another_id_is_a_changed_call_and_not_two(change: Change) -> None:
    pair = change({"parts/provider_from_pv1.yaml": "id: {from: PV1-7.2}\n"})
    told_of = points(run(pair, adt()))
    assert told_of["providers", "changed"] == 1
    assert told_of["providers.id", "changed"] == 1
    assert ("providers", "added") not in told_of


def test_problems_and_remarks_that_come_and_go_are_told(change: Change) -> None:
    pair = change(
        {
            "parts/patient_from_pid.yaml": "id: {from: PID-4}\n",
            "codes/gender.yaml": "rows: {X: Other}\n",
        }
    )
    found = run(pair, adt(), adt().replace(b"|F|", b"|X|"))
    by_about = {(p.about, p.kind): (p.what, n) for p, n in found.points.items()}
    assert by_about[About.PROBLEM, DifferenceKind.ADDED][1] == 2
    assert "no id for patients" in by_about[About.PROBLEM, DifferenceKind.ADDED][0]
    assert "codes/gender does not know" in by_about[About.REMARK, DifferenceKind.REMOVED][0]


def test_a_type_newly_taken_is_told(change: Change) -> None:
    pair = change({"hl7v2/adt_registration.yaml": "messages: [ADT^A01, ADT^A04, ADT^Z03]\n"})
    found = run(pair, adt(kind="ADT^Z03"), adt(kind="ADT^A08"))
    taken = {p.kind: n for p, n in found.points.items() if p.about is About.TAKEN}
    assert taken == {DifferenceKind.ADDED: 1, DifferenceKind.REMOVED: 1}


def test_orders_know_what_each_side_learnt_of_the_visit(change: Change) -> None:
    pair = change({"parts/visit_from_pv1.yaml": "facts:\n  class: {constant: E}\n"})
    found = points(run(pair, adt(), order("V1")))
    assert found["RDE^O11.PV1-2", "changed"] == 1
    assert found["patient-visits.facts.class", "changed"] == 1


def services(status: str, received_at: float) -> Message:
    line = {"externalServiceId": "S1", "name": "ECG", "price": 300, "status": status}
    body = json.dumps({"externalVisitId": "V1", "Services": [line]}).encode()
    return Message("default", Protocol.ORDERS, "service-order", "", "", "", received_at, body)


def test_each_side_knows_what_it_would_have_sent_of_a_service(change: Change) -> None:
    pushes = [services(status, at) for at, status in enumerate(("scheduled", "checked in"), 1)]
    assert points(run(change({}), adt(), *pushes, services("cancelled", 3.0))) == {}
    pair = change({"codes/service_order_control.yaml": "rows: {checked in: NW}\n"})
    # a status of the order on one side, nothing new on the other
    assert points(run(pair, adt(), *pushes))["ORM^O01", "removed"] == 1


def test_what_was_sent_since_is_not_taken_for_what_was_sent_before(change: Change) -> None:
    class Sent(Rehearsal):
        def order_lines(self, visit_id: str) -> list[OrderLine]:
            return [OrderLine(visit_id, "S1", state=OrderState.PLACED, posted="300")]

    known = Sent()
    calls = translate(message(adt()), PRESENT, SETTINGS, known)
    assert calls is not None
    known.learn(calls.calls)
    part = "parts/orm_o01.yaml"
    text = (mappings_folder() / part).read_text().replace("{constant: CG}", "{constant: AJ}")
    sides = Sides(change({part: text}), known)
    sides.take("1", services("scheduled", 1.0))
    assert points(sides.finish())["ORM^O01.FT1-6", "changed"] == 1


def test_an_order_is_held_where_one_side_no_longer_makes_its_visit(change: Change) -> None:
    pair = change({"parts/visit_from_pv1.yaml": "id: {from: PV1-50.1}\n"})
    found = run(pair, adt(), order("V1"))
    holds = {(p.what, p.kind): n for p, n in found.points.items() if p.about is About.HOLD}
    assert holds == {("patient-visits", DifferenceKind.ADDED): 1}


def test_what_waits_is_compared_once_what_it_waits_for_has_come(change: Change) -> None:
    assert points(run(change({}), order("V1"), adt())) == {}
    pair = change({"parts/rde_o11.yaml": "id: {from: order.externalVisitId}\n"})
    assert points(run(pair, order("V1"), adt()))["RDE^O11.id", "changed"] == 1


MIXED: list[Message] = [
    message(adt()),
    order("V1"),
    order("V2"),
    message(adt(visit="V2", patient="4712")),
    message(adt(name="Rao^Asha")),
    fhir({"resourceType": "Patient", "id": "p", "name": [{"family": "Rao"}]}),
    fhir(
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "planned",
            "subject": {"reference": "Patient/p"},
        }
    ),
    order("e"),
]


def in_sequence(messages: list[Message], pair: Pair) -> Comparison:
    """One message after the other on each side, the plain way."""
    found, known = Comparison(), (Lessons(), Lessons())
    whole: list[Labelled] = [(str(n), one) for n, one in enumerate(messages)]
    waiting: list[Labelled] = []
    for last in (False, True):
        for label, one in waiting if last else whole:
            both = [
                translate(one, sets.of(""), SETTINGS, each)
                for sets, each in zip((pair.present, pair.changed), known, strict=True)
            ]
            for made, each in zip(both, known, strict=True):
                each.learn(lessons_of(made.calls) if made else ())
            if not last and any(made and made.needs for made in both):
                waiting.append((label, one))
                continue
            found.note(
                Example(label, one.message_type, point, before, after)
                for point, before, after in compare(*both)
            )
    return found


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A change that reaches orders through what is learnt of visits and patients."""
    site = tmp_path_factory.mktemp("much")
    (site / "parts").mkdir()
    for name, text in (
        ("visit_from_pv1", "facts:\n  class: {constant: E}\n"),
        ("patient_from_pid", "facts:\n  family: {from: PID-5.2}\n"),
        ("patient_from_fhir", "facts:\n  family: {constant: X}\n"),
    ):
        (site / f"parts/{name}.yaml").write_text(text)
    changed = load_mappings([mappings_folder(), site], CATALOGUE, Site())
    return Pair(Sets.of_one(PRESENT), Sets.of_one(changed), SETTINGS)


@given(st.lists(st.sampled_from(MIXED), max_size=12), st.integers(1, 5))
def test_chunks_come_to_what_a_plain_sequence_does(
    much: Pair, messages: list[Message], chunk: int
) -> None:
    whole, plain = run(much, *messages, chunk=chunk), in_sequence(messages, much)
    assert whole.points == plain.points
    assert (whole.messages, whole.differing) == (plain.messages, plain.differing)


def test_what_is_allowed_does_not_count(change: Change) -> None:
    found = run(change({"codes/gender.yaml": "rows: {F: Woman}\n"}), adt())
    for allowed, differs in (("patients.gender", False), ("patients", False), ("providers", True)):
        report = told(found, frozenset({allowed}), reveal=False)
        assert report["differs"] is differs
        assert report["differing"] == 1


def test_examples_show_the_form_of_a_value_unless_asked(change: Change) -> None:
    found = run(change({"codes/gender.yaml": "rows: {F: Woman}\n"}), adt())
    for reveal, value in ((False, "Xxxxx"), (True, "Woman")):
        report = told(found, NOBODY, reveal=reveal)
        (field,) = (d for d in report["differences"] if d["what"] == "patients.gender")
        assert field["examples"][0]["changed"] == value


@given(st.text())
def test_a_form_holds_no_letter_and_no_digit_of_the_value(text: str) -> None:
    assert set(shape(text)) <= set("xX9 …") | set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def test_kinds_and_examples_stay_few_however_many_there_are() -> None:
    found = Comparison()
    for number in range(MOST_KINDS + 50):
        point = Point(About.REMARK, f"remark {number}", DifferenceKind.ADDED)
        found.note([Example("1", "ADT^A04", point, None, None)])
    assert len(found.points) == MOST_KINDS + 1
    assert found.points[Point(About.REMARK, OTHERS, DifferenceKind.ADDED)] == 50
    more = Comparison()
    more.add(found)
    assert more.points == found.points


def test_lineage_is_no_difference() -> None:
    made = translate(message(adt()), PRESENT, SETTINGS, Lessons())
    assert made is not None
    bare = replace(made, mappings_hash="other")
    assert list(compare(made, bare)) == []
