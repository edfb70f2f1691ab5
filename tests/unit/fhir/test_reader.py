from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LimitError, ReadError
from bridge.fhir.paths import parse
from bridge.fhir.reader import MAX_DEPTH, FhirDocument, read, relative

CORPUS = Path(__file__).parents[4] / "shared/corpus/fhir"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf{"resourceType": "Patient"}') == {"resourceType": "Patient"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "is not JSON at line 1 column 1"),
        (b'{"a": 1', "is not JSON at line 1"),
        (b'{"a": 1} {"b": 2}', "is not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e400}', "too large"),
        (b'{"a": 1, "b": 2, "a": 3}', "has the key 'a' twice"),
        (b'{"a": {"b": 1, "b": 1}}', "has the key 'b' twice"),
        (b'{"a": "\xff"}', "is not UTF-8 at byte 7"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8 at byte 0"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": "tab\there"}', "is not JSON"),
    ],
)
def test_what_is_not_one_strict_json_object_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(ReadError, match=told):
        read(body)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert read(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def test_the_greatest_depth_is_read_and_one_more_is_refused() -> None:
    assert read(nested(MAX_DEPTH))
    with pytest.raises(LimitError):
        read(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("body", [nested(100_000), b'{"a":' + b"[" * 100_000])
def test_endless_nesting_is_refused_not_followed(body: bytes) -> None:
    with pytest.raises(LimitError):
        read(body)


def test_many_brackets_in_a_shallow_body_are_no_depth() -> None:
    assert read(json.dumps({"a": [{}] * 500, "b": "[" * 500}).encode())


def test_the_last_of_many_keys_may_repeat_without_slowing_the_refusal() -> None:
    pairs = b",".join(b'"k%d":1' % number for number in range(50_000))
    with pytest.raises(ReadError, match="'k3' twice"):
        read(b"{" + pairs + b',"k3":2}')


@given(st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.none() | st.booleans()))
def test_what_json_writes_is_read_back(value: dict[str, Any]) -> None:
    assert read(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_read_error(body: bytes) -> None:
    with suppress(ReadError):
        assert isinstance(read(body), dict)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/1", "Patient/1"),
        ("https://fhir.example.org/r4/Patient/1", "Patient/1"),
        ("https://fhir.example.org/r4/Patient/1/_history/3", "Patient/1"),
        ("Patient/1/_history/3", "Patient/1"),
        (
            "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
            "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
        ),
        ("#contained", ""),
        ("Patient?identifier=urn:a|1", ""),
        ("Patient/", ""),
        ("/1", ""),
        ("", ""),
        ("https://example.org/", ""),
    ],
)
def test_a_reference_is_cut_down_to_type_and_id(reference: str, expected: str) -> None:
    assert relative(reference) == expected


def test_the_id_is_that_of_the_reference_whatever_the_body_says() -> None:
    for resource in ({"id": "body"}, {}, {"id": 7}):
        assert FhirDocument(resource, "Patient/assigned").values(parse("id")) == ["assigned"]


def test_without_a_reference_the_id_is_the_body_s() -> None:
    assert FhirDocument({"id": "body"}, "").values(parse("id")) == ["body"]


def test_the_resource_itself_is_not_changed() -> None:
    resource = {"id": "body"}
    FhirDocument(resource, "Patient/assigned")
    assert resource == {"id": "body"}


def test_the_references_are_subject_and_participants_once_each() -> None:
    encounter = {
        "subject": {"reference": "https://a.example/fhir/Patient/1"},
        "participant": [
            {"individual": {"reference": "Practitioner/2"}},
            {"individual": {"display": "no reference"}},
            {"individual": {"reference": "Practitioner/2"}},
            {"individual": {"reference": 7}},
            {"actor": {"reference": "urn:uuid:x"}},
        ],
        "serviceProvider": {"reference": "Organization/9"},
    }
    assert FhirDocument(encounter, "Encounter/1").references() == (
        "Patient/1",
        "Practitioner/2",
        "urn:uuid:x",
    )


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of public messages is not here")
def test_every_file_of_the_corpus_is_read_or_refused_with_a_reason() -> None:
    files = [file for file in CORPUS.rglob("*") if file.is_file()]
    reasons = [reason for file in files if (reason := _refusal(file.read_bytes())) is not None]
    assert all(reasons)
    assert len(reasons) < len(files) / 10


def _refusal(body: bytes) -> str | None:
    try:
        read(body)
    except ReadError as error:
        return str(error)
    return None
