"""Of samples and public messages nothing of a person is left, and all that mappings read is."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hl7apy import v2_5_1

from bridge.errors import ReadError
from bridge.hl7v2 import charset
from bridge.hl7v2.header import scan
from bridge.mapping.functions.identity import TELLING_TYPES
from bridge.message import Message, Protocol
from bridge.pipeline.planning.translate import Rehearsal, read, translate
from bridge.service.parts import CheckedParts, read_parts
from bridge.settings import Settings
from bridge.study.scrub.disguise import tokens
from bridge.study.scrub.message import Scrubbed, scrub, shape
from bridge.study.scrub.resources import CODES, KEPT
from bridge.study.traffic import from_files

ROOT = Path(__file__).parents[4]
SAMPLES = ROOT / "samples"
CORPUS = ROOT.parent / "shared" / "corpus"
SETTINGS = Settings()
#: of the public messages, every so many-th
EVERY = int(os.environ.get("EVERY", "10"))
#: tests they are shared out to: each is done in time on a busy machine
SHARES = 24
#: different numbers that a shape may need: a code that no table has can become one that a table has
TRIES = 10

#: an offset behind a time, and a country code: where a clock or a phone is, not whose
OFFSET = re.compile(r"(?<![\w+])\+\d{1,3}\b|(?<=\d)[+-](?:0\d|1[0-4]):?[0-5]\d\b")
#: the name of a table of HL7's
TABLE = re.compile(r"\bHL7\d{4}\b")
#: the name of a segment at the beginning of its line
NAMES = re.compile(r"(?m)^[ \t]*[A-Z][A-Z0-9]{2}(?=[^A-Za-z0-9]|$)")
#: an escape sequence that changes the charset
CHARSET = re.compile(r"\\[CM][0-9A-F]{4,6}\\")
#: a resource type in a reference
RESOURCE = re.compile(r"\b[A-Z][A-Za-z]+(?=[/?])")
#: words and small numbers of a dose or a duration
AMOUNT = re.compile(r"\b(?:\d{1,3}|days|weeks?|months?|hours?)\b")
#: what holds codes of FHIR, systems and profiles
CODED = frozenset("resourceType div type use gender status code system url profile".split())
#: numbers that count segments, years (moved, they can meet another), times without a day
ROUND = re.compile(r"0+\d{0,2}|(?:19|20)\d\d|(?:[01]\d|2[0-3])[0-5]\d[0-5]\d")


@cache
def parts() -> CheckedParts:
    return read_parts(SETTINGS)


@cache
def harmless() -> frozenset[str]:
    """Every word of HL7's tables, of our code tables and of the forms of messages themselves."""
    found: set[str] = set(TELLING_TYPES)
    for _, codes in v2_5_1.TABLES.values():
        found.update(word for code in codes or () for word in tokens(code))
    for file in (ROOT / "mappings" / "codes").glob("*.yaml"):
        rows = yaml.load(file.read_text(), yaml.BaseLoader)["rows"]
        found.update(word for row in rows for word in tokens(row))
    return frozenset(word.casefold() for word in found)


#: words of the forms themselves: of JSON, of systems, of charsets, of numbers of the nation
FORM = frozenset(
    (
        "unicode utf ascii whatsapp internet mobile cell abha abdm ndhm aadhaar uidai adn hin "
        "number address org example http https www urn uuid oid tel mailto true false null ietf "
        " bcp fhir terminology loinc snomed info sct healthid gov nrces"
    ).split()
).union(KEPT, *CODES.values())


def messages(folder: Path, *, every: int = 1) -> list[Message]:
    found = [
        taken for _, taken in from_files([folder], parts().sets.takes, SETTINGS, lambda: 1.7e9)
    ]
    taken = [one for one in found if isinstance(one, Message)]
    return [one for one in taken if one.protocol is not Protocol.FHIR or _is_taken(one)][::every]


def _is_taken(message: Message) -> bool:
    return parts().mappings.find(message.protocol, message.message_type) is not None


def without_people(message: Message, seed: int) -> Scrubbed:
    _, context = read(message, SETTINGS, Rehearsal())
    return scrub(message, context, parts().mappings, "cp1252", random.Random(seed))


def said(message: Message) -> set[str]:
    """Words and numbers of three characters or more that could be somebody's."""
    if message.protocol is Protocol.HL7V2:
        text = charset.decode(message.body, scan(message.body).charset, "cp1252")[0]
        text = text.replace("\r", "\n")
        text = TABLE.sub(" ", OFFSET.sub(" ", NAMES.sub(" ", CHARSET.sub(" ", text))))
    else:
        text = "\n".join(_values(json.loads(message.body.decode("utf-8-sig"))))
    found = {token.casefold() for token in tokens(text)} - harmless() - FORM - _form(message)
    return {one for one in found if len(one) >= 3 and not ROUND.fullmatch(one)}


def _values(value: Any) -> Iterator[str]:
    """Texts and numbers of a document, codes of FHIR and systems of HL7 aside."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in CODED or "{" in str(inner):
                yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, str) or (value is not None and not isinstance(value, bool)):
        yield RESOURCE.sub(" ", AMOUNT.sub(" ", OFFSET.sub(" ", str(value))))


def _form(message: Message) -> set[str]:
    if message.protocol is not Protocol.HL7V2:
        return set()
    header = scan(message.body)
    stated = f"{header.message_type} {header.structure} {header.charset}"
    return {token.casefold() for token in tokens(stated)}


def shape_of(message: Message) -> Any:
    return shape(translate(message, parts().mappings, SETTINGS, Rehearsal()))


def check(message: Message) -> None:
    try:
        first = without_people(message, 0).message
    except ReadError:
        return
    assert said(first) & said(message) == set()
    again = (without_people(message, seed).message for seed in range(TRIES))
    assert any(shape_of(one) == shape_of(message) for one in again)


@pytest.mark.parametrize("message", messages(SAMPLES), ids=lambda one: one.message_type)
def test_a_sample_loses_its_people_and_keeps_its_shape(message: Message) -> None:
    check(message)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("folder", ["hl7v2", "fhir"])
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public messages are not beside the repository")
def test_public_messages_lose_their_people_and_keep_their_shape(folder: str, share: int) -> None:
    for message in islice(messages(CORPUS / folder, every=EVERY), share, None, SHARES):
        check(message)


@pytest.mark.parametrize("message", messages(SAMPLES / "hl7v2"), ids=lambda one: one.message_type)
def test_segments_delimiters_line_ends_and_charset_stay(message: Message) -> None:
    made = without_people(message, 0).message
    header, before = scan(made.body), scan(message.body)
    assert (header.message_type, header.version, header.charset) == (
        before.message_type,
        before.version,
        before.charset,
    )
    assert header.control_id != before.control_id or not before.control_id
    for mark in (b"\r", b"\n", b"|", b"^", b"~", b"&", b"\xef\xbb\xbf"):
        assert made.body.count(mark) == message.body.count(mark)
