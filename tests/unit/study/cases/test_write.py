"""What was made is written so that it is read again as the same, and all else stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery import Call, Interaction, Target, Translation
from bridge.errors import Fault
from bridge.remarks import Remark, RemarkCode
from bridge.study.cases.compare import compare
from bridge.study.cases.language import CaseFile
from bridge.study.cases.parse import parse_cases
from bridge.study.cases.write import as_yaml, updated
from bridge.yamlfile import Table, Word, read_table

FILE = """\
# tests of a mapping
tests:
  - name: first   # the good one
    message: x
    expect:
      calls: []
    # the end of the first

  - name: second
    expect: {unmapped: true}
    message: |
      y
  - name: third
    message: z
"""


def cases(text: str) -> CaseFile:
    faults: list[Fault] = []
    file = parse_cases(text, "t.yaml", "hl7v2/x", faults)
    assert faults == []
    return file


def call(**payload: object) -> Call:
    return Call(Target.ZAUTO, Interaction.UPSERT, "patients", "1", payload, facts={"family": "Rao"})


def translation(*calls: Call, **other: object) -> Translation:
    return Translation("hl7v2/x", "", calls, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_only_the_expectation_of_that_test_changes(number: int) -> None:
    case = cases(FILE).cases[number]
    text = updated(FILE, case, translation(call(gender="Male")))
    before, after = FILE.splitlines(), text.splitlines()
    assert [line for line in before if line not in after] == (
        [["      calls: []"], ["    expect: {unmapped: true}"], []][number]
    )
    again = cases(text).cases
    assert [one.name for one in again] == ["first", "second", "third"]
    expect = again[number].expect
    assert expect is not None
    assert compare(expect, translation(call(gender="Male")), ()) == []


def test_facts_are_written_where_they_were_stated() -> None:
    case = cases(FILE).cases[0]
    made = translation(call(gender="Male"))
    assert "facts" not in updated(FILE, case, made)
    with_facts = FILE.replace("calls: []", "calls: [{upsert: patients, facts: {}}]")
    assert "facts:\n            family: Rao" in updated(
        with_facts, cases(with_facts).cases[0], made
    )


def test_a_test_in_one_line_is_left_to_its_author() -> None:
    text = "tests: [{name: it, message: x, expect: {calls: []}}]\n"
    with pytest.raises(ValueError, match="one word a line"):
        updated(text, cases(text).cases[0], None)


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@given(
    payload=st.dictionaries(st.from_regex(r"[a-z][A-Za-z]{0,8}", fullmatch=True), TEXTS),
    where=TEXTS,
    remark=TEXTS,
)
def test_whatever_was_made_is_as_expected_once_written(
    payload: dict[str, str], where: str, remark: str
) -> None:
    payload.pop("id", None)
    made = replace(
        translation(call(**payload)), warnings=(Remark(RemarkCode.NOT_CALLED, where, remark),)
    )
    (case,) = cases(updated("tests:\n- name: a\n  message: x\n", _first(), made)).cases
    assert case.expect is not None
    assert compare(case.expect, made, ()) == []


def _first() -> object:
    return cases("tests:\n- name: a\n  message: x\n").cases[0]


@given(TEXTS)
def test_every_text_survives_the_file(text: str) -> None:
    faults: list[Fault] = []
    table = read_table(as_yaml({"message": text}, 4), "t.yaml", faults)
    assert faults == []
    assert isinstance(table, Table)
    value = table.entries["message"].value
    assert isinstance(value, Word)
    assert value.text == text
