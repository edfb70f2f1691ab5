r"""Escape sequences: characters that cannot stand in a value as they are (chapter 2.6).

Read once, after splitting; written once, before joining.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bridge.hl7v2.delimiters import Delimiters

_CONTROLS = {code: f"X{code:02X}" for code in (*range(0x20), 0x7F)}
_BREAKS = re.compile(r"\r\n?|\n")


def unescape(text: str, cut: Delimiters, codec: str) -> str:
    r"""The value that `text` stands for.

    `\F\ \S\ \T\ \R\ \E\ \P\` are the message's own delimiters, `\X..\` are bytes in its charset
    (neighbours are joined first, since a character may be spread over several), `\.br\` is a line
    feed. Every other sequence, highlighting and local ones among them, stays as it is, and so do
    an escape character that begins no sequence and bytes that are not of the charset.
    """
    if not cut.escape or cut.escape not in text:
        return text
    characters = _characters(cut)

    def meaning(match: re.Match[str]) -> str:
        whole = match[0]
        name = whole[1:-1]
        if name in characters:
            return characters[name]
        return _from_hex(whole, cut.escape, codec) if name.startswith("X") else whole

    return _sequence(cut.escape).sub(meaning, text)


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
    return {**known, ".br": "\n", ".BR": "\n"}


@lru_cache(maxsize=64)
def _sequence(escape_character: str) -> re.Pattern[str]:
    e = re.escape(escape_character)
    # Only what the standard defines is a sequence: `C:\temp\new` is text. What stays as it is is
    # matched too, so that its closing character does not open another: `\H\F\N\` is no `\F\`.
    kept = rf"[HN]|\.[a-zA-Z]{{2}}[+-]?\d*|[CM](?:[0-9A-Fa-f]{{2}}){{2,3}}|Z[^{e}]*+"
    return re.compile(rf"(?:{e}X(?:[0-9A-Fa-f]{{2}})++{e})++|{e}(?:[FSTREP]|{kept}){e}")


@lru_cache(maxsize=256)
def _written(cut: Delimiters) -> dict[int, str]:
    names = {**_CONTROLS, 0x0A: ".br"}
    names.update(
        (ord(character), name)
        for name, character in _characters(cut).items()
        if not name.startswith(".")
    )
    if not cut.escape:
        return dict.fromkeys(names, " ")
    return {code: f"{cut.escape}{name}{cut.escape}" for code, name in names.items()}
