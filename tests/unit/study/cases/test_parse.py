"""A file of tests is read as strictly as a mapping."""

from __future__ import annotations

import pytest

from bridge.errors import Fault
from bridge.study.cases.language import CaseFile
from bridge.study.cases.parse import parse_cases

GOOD = """\
tests:
  - name: a patient
    message: |
      MSH|^~\\&|A
      PID|1
    site: {country: IN}
    links: {Patient/1: 4711}
    known: {patients/4711: {family: Rao}}
    expect:
      calls:
        - upsert: patients
          id: 4711
          fields: {fullName: Rao}
          cleared: [address]
      remarks:
        - PID-7: is not a date; left out
"""


def parsed(text: str) -> tuple[CaseFile, list[Fault]]:
    faults: list[Fault] = []
    return parse_cases(text, "a_test.yaml", "hl7v2/a", faults), faults


def faults_of(text: str) -> list[str]:
    return [str(fault) for fault in parsed(text)[1]]


def test_everything_stated_is_read() -> None:
    file, faults = parsed(GOOD)
    assert faults == []
    (case,) = file.cases
    assert (case.name, case.place.line) == ("a patient", 2)
    assert case.message is not None
    assert case.message.text == "MSH|^~\\&|A\nPID|1\n"
    assert case.expect is not None
    assert case.expect.calls is not None
    (call,) = case.expect.calls
    assert (call.interaction, call.target.text, call.place.line) == ("upsert", "patients", 11)
    assert [word.text for word in call.cleared] == ["address"]
    assert call.facts is None
    (((path, _),),) = case.expect.remarks
    assert path.text == "PID-7"


@pytest.mark.parametrize(
    ("wrong", "instead", "told"),
    [
        ("    site:", "    sight:", "a_test.yaml:6:5: tests[0].sight: 'sight' is not a word"),
        ("    site:", "    sight:", "Did you mean 'site'?"),
        ("fields:", "feilds:", "a_test.yaml:13:11: tests[0].expect.calls[0].feilds"),
        ("fields:", "feilds:", "Did you mean 'fields'?"),
        ("  - name: a patient\n    m", "  - m", "tests[0].name: 'name' is missing."),
        ("- upsert: patients", "- update: patients", "say exactly one of upsert, create, delete"),
        ("{fullName: Rao}", "{fullName: [Rao]}", "fields.fullName: takes one word, not a list."),
        ("[address]", "{address: x}", "cleared: takes a word or a list of words."),
        ("patients/4711: {", "patients: {", "name a record by its resource and id"),
        ("is not a date; left out", "{a: b}", "remarks[0].PID-7: takes one word, not a table."),
        ("      calls:", "      held: [a]\n      calls:", "say exactly one of calls, held,"),
        ("    site:", "    file: x.hl7\n    site:", "say exactly one of message, file."),
        ("{country: IN}", "&here {country: IN}", "an anchor is not taken"),
        ("id: 4711", "id: 1\n          id: 2", "'id' stands twice; keep one"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(wrong: str, instead: str, told: str) -> None:
    assert wrong in GOOD
    assert any(told in fault for fault in faults_of(GOOD.replace(wrong, instead, 1)))


def test_a_file_holds_at_least_one_test() -> None:
    assert faults_of("about: nothing\n") == ["a_test.yaml:1:1: tests: list at least one test."]


def test_each_test_has_a_name_of_its_own() -> None:
    twice = GOOD + GOOD.removeprefix("tests:\n")
    assert any("is the name of another test" in fault for fault in faults_of(twice))
