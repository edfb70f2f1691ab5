"""The characters a message says it is cut by (MSH-1 and MSH-2, chapter 2.5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_STANDARD = "^~\\&"


@dataclass(frozen=True, slots=True)
class Delimiters:
    """One character each, or "" where the message has none of that kind."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    #: fifth encoding character, from version 2.7
    truncation: str = ""


STANDARD = Delimiters()

#: for what is read as it stands: MSH-1, MSH-2 and everything in them
NONE = Delimiters("", "", "", "", "")


@lru_cache(maxsize=256)
def declared(field_separator: str, encoding_characters: str) -> Delimiters:
    """The delimiters of a message with this MSH-1 and MSH-2.

    An empty MSH-2 means the standard four. A character written twice (`^~\\\\&`, a common slip of
    senders that escape their own header) counts once. Fewer than four standard characters stand
    for what they usually mean, wherever they are: `^~&` has no escape character, and not one
    that is `&`.
    """
    characters = "".join(dict.fromkeys(encoding_characters)) or _STANDARD
    if len(characters) < len(_STANDARD) and set(characters) <= set(_STANDARD):
        kinds = [known if known in characters else "" for known in _STANDARD]
    else:
        kinds = list(characters[:5])
    return Delimiters(field_separator, *kinds, *[""] * (5 - len(kinds)))
