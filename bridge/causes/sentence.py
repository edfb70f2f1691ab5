"""A cause as people read it."""

from __future__ import annotations

from bridge.causes.cause import Cause
from bridge.causes.explanations import EXPLANATIONS, Explanation
from bridge.message import Verdict
from bridge.template import fill

MASK = "•••"


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
    return fill(
        template,
        number=cause.number,
        present=lambda name: bool(getattr(cause, name)),
        shown=lambda name: _parameter(cause, name, reveal),
    )


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
