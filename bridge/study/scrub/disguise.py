"""Texts replaced by others of the same shape, the same one always by the same."""

from __future__ import annotations

import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby

from bridge.study.scrub.moments import moved

#: tries to find a text that is not one of the message's own before a likeness is put up with
_TRIES = 200
#: characters of one script stand together; so many are looked at for those like one of them
_BLOCK = 128
_EMAIL = re.compile(r"([^\s@,;:<>]+)@[^\s@,;<>]+")
#: a domain nobody has (RFC 2606, 3)
_DOMAIN = "example.org"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: nearest and farthest that dates are moved, in days: no year stays what it was
_DAYS = (800, 7300)


class Disguise:
    """Replaces texts of one message; made anew for each, of a randomness nobody keeps."""

    def __init__(self, original: str, rng: random.Random, codec: str = "utf-8") -> None:
        """`original` is all of the message: none of its words comes back as another's
        replacement. What is made can be written in `codec`."""
        self._rng = rng
        self._codec = codec
        self._taken = {token.casefold() for token in tokens(original)}
        self._known: dict[str, str] = {}
        self._used: set[str] = set()
        #: how far dates are moved; always into the past, for some must not lie in the future
        self.days = -rng.randint(*_DAYS)

    def text(self, text: str, keep: frozenset[str] = frozenset()) -> str:
        """Free text: an e-mail address gets another domain, a date is moved, every other word
        replaced but those to keep, which are given in lower case."""
        if (date := moved(text, self.days)) is not None:
            return date
        parts, at = [], 0
        for found in _SPECIAL.finditer(text):
            parts.append(self._words(text[at : found.start()], keep))
            parts.append(self._special(found[0]))
            at = found.end()
        return "".join([*parts, self._words(text[at:], keep)])

    def _special(self, text: str) -> str:
        if _UUID.fullmatch(text):
            return self._replaced(text, self._uuid)
        local, _, _ = text.partition("@")
        return f"{self._words(local, frozenset())}@{_DOMAIN}"

    def _words(self, text: str, keep: frozenset[str]) -> str:
        return "".join(
            self._word(token) if kind and token.casefold() not in keep else token
            for kind, token in _runs(text)
        )

    def _word(self, token: str) -> str:
        if token[0].isdecimal():
            return token if _is_zero(token) else self._replaced(token, self._number)
        folded = token.casefold()
        # the Kelvin sign folds to a k: it would be written in other bytes than came
        key = folded if list(map(str.isascii, folded)) == list(map(str.isascii, token)) else token
        made = self._replaced(key, self._letters)
        return "".join(
            _upper(new) if old.isupper() else new for old, new in zip(token, made, strict=True)
        )

    def _replaced(self, token: str, make: Callable[[str], str]) -> str:
        if token not in self._known:
            self._known[token] = self._new(token, make)
            self._used.add(self._known[token])
        return self._known[token]

    def _new(self, token: str, make: Callable[[str], str]) -> str:
        candidate = token
        for _ in range(_TRIES):
            candidate = make(token)
            if candidate not in self._used and not self._is_taken(candidate):
                break
        return candidate

    def _is_taken(self, candidate: str) -> bool:
        """Whether it is a word of the message, or, being of several, holds a long one."""
        words = list(tokens(candidate.casefold()))
        return any(word in self._taken and (len(words) == 1 or len(word) > 2) for word in words)

    def _number(self, token: str) -> str:
        """Zeros in front stay: they say that it is a code, or a number to call."""
        bare = token.lstrip(token[0]) if unicodedata.decimal(token[0]) == 0 else token
        zeros = token[: len(token) - len(bare)]
        first = [digit for digit in _alike(bare[0], self._codec) if unicodedata.decimal(digit)]
        rest = [self._rng.choice(_alike(digit, self._codec)) for digit in bare[1:]]
        return "".join([zeros, self._rng.choice(first), *rest])

    def _letters(self, token: str) -> str:
        return "".join(self._rng.choice(_alike(letter, self._codec)) for letter in token)

    def _uuid(self, token: str) -> str:
        return "".join(c if c == "-" else self._rng.choice("0123456789abcdef") for c in token)


_COUNTRY = re.compile(r"\s*(?:tel:)?\+\d{1,3}(?=[\s(.-])")
_SPECIAL = re.compile(f"{_UUID.pattern}|{_EMAIL.pattern}")


def country_code(text: str) -> str:
    """What a number to call begins with, `+91`: it says the country and may stay."""
    found = _COUNTRY.match(text)
    return found[0] if found else ""


def tokens(text: str) -> Iterator[str]:
    """The words and numbers of a text: runs of letters with their marks, and of digits."""
    return (token for kind, token in _runs(text) if kind)


def _runs(text: str) -> Iterator[tuple[str, str]]:
    return ((kind, "".join(run)) for kind, run in groupby(text, _kind))


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """`L` for what makes words, `N` for digits, "" for what stands between them."""
    category = unicodedata.category(character)
    if category[0] in "LM":
        return "L"
    return "N" if category == "Nd" else ""


def _is_zero(token: str) -> bool:
    """Nothing but zeros: typed where a form insists on a number, and nobody's."""
    return all(unicodedata.decimal(digit) == 0 for digit in token)


def _upper(letter: str) -> str:
    return letter.upper() if len(letter.upper()) == 1 else letter


@lru_cache(maxsize=4096)
def _alike(character: str, codec: str) -> str:
    """Characters of the same script and kind, all of which the codec can write; at least one."""
    if character in string.ascii_lowercase:
        return string.ascii_lowercase
    if character in string.digits:
        return string.digits
    first = ord(character) // _BLOCK * _BLOCK
    near = map(chr, range(first, first + _BLOCK))
    alike = "".join(one for one in near if _is_like(one, character, codec))
    return alike or character


def _is_like(one: str, other: str, codec: str) -> bool:
    same = unicodedata.category(one) == unicodedata.category(other)
    if not same or _script(one) != _script(other) or one.isascii() != other.isascii():
        return False
    if other.casefold() == other and one.casefold() != one:
        return False
    if (_upper(one) == one) != (_upper(other) == other):
        return False
    return _is_written(one, codec) and (_upper(one) == one or _is_written(_upper(one), codec))


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _is_written(character: str, codec: str) -> bool:
    try:
        return bool(character.encode(codec))
    except UnicodeEncodeError:
        return False
