"""Code tables: rows for all, rows for one sender, and what becomes of any other code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.delivery import Translation, UnknownCode
from bridge.errors import MappingError
from bridge.hl7v2 import header
from bridge.hl7v2.reader import Hl7Document
from bridge.lineage import origins
from bridge.mapping.document import Context
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue

SENDERS = """
rows: {1: Male}
senders:
  MEDIS|RIVERSIDE: {1: Female, 7: Other}
  MEDIS: {2: Female, 7: Unknown}
  LABSYS: {F: Woman}
"""


@pytest.fixture
def with_genders(shipped: Path, zauto: Catalogue, tmp_path: Path) -> Callable[[str], Mappings]:
    """The shipped mappings with this laid over the table of genders."""

    def compiled(text: str) -> Mappings:
        (tmp_path / "codes").mkdir(exist_ok=True)
        (tmp_path / "codes/gender.yaml").write_text(text)
        return load([shipped, tmp_path], zauto, Site())

    return compiled


def translated(mappings: Mappings, code: str, sender: str = "") -> Translation:
    msh = r"MSH|^~\&|HIS|LAKESIDE|||20260301||ADT^A04|T1|P|2.5.1"
    body = f"{msh}\rPID|||77||Rao^Meera||19900101|{code}".encode()
    mapping = mappings.find(Protocol.HL7V2, "ADT^A04")
    assert mapping is not None
    document = Hl7Document(body, header.scan(body), "cp1252")
    return apply(mapping, document, Context(sender=sender))


def gender(mappings: Mappings, code: str, sender: str = "") -> str | None:
    return translated(mappings, code, sender).calls[0].payload.get("gender")


@pytest.mark.parametrize(
    ("sender", "code", "becomes"),
    [
        ("", "1", "Male"),
        ("OTHER|RIVERSIDE", "1", "Male"),
        ("MEDIS|RIVERSIDE", "1", "Female"),
        ("MEDIS|LAKESIDE", "1", "Male"),
        ("MEDIS|RIVERSIDE", "2", "Female"),
        ("MEDIS|RIVERSIDE", "7", "Other"),
        ("MEDIS|LAKESIDE", "7", "Unknown"),
        ("MEDIS", "7", "Unknown"),
        ("medis|RIVERSIDE", "7", None),
        ("LABSYS|RIVERSIDE", "f", "Woman"),
        ("LABSYS|RIVERSIDE", "M", "Male"),
        ("", "7", None),
    ],
)
def test_the_more_exact_sender_counts_and_then_the_rows_for_all(
    with_genders: Callable[[str], Mappings], sender: str, code: str, becomes: str | None
) -> None:
    assert gender(with_genders(SENDERS), code, sender) == becomes


def test_lineage_names_the_row_of_the_sender(with_genders: Callable[[str], Mappings]) -> None:
    mappings = with_genders(SENDERS)
    told = {}
    for sender in ("MEDIS|RIVERSIDE", "MEDIS|LAKESIDE", ""):
        call = translated(mappings, "7" if sender else "1", sender).calls[0]
        (told[sender],) = [
            origin.made_by
            for origin in origins(call.lineage, mappings.legend)
            if origin.field == "gender"
        ]
    assert told == {
        "MEDIS|RIVERSIDE": "codes/gender[MEDIS|RIVERSIDE]: 7",
        "MEDIS|LAKESIDE": "codes/gender[MEDIS]: 7",
        "": "codes/gender: 1",
    }


def test_a_site_adds_single_codes_to_single_senders(
    shipped: Path, zauto: Catalogue, tmp_path: Path
) -> None:
    for name, text in (
        ("one", "senders: {MEDIS: {1: Male, 2: Female}, LABSYS: {1: Male}}"),
        ("two", "senders: {MEDIS: {2: Other}, PACS: {2: Male}}"),
    ):
        (tmp_path / name / "codes").mkdir(parents=True)
        (tmp_path / name / "codes/gender.yaml").write_text(text)
    mappings = load([shipped, tmp_path / "one", tmp_path / "two"], zauto, Site())
    found = [gender(mappings, code, sender) for sender in ("MEDIS|X", "PACS|X") for code in "12"]
    assert found == ["Male", "Other", "Male", "Male"]
    assert gender(mappings, "1", "LABSYS|X") == "Male"


def test_what_a_senders_rows_give_is_checked_too(
    shipped: Path, zauto: Catalogue, tmp_path: Path
) -> None:
    (tmp_path / "codes").mkdir()
    file = tmp_path / "codes/encounter_status.yaml"
    file.write_text("senders: {MEDIS: {arrived: IN_QUE}}\n")
    with pytest.raises(MappingError) as caught:
        load([shipped, tmp_path], zauto, Site())
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.key) == (str(file), 1, "senders.MEDIS.arrived")
    assert fault.suggestion == "IN_QUEUE"
    assert "which fields.status of parts/visit_from_encounter takes" in fault.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("senders: {MEDIS: Male}", "codes/gender.yaml:1:11: senders.MEDIS: takes a table"),
        ("senders: {MEDIS: {1: [a]}}", "senders.MEDIS.1: takes one word"),
        ("senders: {'|RIVERSIDE': {1: a}}", "name a sending application"),
        ("senders: [MEDIS]", "senders: takes a table"),
        ("sender: {MEDIS: {1: a}}", "Did you mean 'senders'"),
    ],
)
def test_what_is_wrong_with_senders_is_told(
    with_genders: Callable[[str], Mappings], text: str, told: str
) -> None:
    with pytest.raises(MappingError) as raised:
        with_genders(text)
    assert told in str(raised.value)


def test_a_table_without_senders_is_asked_as_it_stands(
    with_genders: Callable[[str], Mappings],
) -> None:
    mappings = with_genders("rows: {7: Other}")
    mapping = mappings.find(Protocol.HL7V2, "ADT^A04")
    assert mapping is not None
    assert "of_sender" not in mapping.makers[0].__code__.co_names
    assert gender(mappings, "7", "MEDIS|X") == "Other"


@pytest.mark.parametrize(
    ("otherwise", "becomes", "remarks"),
    [("drop", None, 1), ("keep", "Z  9", 0), ("Unknown", "Unknown", 0)],
)
def test_an_unknown_code_is_reported_whatever_becomes_of_it(
    with_genders: Callable[[str], Mappings], otherwise: str, becomes: str | None, remarks: int
) -> None:
    made = translated(with_genders(f"otherwise: {otherwise}\n"), "Z  9")
    assert made.calls[0].payload.get("gender") == becomes
    assert made.unknown_codes == (UnknownCode("gender", "Z 9", held=False),)
    assert sum("codes/gender" in remark.text for remark in made.warnings) == remarks
    assert made.needs == ()


def test_hold_makes_no_call_and_names_the_row_that_is_waited_for(
    with_genders: Callable[[str], Mappings],
) -> None:
    made = translated(with_genders("otherwise: hold"), "Z")
    assert made.calls == ()
    assert made.needs == ("codes/gender/Z",)
    assert made.unknown_codes == (UnknownCode("gender", "Z", held=True),)
    assert made.problem == ""


def test_hold_holds_for_senders_without_the_row_only(
    with_genders: Callable[[str], Mappings],
) -> None:
    mappings = with_genders("otherwise: hold\nsenders: {MEDIS: {Z: Other}}")
    assert gender(mappings, "Z", "MEDIS|X") == "Other"
    assert translated(mappings, "Z", "LABSYS|X").needs == ("codes/gender/Z",)


def test_a_code_that_is_not_sent_is_no_unknown_code(
    with_genders: Callable[[str], Mappings],
) -> None:
    made = translated(with_genders("otherwise: hold"), "")
    assert (made.needs, made.unknown_codes) == ((), ())
    assert "gender" not in made.calls[0].payload
