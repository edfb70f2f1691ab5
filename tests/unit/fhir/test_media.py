from __future__ import annotations

import pytest

from bridge.fhir.media import is_acceptable, is_readable, preference


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/fhir+json",
        "application/json",
        "text/json",
        "application/json+fhir",
        "Application/FHIR+JSON; charset=UTF-8",
        'application/fhir+json; charset="utf-8"',
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+json;fhirversion=4.3",
    ],
)
def test_r4_json_is_read_under_all_its_names(content_type: str) -> None:
    assert is_readable(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+xml",
        "text/xml",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/fhir+json; charset=iso-8859-1",
        "application/fhir+json; fhirVersion=5.0",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_another_format_or_version_is_not_read(content_type: str) -> None:
    assert not is_readable(content_type)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/fhir+json",
        "text/html, application/json;q=0.5",
        "application/fhir+xml;q=1.0, application/fhir+json;q=1.0",
        "application/fhir+json; fhirVersion=4.0",
    ],
)
def test_json_is_acceptable(accept: str) -> None:
    assert is_acceptable(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "text/xml, application/xml",
        "application/fhir+json;q=0",
        "application/fhir+json;q=0.0",
        "application/fhir+json; fhirVersion=5.0",
    ],
)
def test_only_another_format_or_version_is_acceptable(accept: str) -> None:
    assert not is_acceptable(accept)


@pytest.mark.parametrize("wanted", ["json", "application/json", "application/fhir json", "JSON"])
def test_the_format_parameter_goes_before_accept(wanted: str) -> None:
    assert is_acceptable("application/fhir+xml", wanted)
    assert not is_acceptable("application/fhir+json", "xml")


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [
        ("", ""),
        ("return=minimal", "minimal"),
        ("respond-async, return=representation", "representation"),
        ("handling=strict; return=OperationOutcome", "OperationOutcome"),
        ("return=everything", ""),
    ],
)
def test_what_is_preferred_to_come_back(prefer: str, wanted: str) -> None:
    assert preference(prefer) == wanted
