"""Which characters the bytes of a message stand for (MSH-18, table 0211)."""

from __future__ import annotations

from functools import lru_cache

from bridge.errors import ReadError
from bridge.hl7v2.segments import UTF8_BOM

#: table 0211 and what is written instead of it, letters and digits only, to Python's codecs
_CODECS = {
    **{f"8859{part}": f"iso8859-{part}" for part in (*range(1, 10), 15)},
    **{f"ISO8859{part}": f"iso8859-{part}" for part in (*range(1, 10), 15)},
    "LATIN1": "iso8859-1",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    "GB180302000": "gb18030",
    "GB18030": "gb18030",
    "KSX1001": "euc_kr",
    "BIG5": "big5",
    "ISOIR14": "shift_jis",
    "ISOIR87": "iso2022_jp",
    "ISOIR159": "iso2022_jp_1",
    "CP1252": "cp1252",
    "WINDOWS1252": "cp1252",
}


@lru_cache(maxsize=256)
def codec(header_charset: str, fallback: str) -> tuple[str, ...]:
    """The codecs to try, in order, for a message with this MSH-18.

    An MSH-18 that is empty, `ASCII` or unknown says nothing, and the text is UTF-8 where it can
    be, else what the channel's `fallback` (a name of table 0211 or of Python's) says. UTF-16 and
    UTF-32 say nothing either: a message whose MSH could be read is in neither.
    """
    declared = _CODECS.get(_plain(header_charset))
    return (declared,) if declared else ("utf-8", _CODECS.get(_plain(fallback), fallback))


def decode(body: bytes, charset_name: str, fallback: str) -> tuple[str, str]:
    """The text of a message without its byte order mark, and the codec that made it.

    Raises ReadError (table 0357: 102) naming the first byte that is not of the charset.
    """
    body = body.removeprefix(UTF8_BOM)
    *others, last = codec(charset_name, fallback)
    for name in others:
        try:
            return body.decode(name), name
        except UnicodeDecodeError:
            continue
    try:
        return body.decode(last), last
    except UnicodeDecodeError as error:
        raise ReadError(_undecodable(error.start, last, charset_name), location="MSH-18") from error
    except LookupError as error:
        raise ReadError(f"The channel's fallback_charset '{last}' is not known.") from error


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).upper()


def _undecodable(offset: int, name: str, declared: str) -> str:
    source = "MSH-18 says" if declared else "the channel falls back to"
    return f"The byte at offset {offset} is not {name}, which {source}; correct MSH-18."
