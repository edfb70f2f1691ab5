"""The reader finds what a flattened page lists; on one that is made up, without vendor's text."""

from __future__ import annotations

import re
from pathlib import Path

from tests.acceptance.published.document import Example, FieldLine, Parameter, Published

PAGE = Published(
    """\
Standard Query Parameters
page: Which page (default: 3)size: How many (default: 7, max: 20)word: Looked for
Wards API
Endpoint: POST /hospital/wards
Required Fields
id(string): Your ward IDbeds(number): How many; any numberfloorName(string): A name
Request Example
{
"id": "w1",
"floorName": "First"
}Response (201 Created)
{
"ok": true
}Get one
Endpoint: GET /hospital/wards/{id}
Search in floorName, id
Ordering: beds (ascending)
Base: /hospital/sites
Required Fields
id: External site IDtitle: Site titlenote: Site note
Enums
WardKind: "OPEN" | "SHUT_DOWN"DELETE /hospital/sites/{id}Next
- 200: Fine
- 418: Teapot
Common Error Codes
TOO_HOT: It is too hotTOO_COLD_NOW: It is too cold
- Rate Limit: 12 requests per hour per client
X-RateLimit-Limit: 12
client_id: Formatzauto_<name>_<hex4>client_secret: Formatzauto_<hex9>
a note on a title
"""
)


def test_endpoints_and_bases_are_found_where_text_is_glued_to_them() -> None:
    assert PAGE.endpoints() == [
        ("POST", "/hospital/wards"),
        ("GET", "/hospital/wards/{id}"),
        ("DELETE", "/hospital/sites/{id}"),
    ]
    assert PAGE.bases() == ["/hospital/sites"]


def test_glued_fields_are_told_apart() -> None:
    wards, sites = "/hospital/wards", "/hospital/sites"
    assert PAGE.required() == [
        FieldLine(wards, "id", "string"),
        FieldLine(wards, "beds", "number"),
        FieldLine(wards, "floorName", "string"),
        FieldLine(sites, "id", ""),
        FieldLine(sites, "title", ""),
        FieldLine(sites, "note", ""),
    ]


def test_parameters_have_their_bounds() -> None:
    assert PAGE.parameters() == [Parameter("page", 3, 0), Parameter("size", 7, 20)]


def test_lists_enums_statuses_codes_and_limits_are_found() -> None:
    assert PAGE.searched() == {"/hospital/wards": ["floorName", "id"]}
    assert PAGE.ordered() == {"/hospital/wards": ("beds", False)}
    assert PAGE.enums() == {"WardKind": ["OPEN", "SHUT_DOWN"]}
    assert PAGE.statuses() == {200: "Fine", 418: "Teapot"}
    assert PAGE.error_codes() == ["TOO_HOT", "TOO_COLD_NOW"]
    assert PAGE.limits() == {"hour": 12}
    assert PAGE.limit_headers() == {"X-RateLimit-Limit": 12}
    assert PAGE.credential_formats() == {
        "client_id": "zauto_[a-z0-9]+_[0-9a-f]{4}",
        "client_secret": "zauto_[0-9a-f]{9}",
    }


def test_examples_have_the_line_above_them_as_title() -> None:
    path = "/hospital/wards"
    assert PAGE.examples() == [
        Example("Request Example", path, {"id": "w1", "floorName": "First"}),
        Example("Response (201 Created)", path, {"ok": True}),
    ]


def test_no_module_imports_one_that_is_skipped_where_the_document_is_absent() -> None:
    """It would find half a module there, which is an error and no skip."""
    room = Path(__file__).parent
    texts = {file.name: file.read_text(encoding="utf-8") for file in room.glob("*.py")}
    imports = re.compile(rf"^from tests\.acceptance\.{room.name}\.test_", re.MULTILINE)
    assert [name for name, text in texts.items() if imports.search(text)] == []
