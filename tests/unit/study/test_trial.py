"""A test beside a mapping is run as the service would translate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import Fault
from bridge.mapping.folders import Folder, read_folder
from bridge.settings import Channel, Settings
from bridge.shipped import mappings_folder
from bridge.study.trial import Bench, Trial
from bridge.zauto.catalogue import load

MSH = r"MSH|^~\&|HIS|SGH|||20260305110500||ADT^A04|T1|P|2.5.1"
PID = "PID|1||4711^^^SGH^MR||Rao^Meera"

Run = Callable[..., Trial]


@pytest.fixture(scope="module")
def run() -> Run:
    """Run the one test of a file that stands beside the shipped mappings."""
    faults: list[Fault] = []
    shipped = read_folder(mappings_folder(), faults)
    catalogue = load(mappings_folder() / "zauto")

    def run_one(
        text: str, name: str = "hl7v2/adt_registration", settings: Settings | None = None
    ) -> Trial:
        own = Folder("site", {f"{name}_test.yaml": text})
        beside = {("site/hl7v2/adt_registration_test.yaml", "a.hl7"): f"{MSH}\r{PID}\r".encode()}

        def read_beside(file: str, wanted: str) -> bytes:
            try:
                return beside[file, wanted]
            except KeyError:
                raise FileNotFoundError(2, "No such file or directory") from None

        bench = Bench([shipped, own], catalogue, settings or Settings(), read_beside)
        (file,) = bench.files(faults)
        assert faults == []
        return bench.run(file, file.cases[0])

    return run_one


def case(*lines: str, message: str = f"{MSH}\n{PID}\n") -> str:
    block = "".join(f"      {line}\n" for line in message.splitlines())
    rest = "".join(f"    {line}\n" for line in lines)
    return f"tests:\n  - name: it\n    message: |\n{block}{rest}"


EXPECTED = (
    "expect: {calls: [{upsert: patients, id: 4711, fields: {fullName: Meera Rao, uhid: 4711}}]}"
)


def payload(trial: Trial) -> dict[str, object]:
    assert trial.made is not None
    return trial.made.calls[0].payload


def told(trial: Trial) -> str:
    (fault,) = trial.faults
    return str(fault)


def test_a_difference_is_named_after_its_test(run: Run) -> None:
    trial = run(case(EXPECTED.replace("Meera", "Mira")))
    first, *_ = [str(fault) for fault in trial.faults]
    assert "site/hl7v2/adt_registration_test.yaml:6:60: it.calls[0].fields.fullName: " in first
    assert "expected 'Mira Rao', got 'Meera Rao'; " in first
    assert "parts/patient_from_pid.yaml:" in first


def test_a_test_that_expects_nothing_yet_says_what_came(run: Run) -> None:
    trial = run(case())
    assert trial.ran
    assert "'expect' is missing; the message ended in calls." in told(trial)


def test_a_message_may_stand_in_a_file_beside(run: Run) -> None:
    assert payload(run("tests: [{name: it, file: a.hl7}]"))["fullName"] == "Meera Rao"
    trial = run("tests: [{name: it, file: b.hl7}]")
    assert not trial.ran
    assert "tests[0].file: 'b.hl7' cannot be read: No such file" in told(trial)


def test_settings_of_the_file_and_of_the_test_hold(run: Run) -> None:
    phone = f"{MSH}\n{PID}|||||||||2025550123\n".replace("|||||||||2025", "||||||||2025")
    usual, both = case(message=phone), case("site: {uhid: [allocate]}", message=phone)
    assert payload(run("site: {country: US}\n" + usual))["phoneNumber"] == "+12025550123"
    changed = payload(run("site: {country: US}\n" + both))
    assert (changed["phoneNumber"], "uhid" in changed) == ("+12025550123", False)


@pytest.mark.parametrize(
    ("lines", "told_of"),
    [
        (["site: {contry: IN}"], "tests[0].site.contry: is not a setting. Did you mean"),
        (["site: {time_zone: Pune}"], "not an IANA time zone"),
        (["hospital: {port: abc}"], "tests[0].hospital.port"),
        (["received: 2026-03-05"], "is no time with an offset, such as"),
        (["charset: klingon"], "charset: cannot hold the message"),
    ],
)
def test_what_cannot_be_run_says_why(run: Run, lines: list[str], told_of: str) -> None:
    trial = run(case(*lines))
    assert not trial.ran
    assert told_of in told(trial)


@pytest.mark.parametrize("message", ["MSHX\n", '{"resourceType": \n'])
def test_what_is_no_message_says_so(run: Run, message: str) -> None:
    trial = run(case(message=message))
    assert not trial.ran
    assert "the message" in told(trial)


def test_an_unreadable_resource_of_a_named_type_has_a_problem(run: Run) -> None:
    trial = run(case("type: Patient", message='{"resourceType": \n'), "fhir/patient")
    assert trial.made is not None
    assert "is not JSON" in trial.made.problem


def test_a_message_is_of_the_charset_it_declares(run: Run) -> None:
    latin = f"{MSH}||||||8859/1\n{PID.replace('Meera', 'Méera')}\n"
    assert payload(run(case(message=latin)))["fullName"] == "Méera Rao"
    tamil = f"{MSH}||||||8859/1\n{PID.replace('Meera', 'மீரா')}\n"
    assert "cannot hold the message" in told(run(case(message=tamil)))


def test_a_charset_that_nobody_declares_is_the_channels(run: Run) -> None:
    undeclared = case("charset: cp1252", message=f"{MSH}\n{PID.replace('Meera', 'Méera')}\n")
    assert payload(run(undeclared))["fullName"] == "Méera Rao"
    greek = Settings(channels=(Channel(name="old", fallback_charset="cp1253"),))
    named = case("charset: cp1253", "channel: old", message=f"{MSH}\n{PID.replace('Rao', 'Ρώ')}\n")
    assert payload(run(named, settings=greek))["fullName"] == "Meera Ρώ"


def test_what_is_known_and_linked_is_found(run: Run) -> None:
    visit = '{"resourceType": "Encounter", "id": "e", "subject": {"reference": "Patient/p"}}'
    held = run(case(message=visit), "fhir/encounter")
    assert held.made is not None
    assert held.made.needs == ("Patient/p",)
    assert payload(run(case("links: {Patient/p: 4711}", message=visit), "fhir/encounter")) == {
        "id": "e",
        "patientId": "4711",
        "status": "IN_QUEUE",
    }


SERVICE = '{"externalVisitId": "V1", "Services": [{"externalServiceId": "S#1", "price": 300}]}'


def test_what_the_hospital_was_sent_of_a_service_is_known(run: Run) -> None:
    known = "known: {{patient-visits/V1: {{patientId: 4711}}, service-orders/V1/{}: {{{}}}}}"
    sent = known.format("S#1#1", "state: placed, posted: 300.00, transactions: 1")
    trial = run(case(sent, "expect: {calls: []}", message=SERVICE), "orders/service")
    assert trial.made is not None
    assert trial.made.calls == ()
    other = known.format("S", "state: placed, posted: 300.00")
    trial = run(case(other, message=SERVICE), "orders/service")
    assert trial.made is not None
    assert len(trial.made.calls) == 1


@pytest.mark.parametrize(
    ("words", "told_of"),
    [
        ("state: done", "state: must be 'unplaced', 'placed'"),
        ("stat: placed", "stat: 'stat' is not one of issue, state"),
        ("issue: first", "issue: must be a whole number"),
    ],
)
def test_what_cannot_have_been_sent_says_why(run: Run, words: str, told_of: str) -> None:
    known = f"known: {{patient-visits/V1: {{}}, service-orders/V1/S: {{{words}}}}}"
    trial = run(case(known, message=SERVICE), "orders/service")
    assert not trial.ran
    assert told_of in told(trial)


def test_a_test_stands_beside_the_mapping_that_takes_it(run: Run) -> None:
    trial = run(case(EXPECTED), "hl7v2/adt_discharge")
    assert not trial.ran
    assert "is taken by hl7v2/adt_registration; write the test beside that." in told(trial)
    assert run(case(EXPECTED), "parts/patient_from_pid").ran


def test_a_test_says_the_same_whenever_it_is_run(run: Run, tmp_path: Path) -> None:
    known = "known: {patient-visits/V1: {patientId: 4711}}"
    order = case(known, message='{"externalVisitId": "V1", "Services": [{"name": "ECG"}]}')
    assert run(order, "orders/service").made == run(order, "orders/service").made
