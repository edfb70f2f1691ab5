"""Characters that cannot be seen, made visible wherever people read text from outside.

A control character moves the cursor or changes what a terminal does, a bidirectional one reorders
the line around it, and one without a width hides in a word. None of them reaches a terminal, a
page or a log as it is.
"""

from __future__ import annotations

import re

#: C0, DEL and C1; line and paragraph separators; what changes the direction of writing; what has
#: no width, or only the look of a blank; tags; and halves of surrogate pairs, which are not text
_HIDDEN = (
    "\u0000-\u001f\u007f-\u009f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
HIDDEN = re.compile(f"[{_HIDDEN}]")
#: the same but for the line feed
_HIDDEN_IN_LINES = re.compile(f"(?!\n)[{_HIDDEN}]")


def visible(text: str, *, lines: bool = False) -> str:
    """A text with each such character as `<U+001B>`; with `lines` line feeds stay, where the
    layout made them."""
    return (_HIDDEN_IN_LINES if lines else HIDDEN).sub(_code_point, text)


def visible_json(document: bytes) -> bytes:
    """The same JSON document with such characters escaped as `\\u202e`; line feeds stay, as in
    valid JSON they are layout only."""
    text = document.decode("utf-8")
    return _HIDDEN_IN_LINES.sub(_escape, text).encode("utf-8")


def _code_point(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"


def _escape(match: re.Match[str]) -> str:
    """RFC 8259, section 7: a character beyond U+FFFF is escaped as a surrogate pair."""
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def readable(body: bytes) -> str:
    """Bytes of a message as people read them: one segment a line."""
    return body.decode("utf-8", "replace").replace("\r", "\n")
