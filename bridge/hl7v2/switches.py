r"""Changes of charset within a value: `\Cxxyy\` and `\Mxxyyzz\` (chapter 2.6.3).

They stand for the escape sequences of ISO 2022 without the escape character: what follows, up to
the next one or the next delimiter, is in another charset.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.hl7v2 import charset

_ESC = b"\x1b"


class Switch(NamedTuple):
    """How the bytes behind a sequence are read."""

    codec: str
    #: said to the codec before them
    before: bytes = b""


#: back to the message's own charset: its lower half is ASCII in all that name none
ASCII = "C2842"

#: ISO-IR registrations of the upper halves of ISO 8859, by the last byte of their sequence
_LATIN = {
    "41": 1,
    "42": 2,
    "43": 3,
    "44": 4,
    "46": 7,
    "47": 6,
    "48": 8,
    "4C": 5,
    "4D": 9,
    "54": 11,
    "56": 10,
    "59": 13,
    "5F": 14,
    "62": 15,
    "66": 16,
}
#: sets of seven bits, which Python's codecs of ISO 2022 know by the same sequences
_SEVEN_BITS = {
    "C284A": "iso2022_jp_ext",
    "C2849": "iso2022_jp_ext",
    "M2440": "iso2022_jp_ext",
    "M2442": "iso2022_jp_ext",
    "M242844": "iso2022_jp_ext",
    "M2441": "iso2022_jp_2",
    "M242843": "iso2022_jp_2",
}
_SWITCHES = {
    **{f"C2D{last}": Switch(f"iso8859-{part}") for last, part in _LATIN.items()},
    **{name: Switch(codec, _ESC + bytes.fromhex(name[1:])) for name, codec in _SEVEN_BITS.items()},
    # JIS X 0201, KS X 1001 and GB 2312 in the upper half
    "C2949": Switch("cp932"),
    "M242943": Switch("euc_kr"),
    "M242941": Switch("gb2312"),
}


def decoded(name: str, text: str, codec: str) -> str | None:
    """What `text` says behind the sequence `name`, such as `M2442`; None where that cannot be said.

    `codec` is that of the message, by which the text was read. None: the charset is none of
    Python's, the bytes are not of it, or the message is in one that has no bytes to read anew
    (Unicode, or several bytes a character).
    """
    if name == ASCII:
        return text
    switch = _SWITCHES.get(name)
    if switch is None or (not text.isascii() and codec in ("utf-8", *charset.OPAQUE)):
        return None
    try:
        return (switch.before + text.encode(codec)).decode(switch.codec)
    except UnicodeError:
        return None
