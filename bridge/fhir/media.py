"""What FHIR says in HTTP headers: media types, versions and preferences (R4 http.html)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

#: what a body may be called; the last is what DSTU2 servers still send
JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json"}) | {
    "application/json+fhir"
}
#: what is written
CONTENT_TYPE = "application/fhir+json; charset=utf-8"

_ANY = frozenset({"*/*", "application/*"})
#: R4, and R4B, which says the same of the resources that are taken
_VERSIONS = frozenset({"", "4.0", "4.3", "4.0.1", "4.3.0"})
#: of Prefer
_RETURNS = frozenset({"minimal", "representation", "OperationOutcome"})


@lru_cache(maxsize=256)
def is_readable(content_type: str) -> bool:
    """Whether a body of this Content-Type is FHIR R4 JSON; many hooks name none at all."""
    if not content_type:
        return True
    media_type, parameters = _parsed(content_type)
    charset = parameters.get("charset", "utf-8").lower()
    return (
        media_type in JSON_TYPES
        and charset in ("utf-8", "utf8", "us-ascii")
        and parameters.get("fhirversion", "") in _VERSIONS
    )


@lru_cache(maxsize=256)
def is_acceptable(accept: str, format_parameter: str = "") -> bool:
    """Whether JSON answers what the sender wants; `_format` goes before Accept."""
    if format_parameter:
        # a plus that was not escaped in the URL arrives as a space
        return format_parameter.partition(";")[0].strip().replace(" ", "+").lower() in (
            JSON_TYPES | {"json"}
        )
    return not accept or any(_gives_json(part) for part in accept.split(","))


@lru_cache(maxsize=256)
def preference(prefer: str) -> str:
    """`return=` of a Prefer header: minimal, representation, OperationOutcome; "" for none."""
    for part in prefer.replace(",", ";").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "return" and value in _RETURNS:
            return value
    return ""


def _gives_json(part: str) -> bool:
    media_type, parameters = _parsed(part)
    refused = parameters.get("q", "1").rstrip("0").rstrip(".") in ("0", "")
    return (
        media_type in (JSON_TYPES | _ANY)
        and not refused
        and parameters.get("fhirversion", "") in _VERSIONS
    )


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    media_type, *parameters = text.split(";")
    return media_type.strip().lower(), dict(_pairs(parameters))


def _pairs(parameters: list[str]) -> Iterator[tuple[str, str]]:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        yield name.strip().lower(), value.strip().strip('"')
