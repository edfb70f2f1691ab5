"""Faults played on purpose: what there is, and the plan that says which request meets one.

A plan is a list of rules; the first rule that fits a request and is not used up is played:

    - match: {method: POST, path: /zauto-api/patients}
      skip: 2
      times: 1
      fault: {kind: lost}

`X-Sandbox-Fault: lost`, or the fault as JSON, plays one for the request that carries it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bridge.errors import DoorError, Fault
from bridge.yamlfile import Way, dotted, fit, misfits, read, text_of, values

HEADER = "x-sandbox-fault"


class FaultKind(StrEnum):
    """What goes wrong."""

    #: another status, with the error body that belongs to it
    STATUS = "status"
    #: 429 whose X-RateLimit-Reset is odd
    LIMITED = "limited"
    #: an HTML page, as a proxy makes one
    HTML = "html"
    #: the answer comes after some seconds
    DELAY = "delay"
    #: the answer comes a byte at a time, some seconds between two
    DRIP = "drip"
    #: the answer ends after some bytes
    CUT = "cut"
    #: the same, in an answer that does not say its length
    CUT_UNFRAMED = "cut_unframed"
    #: an answer of many bytes
    HUGE = "huge"
    #: the same, compressed, whatever the client takes
    GZIP = "gzip"
    #: the answer names another record
    WRONG_ID = "wrong_id"
    #: the connection is closed without an answer
    LOST = "lost"
    #: the connection is reset
    RESET = "reset"
    #: closed without an answer; the effect takes place some seconds later
    LATE = "late"
    #: the token endpoint's answer is odd; elsewhere the caller's tokens are revoked first
    TOKEN = "token"


class When(StrEnum):
    """On which side of the request's effect it goes wrong."""

    #: the request has no effect
    BEFORE = "before"
    AFTER = "after"


class OddReset(StrEnum):
    """What X-RateLimit-Reset of a `limited` says."""

    PAST = "past"
    FAR = "far"
    #: seconds from now instead of an epoch
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    WORDS = "words"
    ABSENT = "absent"


class OddToken(StrEnum):
    """What is odd about the token."""

    #: `expires_in` is `seconds`
    SHORT = "short"
    #: `expires_in` is a text
    WORDS = "words"
    #: there is no access_token
    ABSENT = "absent"
    #: there is no refresh_token
    NO_REFRESH = "no_refresh"
    #: it is invalid already
    REVOKED = "revoked"


#: those that have no effect unless told otherwise
_BEFORE = frozenset({FaultKind.STATUS, FaultKind.LIMITED, FaultKind.HTML, FaultKind.RESET})
_STRICT = ConfigDict(extra="forbid", frozen=True)


class PlayedFault(BaseModel):
    """One thing that goes wrong."""

    model_config = _STRICT

    kind: FaultKind
    #: None: before the effect for `status`, `limited`, `html` and `reset`, else after
    when: When | None = None
    #: of `status` and `html`
    status: Annotated[int, Field(ge=200, le=599)] = 503
    #: of `delay`, `late`; of `drip` between two bytes; of a short token its life
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    #: of `cut` how many come through, of `huge` and `gzip` how many there are (inflated)
    bytes: Annotated[int, Field(ge=0, le=256 * 1024 * 1024)] | None = None
    reset: OddReset = OddReset.PAST
    token: OddToken = OddToken.SHORT

    @property
    def has_effect(self) -> bool:
        """The request does what it asks for, whatever comes of its answer."""
        usual = When.BEFORE if self.kind in _BEFORE else When.AFTER
        return (self.when or usual) is When.AFTER


class Match(BaseModel):
    """Which requests a rule is for; what is not given fits all."""

    model_config = _STRICT

    method: str | None = None
    #: how the path begins
    path: str = "/"
    external_id: str | None = None
    client: str | None = None


class FaultRule(BaseModel):
    """A fault for some requests."""

    model_config = _STRICT

    fault: PlayedFault
    match: Match = Match()
    #: requests that fit and are let through first
    skip: Annotated[int, Field(ge=0)] = 0
    #: requests that meet the fault; None for all that follow
    times: Annotated[int, Field(ge=1)] | None = 1


@dataclass(frozen=True, slots=True)
class Met:
    """What a rule looks at of a request."""

    method: str
    path: str
    external_id: str
    client: str


@dataclass(slots=True)
class _CountedRule:
    """A rule and how often it fitted."""

    rule: FaultRule
    fitted: int = 0

    def take(self) -> bool:
        """Count a request that fits; whether it meets the fault."""
        self.fitted += 1
        return self.fitted > self.rule.skip and not self.used_up(self.fitted - 1)

    def used_up(self, fitted: int) -> bool:
        times = self.rule.times
        return times is not None and fitted >= self.rule.skip + times


@dataclass(slots=True)
class Plan:
    """The rules in force, in their order."""

    _turns: list[_CountedRule] = field(default_factory=list)

    def add(self, rules: Iterable[FaultRule]) -> None:
        """Put rules behind those that are there."""
        self._turns += [_CountedRule(rule) for rule in rules]

    def clear(self) -> None:
        """Drop all rules."""
        self._turns.clear()

    def take(self, met: Met) -> PlayedFault | None:
        """The fault this request meets."""
        for turn in self._turns:
            if _fits(turn.rule.match, met) and not turn.used_up(turn.fitted):
                return turn.rule.fault if turn.take() else None
        return None

    def shown(self) -> list[Mapping[str, Any]]:
        """The rules as JSON shows them, with how many requests each has fitted."""
        return [
            {**turn.rule.model_dump(mode="json", exclude_unset=True), "fitted": turn.fitted}
            for turn in self._turns
        ]


def read_rules(value: Any, source: str) -> list[FaultRule]:
    """A plan's rules from what JSON held; raises DoorError naming `source`."""
    try:
        return TypeAdapter(list[FaultRule]).validate_python(value)
    except ValidationError as error:
        raise DoorError(f"{source}: {_told(error, list[FaultRule], value)}") from error


def read_plan(file: Path) -> list[FaultRule]:
    """The rules of a YAML file; raises DoorError with every fault."""
    faults: list[Fault] = []
    try:
        text = text_of(file, faults)
    except OSError as error:
        raise DoorError(f"{file}: cannot be read: {error.strerror}") from error
    root = read(text, str(file), faults) if text is not None else None
    rules = fit(list[FaultRule], root, values(root), faults, _shown) if root is not None else None
    if rules is None or faults:
        lines = "\n".join(map(str, faults))
        raise DoorError(f"{file}: cannot be read as a plan of faults:\n{lines}")
    return rules


def read_header(text: str) -> PlayedFault:
    """The fault of a request's header: a kind, or an object; raises DoorError."""
    try:
        value = orjson.loads(text) if text.startswith("{") else {"kind": text}
    except orjson.JSONDecodeError as error:
        raise DoorError(f"{HEADER}: is not JSON: {error.msg}") from error
    try:
        return PlayedFault.model_validate(value)
    except ValidationError as error:
        raise DoorError(f"{HEADER}: {_told(error, PlayedFault, value)}") from error


def _fits(match: Match, met: Met) -> bool:
    return (
        met.path.startswith(match.path)
        and match.method in (None, met.method)
        and match.external_id in (None, met.external_id)
        and match.client in (None, met.client)
    )


def _told(error: ValidationError, kind: Any, value: Any) -> str:
    found = misfits(error, kind, value)
    return "; ".join(f"{_shown(each.way)}: {each}" for each in found)


def _shown(way: Way) -> str:
    return dotted(way) or "the plan"
