"""A cause as people read it."""

from __future__ import annotations

import re

from bridge.causes.cause import Cause
from bridge.causes.explanations import EXPLANATIONS, Explanation
from bridge.message import Verdict

MASK = "•••"
#: a part that is left out where one of its parameters is empty
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_PARAMETER = re.compile(r"\{(\w+)\}")
#: `{number:visit}`, in the plural unless there is one
_COUNTED = re.compile(r"\{number:([\w ]+)\}")


def explain(cause: Cause) -> Explanation:
    """The row of the runbook for a cause."""
    return EXPLANATIONS[cause.kind]


def domain(cause: Cause) -> Verdict | None:
    """Who has to act; None where nobody has to."""
    return cause.by or explain(cause).by


def action(cause: Cause) -> str:
    """What a person does about it; "" where there is nothing to do."""
    return _filled(explain(cause).action, cause, reveal=False)


def sentence(cause: Cause, *, reveal: bool) -> str:
    """Why something is where it is. Numbers of records and foreign text are masked unless
    `reveal`."""
    return _filled(explain(cause).sentence, cause, reveal=reveal)


def _filled(template: str, cause: Cause, *, reveal: bool) -> str:
    def optional(part: re.Match[str]) -> str:
        names = _PARAMETER.findall(_COUNTED.sub("{number}", part[1]))
        return part[1] if all(getattr(cause, name) for name in names) else ""

    def counted(what: re.Match[str]) -> str:
        return f"{cause.number} {what[1]}{'' if cause.number == 1 else 's'}"

    text = _COUNTED.sub(counted, _OPTIONAL.sub(optional, template))
    return _PARAMETER.sub(lambda name: _parameter(cause, name[1], reveal), text)


def _parameter(cause: Cause, name: str, reveal: bool) -> str:
    value = getattr(cause, name)
    match name:
        case "fields":
            return ", ".join(value)
        case "key":
            return value if reveal else masked_key(value)
        case "said" | "sent":
            return f"“{value}”" if reveal else f"“{MASK}”"
        case "issuer" | "other_issuer":
            return f"'{value}'" if value else "nobody named"
    return str(value)


def masked_key(key: str) -> str:
    """`patients/123` as `patients/•••`: the kind is for all to see, the number is not; of a code
    (`codes/gender/W`) the table is, for a sender may have put anything in its place."""
    depth = 2 if key.startswith("codes/") else 1
    kind = key.split("/", depth)[:depth]
    return key if "/" not in key else "/".join([*kind, MASK])
