"""The short ways to read an HL7 field give exactly what the careful way gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.document import Context
from bridge.mapping.functions import compounds
from bridge.mapping.scope import Candidates, Scope, Source
from bridge.settings import Site

#: MSH-1 and MSH-2, usual and odd; the third and fourth declare less than all
DELIMITERS = ["|^~\\&", "#!@$%", "|^~", "|^", "|^~\\&#"]
#: every delimiter of these, blanks of every kind, and what delete and escape
PIECES = [*"|^~\\&#!@$%", *'"ab .T', "\t", "\xa0", "\u3000", "\x0b", '""', "\\T\\", "\\X41\\", "MR"]
READS = [
    compounds.plain,
    compounds.HL7V2.name,
    compounds.HL7V2.identifier,
    compounds.HL7V2.telecom,
    compounds.HL7V2.address,
    compounds.doctor,
]
PATHS = ["PID-5", "PID-5.1", "PID-5.2", "PID-5.1.2", "PID-5.2.2", "PID-5[2]", "PID-5[MR]"]

Reads = Callable[[Scope, Source, str], Candidates]


def scope_of(delimiters: str, field: str) -> Scope:
    separator = delimiters[0]
    header = f"MSH{delimiters}{separator}" + separator.join("ABCD1xyzPE")
    body = f"{header}\rPID{separator * 5}{field}\rPV1{separator}1\r".encode()
    document = Hl7Document(body, scan(body), "cp1252")
    at = dt.datetime(2026, 1, 2, tzinfo=dt.UTC).timestamp()
    return Scope(document, Context(at), Site(), ZoneInfo("UTC"))


def field_of(scope: Scope) -> str:
    return str(scope.document.fields("PID", 1, 5)[5])


def told(reads: Reads, scope: Scope, source: Source) -> tuple[list[Any], set[str]]:
    """What a way to read gives, as generated functions use it: for fields that are not empty."""
    scope.deleted.clear()
    text = field_of(scope)
    found = list(reads(scope, source, text)) if text else []
    return found, set(scope.deleted)


@given(st.sampled_from(DELIMITERS), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_a_text_is_read_the_short_way_as_the_careful_way(delimiters: str, field: str) -> None:
    scope = scope_of(delimiters, field)
    for path in ("PID-5", "PID-5.1", "PID-5.2"):
        source = Source(path, parse(path), compounds.plain, None)
        short, deleted = told(Scope.read_text, scope, source)
        careful, deleted_too = told(Scope.read_field, scope, source)
        assert [each for each in short if each[0]] == [each for each in careful if each[0]]
        assert deleted == deleted_too


@given(st.sampled_from(DELIMITERS), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_the_first_text_is_the_first_that_says_something(delimiters: str, field: str) -> None:
    scope = scope_of(delimiters, field)
    text = field_of(scope)
    for component in (1, 2):
        path = f"PID-5.{component}"
        source = Source(path, parse(path), compounds.plain, None)
        said = [each for each in scope.read_field(source, text) if each[0]] or [(None, "", "")]
        assert scope.first_text(source, text) == said[0]
        part = scope.document.syntax.part(text, component)
        assert part is None or (part.strip() or None) == said[0][0]


@given(st.sampled_from(DELIMITERS), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_a_whole_field_is_read_the_short_way_as_the_careful_way(
    delimiters: str, field: str
) -> None:
    scope = scope_of(delimiters, field)
    for read in READS:
        source = Source("PID-5", parse("PID-5"), read, None)
        assert told(Scope.read_whole, scope, source) == told(Scope.read_field, scope, source)


@given(st.sampled_from(DELIMITERS), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_a_field_that_is_known_gives_what_its_path_gives(delimiters: str, field: str) -> None:
    document = scope_of(delimiters, field).document
    text = document.fields("PID", 1, 5)[5]
    for path in map(parse, PATHS):
        assert list(document.syntax.values(path, text)) == list(document.values(path))


@pytest.mark.parametrize("blank", ["\t", "\xa0", "\u3000"])
def test_blanks_of_every_kind_around_a_component_are_no_part_of_it(blank: str) -> None:
    scope = scope_of("|^~\\&", f"Iyer{blank}^{blank}Meera")
    source = Source("PID-5", parse("PID-5"), compounds.HL7V2.name, None)
    name = scope.read_whole(source, field_of(scope))[0][0]
    assert (name.family, name.given) == ("Iyer", "Meera")


def test_a_further_given_name_alone_is_the_given_name() -> None:
    scope = scope_of("|^~\\&", "Iyer^^Meera")
    source = Source("PID-5", parse("PID-5"), compounds.HL7V2.name, None)
    assert scope.read_whole(source, field_of(scope))[0][0].given == "Meera"


def test_a_field_of_the_header_is_read_the_short_way_as_the_careful_way() -> None:
    body = b'MSH|^~\\&|A\\T\\B|""|ZAUTO|CLINIC|20260102||ADT^A04|7|P|2.5.1\rPID|1\r'
    scope = Scope(Hl7Document(body, scan(body)), Context(), Site(), ZoneInfo("UTC"))
    for number, expected in ((3, ["A&B"]), (4, []), (5, ["ZAUTO"])):
        path = parse(f"MSH-{number}.1")
        text = scope.document.fields("MSH", 1, number)[number]
        found = scope.read_text(Source("MSH", path, compounds.plain, None), text)
        assert [value for value, _, _ in found] == expected
