"""Messages of our own: UTF-8, the standard delimiters, every value escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bridge.hl7v2 import escapes
from bridge.hl7v2.delimiters import STANDARD
from bridge.hl7v2.paths import Place, parse_place

_ENCODING_CHARACTERS = "^~\\&"
#: table 0211
_UTF8 = "UNICODE UTF-8"

#: what parts the four numbers of a place, outermost first
_SEPARATORS = "|~^&"


def write(segments: Sequence[tuple[str, Mapping[str, str]]]) -> bytes:
    """A message of these segments, each with values by their place (`3`, `3.1`, `3[2].1.2`).

    The first segment is MSH; its MSH-1 and MSH-2 are written here, and MSH-18 where it is not
    given and needed. A value is one subcomponent: delimiters in it are escaped, never meant.
    Empty values are left out, and so are segments with nothing else. Raises PathError for a place
    that is none.
    """
    name, header = segments[0]
    if name != "MSH":
        raise ValueError(f"A message begins with MSH, not {name}.")
    if "18" not in header and not _is_ascii(segments):
        segments = [(name, {**header, "18": _UTF8}), *segments[1:]]
    lines = [_segment(name, values) for name, values in segments]
    text = "".join(f"{line}\r" for line in lines if line)
    # Half of a surrogate pair is no character, and JSON can bring one.
    return text.encode("utf-8", errors="replace")


def _is_ascii(segments: Iterable[tuple[str, Mapping[str, str]]]) -> bool:
    return all(value.isascii() for _, values in segments for value in values.values())


def _segment(name: str, values: Mapping[str, str]) -> str:
    places = {parse_place(key): value for key, value in values.items() if value}
    if name == "MSH":
        return _joined(f"MSH|{_ENCODING_CHARACTERS}|", Place(3), places)
    return _joined(f"{name}|", Place(1), places) if places else ""


def _joined(text: str, at: Place, values: Mapping[Place, str]) -> str:
    """`text`, which ends at the place `at`, with the values that follow and what parts them."""
    parts = [text]
    for place in sorted(values):
        for level, separator in enumerate(_SEPARATORS):
            if place[level] > at[level]:
                parts.append(separator * (place[level] - at[level]))
                at = Place(*place[: level + 1])
        parts.append(escapes.escape(values[place], STANDARD))
    return "".join(parts)
