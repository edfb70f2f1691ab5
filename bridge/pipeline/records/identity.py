"""Whether two records are of the same person or thing, and where they differ.

Values are compared in a normal form, because an answer may write a date as an instant, a number
as a text, or a phone without its spaces.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.causes import Cause, CauseKind
from bridge.delivery import Call, Entity, Payload
from bridge.zauto.catalogue import FieldFormat, FieldType, Resource, ResourceField

_PHONE_SEPARATORS = str.maketrans("", "", " -().\u00a0")


def same_record(resource: Resource, ours: Payload, theirs: Payload) -> bool:
    """Whether a record found under our external id is of the person or thing we mean.

    Every field of `same` must be there on both sides and equal, and none of `not_different` may
    differ where both have it. Not enough in the answer to tell is False.
    """
    if not resource.same:
        return False
    told = all(_present(ours, name) and _present(theirs, name) for name in resource.same)
    compared = (*resource.same, *(n for n in resource.not_different if _present(ours, n)))
    return told and not any(
        _differs(resource, name, ours, theirs) for name in compared if _present(theirs, name)
    )


def of_another(resource: Resource, entity: Entity, call: Call) -> bool:
    """Whether a call is about another record under the same external id, by whose it is.

    A visit belongs to one patient: the same visit number under another patient is a number that
    was given twice, or a visit put right by hand, and both are for a person to see.
    """
    owner = owner_key(resource, call.payload)
    return bool(entity.owner and owner and owner != entity.owner)


def another(resource: Resource, fields: tuple[str, ...] | None = None) -> Cause:
    """Why a call that is `of_another` is not made: by which fields the two differ."""
    by = resource.same if fields is None else fields
    return Cause(CauseKind.ANOTHER_RECORD, resource=resource.title.lower(), fields=by)


def owner_key(resource: Resource, payload: Payload) -> str:
    """The record that one belongs to, `patients/P1`; "" where the payload names none."""
    name = resource.owner()
    owner = payload.get(name) if name is not None else None
    return f"{resource.fields[name].refers_to}/{owner}" if name and owner else ""


def same_issuer(one: str, other: str, same: Sequence[Sequence[str]]) -> bool:
    """Whether two assigning authorities can be one; a number without one is anybody's."""
    if not one or not other or one == other:
        return True
    return any(one in group and other in group for group in same)


def differs(resource: Resource, ours: Payload, theirs: Payload) -> tuple[str, ...]:
    """Names of the fields of ours that hold something else there, or are not shown.

    A null of ours differs from anything that is there. What is not shown may never have arrived;
    a reference that differs may be ZautoAI's own id of the right record: a PUT settles both, so
    neither is a reason to park.
    """
    return tuple(name for name in ours if name != "id" and _differs(resource, name, ours, theirs))


def in_our_words(
    resource: Resource,
    record: Payload,
    ours: Payload,
    own_ids: Mapping[str, str],
    *,
    unanswered: bool,
) -> Payload:
    """A record that was read, with our ids where it names what it refers to by ZautoAI's own.

    The document does not say by which of the two a visit names its patient. `own_ids` are
    ZautoAI's ids of our referents by field, as far as its answers showed them. Where one is not
    known, a record that is as we sent it in all else, after a request of ours went `unanswered`,
    is the one that request made.
    """
    referents = [name for name in resource.referents() if name in ours and name in record]
    known = {name for name in referents if record[name] == own_ids.get(name)}
    unsure = {name for name in referents if name not in own_ids and record[name] != ours[name]}
    others = {name: ours[name] for name in ours if name in record and name not in referents}
    if unanswered and others and not differs(resource, others, record):
        known |= unsure
    return {**record, **{name: ours[name] for name in known}}


def _present(record: Payload, name: str) -> bool:
    return record.get(name) not in (None, "")


def _differs(resource: Resource, name: str, ours: Payload, theirs: Payload) -> bool:
    spec = resource.fields.get(name, ResourceField())
    return bool(_normal(spec, ours[name]) != _normal(spec, theirs.get(name)))


def _normal(spec: ResourceField, value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, list):
        return [_normal(spec, item) for item in value]
    if spec.type is FieldType.NUMBER:
        return _number(value)
    if spec.type is FieldType.BOOLEAN:
        return str(value).lower()
    return _text(spec.format, value)


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _text(form: FieldFormat | None, value: Any) -> Any:
    text = " ".join(unicodedata.normalize("NFC", str(value)).split())
    match form:
        case FieldFormat.DATE:
            return text[:10]
        case FieldFormat.DATETIME:
            return _instant(text)
        case FieldFormat.PHONE:
            return text.translate(_PHONE_SEPARATORS)
        case FieldFormat.EMAIL:
            return text.lower()
    return text


def _instant(text: str) -> Any:
    """Whole seconds since the epoch; the API shows no fractions. No zone is read as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
