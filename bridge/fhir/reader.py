"""FHIR resources as JSON: read strictly, then asked for values by path.

Tolerant of what vendors add, strict about JSON itself (RFC 8259, and what R4 json.html says of
it: UTF-8, no duplicate keys), because the next reader of the same bytes must see the same thing.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bridge.errors import LimitError, ReadError
from bridge.fhir.paths import THIS, FhirPath, parse

#: levels of objects and lists in one another; FHIR's deepest examples stay below 20
MAX_DEPTH = 64

#: the first half of a UTF-16 pair, escaped: only then can a lone surrogate be in the text
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

_SUBJECT = parse("subject.reference")
_INDIVIDUALS = parse("participant.individual.reference")
_ACTORS = parse("participant.actor.reference")


def read(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, in UTF-8 with or without a byte order mark.

    Raises ReadError for anything else than one JSON object: NaN and numbers beyond a double,
    duplicate keys, lone surrogates; LimitError for more than MAX_DEPTH levels. The messages go
    on from "the body": "is not JSON at line 1 column 5 ...".
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise ReadError(f"is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ReadError(_told(error)) from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise ReadError("holds a number with too many digits") from error
    if not isinstance(value, dict):
        raise ReadError("must be a JSON object")
    _check_depth(body, value)
    _check_surrogates(body, value)
    return value


def relative(reference: str) -> str:
    """A reference as `Type/id`: absolute URLs and versions cut down, `urn:` kept as it is.

    "" for what names no resource outside its own document (`#contained`, a search).
    """
    if reference.startswith("urn:"):
        return reference
    parts = reference.split("/")
    if len(parts) > 3 and parts[-2] == "_history":
        parts = parts[:-2]
    if len(parts) < 2 or not _is_type(parts[-2]) or not parts[-1] or set(parts[-1]) & set("?#"):
        return ""
    return f"{parts[-2]}/{parts[-1]}"


@dataclass(frozen=True, slots=True)
class FhirDocument:
    """A resource under the name the bridge keeps it by.

    The path `id` gives the id of `reference` (a create's is assigned by the server), whatever the
    body says; with no reference, the body's.
    """

    resource: dict[str, Any]
    #: `Patient/123`, or "" while it has none
    reference: str
    _named: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _, _, own_id = self.reference.partition("/")
        named = {**self.resource, "id": own_id} if own_id else self.resource
        object.__setattr__(self, "_named", named)

    def values(self, path: FhirPath) -> list[Any]:
        """Values at a path: JSON scalars and objects, in document order."""
        return path.values(self._named)

    def lines(self, path: FhirPath) -> Iterator[FhirDocument]:
        """The document once for each value at a path, which is `$this` in there."""
        for value in self.values(path):
            yield FhirDocument({**self.resource, THIS: value}, self.reference)

    def references(self) -> tuple[str, ...]:
        """What the subject and the participants refer to, as `relative` writes it."""
        paths = (_SUBJECT, _INDIVIDUALS, _ACTORS)
        return tuple(_distinct(value for path in paths for value in self.values(path)))


def _distinct(references: Iterable[Any]) -> list[str]:
    texts = [relative(value) for value in references if isinstance(value, str)]
    return [text for text in dict.fromkeys(texts) if text]


def _is_type(text: str) -> bool:
    return text.isalpha() and text.isascii() and text[0].isupper()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ReadError(f"has the key '{_repeated(pairs)[:64]}' twice in one object")
    return found


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    counts = Counter(key for key, _ in pairs)
    return next(key for key, count in counts.items() if count > 1)


def _refuse_constant(text: str) -> NoReturn:
    raise ReadError(f"holds {text}, which is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ReadError("holds a number too large for a double")
    return number


def _told(error: json.JSONDecodeError) -> str:
    return f"is not JSON at line {error.lineno} column {error.colno}: {error.msg}"


def _too_deep() -> LimitError:
    return LimitError(f"is nested deeper than {MAX_DEPTH} levels")


def _check_depth(body: bytes, value: Any) -> None:
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(value: Any) -> Iterable[Any]:
    items = value.values() if isinstance(value, dict) else value
    return (item for item in items if isinstance(item, (dict, list)))


def _check_surrogates(body: bytes, value: Any) -> None:
    if _SURROGATE.search(body) is None:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ReadError("holds half of a surrogate pair, which is no character") from error
