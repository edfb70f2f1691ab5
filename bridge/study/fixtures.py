"""Fixtures: a real message without its people, frozen as a test beside its mapping."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.delivery import Translation
from bridge.errors import BridgeError, Fault, ReadError
from bridge.message import Message, Protocol
from bridge.pipeline.channels import channel_named
from bridge.pipeline.planning.translate import Known, read, translate
from bridge.service.parts import CheckedParts
from bridge.settings import Settings, Site
from bridge.study.benches import bench_of
from bridge.study.cases.parse import parse_cases
from bridge.study.cases.write import INDENT, as_yaml, updated
from bridge.study.scrub.message import Scrubbed, scrub, shape, text_of
from bridge.study.trial import Bench, Trial

#: how often another randomness is tried until the mappings make the same of the message
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Fixture:
    """A test that was made of a message, not written yet."""

    file: Path
    #: the whole text of the file with the test in it
    text: str
    trial: Trial
    #: the mappings make calls of the same shape of it as of the message itself
    same: bool


def make_fixture(
    message: Message,
    known: Known,
    parts: CheckedParts,
    settings: Settings,
    *,
    folder: Path,
    name: str,
    seed: Callable[[], int],
) -> Fixture:
    """Make a test of a message; `seed` gives what nobody can guess, anew at each call.

    `folder` is the one of mappings whose test it becomes. Raises BridgeError for a message that
    cannot be read, and where a test of that name is there.
    """
    made = translate(message, parts.sets.of(message.channel), settings, known)
    fixture = None
    for _ in range(_TRIES):
        scrubbed = _scrubbed(message, known, parts, settings, random.Random(seed()))
        fixture = _frozen(scrubbed, made, parts, settings, folder, name)
        if fixture.same:
            return fixture
    assert fixture is not None
    return fixture


def _scrubbed(
    message: Message, known: Known, parts: CheckedParts, settings: Settings, rng: random.Random
) -> Scrubbed:
    fallback = channel_named(settings, message.channel).fallback_charset
    try:
        _, context = read(message, settings, known)
        return scrub(message, context, parts.sets.of(message.channel), fallback, rng)
    except ReadError as error:
        raise BridgeError(
            f"no test can be made of a message that cannot be read: {error}"
        ) from error


def _frozen(
    scrubbed: Scrubbed,
    made: Translation | None,
    parts: CheckedParts,
    settings: Settings,
    folder: Path,
    name: str,
) -> Fixture:
    stem = made.mapping if made else f"{scrubbed.message.protocol}/unmapped"
    file = folder / f"{stem}_test.yaml"
    before = file.read_text(encoding="utf-8") if file.exists() else _BEGIN
    faults: list[Fault] = []
    if any(case.name == name for case in parse_cases(before, str(file), stem, faults).cases):
        raise BridgeError(f"{file}: there is a test '{name}' already; name this one with --as")
    mappings = parts.sets.of(scrubbed.message.channel)
    item = _item(_words(scrubbed, settings, mappings.site, name))
    text = f"{before.rstrip(chr(10))}\n{'' if before == _BEGIN else chr(10)}{item}"
    trial = _tried(text, file, stem, bench_of(mappings, parts, settings))
    return Fixture(
        file, updated(text, trial.case, trial.made), trial, shape(made) == shape(trial.made)
    )


_BEGIN = "tests:\n"
#: what stands before the first word of a test
_DASH = "  - "


def _item(words: Mapping[str, Any]) -> str:
    """The words of a test as an item of `tests:`."""
    return _DASH + as_yaml(words, INDENT)[INDENT:]


def _words(scrubbed: Scrubbed, settings: Settings, site: Site, name: str) -> dict[str, Any]:
    """The words of the test, without what it expects."""
    message = scrubbed.message
    fallback = channel_named(settings, message.channel).fallback_charset
    text, charset = text_of(message, fallback)
    words: dict[str, Any] = {"name": name, "charset": charset}
    if message.protocol is Protocol.ORDERS:
        moment = dt.datetime.fromtimestamp(message.received_at, dt.UTC)
        words |= {"type": message.message_type, "received": moment.isoformat()}
    changed = {
        key: _plain(value)
        for key, value in site.model_dump().items()
        if value != Site.model_fields[key].default
    }
    words |= {"site": changed, "links": scrubbed.links, "known": scrubbed.known, "message": text}
    return {word: value for word, value in words.items() if value}


def _plain(value: Any) -> Any:
    """A setting as it is written in a file."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return {True: "true", False: "false", None: "null"}.get(value, str(value))


def _tried(text: str, file: Path, stem: str, bench: Bench) -> Trial:
    """The last test of a text, run."""
    faults: list[Fault] = []
    cases = parse_cases(text, str(file), stem, faults)
    if faults:
        raise BridgeError("\n".join(str(fault) for fault in faults))
    return bench.run(cases, cases.cases[-1])
