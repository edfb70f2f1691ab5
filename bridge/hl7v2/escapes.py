r"""Escape sequences: characters that cannot stand in a value as they are (chapter 2.6).

Read once, after splitting; written once, before joining.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bridge.hl7v2 import switches
from bridge.hl7v2.delimiters import Delimiters

_CONTROLS = {code: f"X{code:02X}" for code in (*range(0x20), 0x7F)}
_BREAKS = re.compile(r"\r\n?|\n")
#: those of formatted text, and what may follow them
_COMMANDS = r"(?:(?i:br|ce|fi|nf)|(?i:sp|sk|in|ti)[+-]?\d*)"
#: lines or spaces that one command may skip: more is no text
_MOST_SKIPPED = 100


def unescape(text: str, cut: Delimiters, codec: str) -> str:
    r"""The value that `text` stands for.

    `\F\ \S\ \T\ \R\ \E\ \P\` are the message's own delimiters, `\X..\` are bytes in its charset
    (neighbours are joined first, since a character may be spread over several), `\C..\` and
    `\M..\` change the charset of what follows. Formatted text becomes plain: `\.br\`, `\.sp2\` and
    `\.ce\` are line feeds, `\.sk2\` spaces, and what only says how it looks (`\H\`, `\N\`,
    `\.in+4\`) is nothing. Local sequences stay as they are, and so do an escape character that
    begins no sequence, bytes that are not of their charset, and charsets that are not known.
    """
    if not cut.escape or cut.escape not in text:
        return text
    if f"{cut.escape}C" in text or f"{cut.escape}M" in text:
        return "".join(_switched(text, cut, codec))
    return _plain(text, cut, codec)


def _plain(text: str, cut: Delimiters, codec: str) -> str:
    characters = _characters(cut)

    def meaning(match: re.Match[str]) -> str:
        whole = match[0]
        name = whole[1:-1]
        if name in characters:
            return characters[name]
        if name.startswith("X"):
            return _from_hex(whole, cut.escape, codec)
        return _formatted(name) if name.startswith(".") else whole

    return _sequence(cut.escape).sub(meaning, text)


def _switched(text: str, cut: Delimiters, codec: str) -> Iterator[str]:
    """The parts of a text in which the charset changes."""
    sequence, name, at = _sequence(cut.escape), "", 0
    for match in sequence.finditer(text):
        if match[0][1] in "CM":
            yield from _part(name, text[at : match.start()], cut, codec)
            name, at = match[0][1:-1].upper(), match.end()
    yield from _part(name, text[at:], cut, codec)


def _part(name: str, text: str, cut: Delimiters, codec: str) -> Iterator[str]:
    """What follows a change of charset; at a delimiter the message's own comes back."""
    ends = re.search(_delimiters(cut), text) if name else None
    changed = text[: ends.start()] if ends else text
    rest = text[ends.start() :] if ends else ""
    said = _plain(changed, cut, codec)
    if name:
        meant = switches.decoded(name, said, codec)
        said = f"{cut.escape}{name}{cut.escape}{said}" if meant is None else meant
    yield said
    if rest:
        yield _plain(rest, cut, codec)


def _formatted(name: str) -> str:
    """What a formatting command of chapter 2.6.6 is in plain text."""
    command, count = name[1:3].lower(), _count(name[3:])
    return {"br": "\n", "ce": "\n", "sp": "\n" * count, "sk": " " * count}.get(command, "")


def _count(digits: str) -> int:
    """How often, once where it is not said; a number that no line is long enough for is cut."""
    number = digits.lstrip("+-")
    return min(int(number[:4]), _MOST_SKIPPED) if number else 1


def escape(text: str, cut: Delimiters) -> str:
    r"""`text` as it may stand in a value.

    Line ends become `\.br\` and other control characters `\X..\`: none may stand in a message
    or its frame. Where the message has no escape character, a space takes their place.
    """
    if text.isalnum():
        return text
    text = _BREAKS.sub("\n", text)
    return text.translate(_written(cut))


def _from_hex(whole: str, escape_character: str, codec: str) -> str:
    digits = whole.replace(escape_character, "").replace("X", "")
    try:
        return bytes.fromhex(digits).decode(codec)
    except UnicodeDecodeError:
        return whole


@lru_cache(maxsize=256)
def _characters(cut: Delimiters) -> dict[str, str]:
    named = {
        "F": cut.field,
        "S": cut.component,
        "T": cut.subcomponent,
        "R": cut.repetition,
        "E": cut.escape,
        "P": cut.truncation,
    }
    known = {name: character for name, character in named.items() if character}
    return {**known, **dict.fromkeys("HN", ""), ".br": "\n"}


@lru_cache(maxsize=64)
def _delimiters(cut: Delimiters) -> str:
    """A pattern of all that parts values."""
    parts = filter(None, (cut.component, cut.subcomponent, cut.repetition))
    return "|".join(map(re.escape, parts)) or r"(?!)"


@lru_cache(maxsize=64)
def _sequence(escape_character: str) -> re.Pattern[str]:
    e = re.escape(escape_character)
    # Only what the standard defines is a sequence: `C:\temp\new` is text. What stays as it is is
    # matched too, so that its closing character does not open another: `\H\F\N\` is no `\F\`.
    kept = rf"\.{_COMMANDS}|[CM](?:[0-9A-Fa-f]{{2}}){{2,3}}|Z[^{e}]*+"
    return re.compile(rf"(?:{e}X(?:[0-9A-Fa-f]{{2}})++{e})++|{e}(?:[FSTREPHN]|{kept}){e}")


@lru_cache(maxsize=256)
def _written(cut: Delimiters) -> dict[int, str]:
    names = {**_CONTROLS, 0x0A: ".br"}
    names.update(
        (ord(character), name)
        for name, character in _characters(cut).items()
        if character and not name.startswith(".")
    )
    if not cut.escape:
        return dict.fromkeys(names, " ")
    return {code: f"{cut.escape}{name}{cut.escape}" for code, name in names.items()}
