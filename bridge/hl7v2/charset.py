"""Which characters the bytes of a message stand for (MSH-18, table 0211)."""

from __future__ import annotations

from functools import lru_cache

from bridge.errors import ReadError
from bridge.hl7v2.segments import UTF8_BOM

#: parts of ISO 8859 that Python has; there is no part 12
_PARTS = (*range(1, 12), *range(13, 17))
_PAGES = (874, 932, 936, 949, 950, *range(1250, 1259))
#: table 0211 and what is written instead of it, letters and digits only, to Python's codecs
_CODECS = {
    **{f"8859{part}": f"iso8859-{part}" for part in _PARTS},
    **{f"ISO8859{part}": f"iso8859-{part}" for part in _PARTS},
    **{f"CP{page}": f"cp{page}" for page in _PAGES},
    **{f"WINDOWS{page}": f"cp{page}" for page in _PAGES},
    "LATIN1": "iso8859-1",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    **dict.fromkeys(("GB180302000", "GB18030", "GBK", "GB2312"), "gb18030"),
    **dict.fromkeys(("KSX1001", "EUCKR"), "euc_kr"),
    **dict.fromkeys(("BIG5", "CNS11643", "CNS116431992"), "big5"),
    **dict.fromkeys(("ISOIR14", "SHIFTJIS", "SJIS", "WINDOWS31J"), "cp932"),
    **dict.fromkeys(("ISOIR87", "ISOIR159", "ISO2022JP"), "iso2022_jp_ext"),
    "ISO2022KR": "iso2022_kr",
    "KOI8R": "koi8_r",
}
#: charsets that MSH-18 names behind the first, and that ISO 2022 escape sequences change to
_ESCAPED = {"ISOIR14", "ISOIR87", "ISOIR159"}
#: codecs in which a byte of a character may be a delimiter, so that bytes must not be split
OPAQUE = frozenset(
    (
        *("gb18030", "gbk", "cp936", "hz", "big5", "big5hkscs", "cp950", "johab", "cp949"),
        *("cp932", "shift_jis_2004", "shift_jisx0213", "iso2022_jp_ext", "iso2022_kr"),
    )
)
#: repetitions of MSH-18 stand so in a `Header`, whatever the message's own delimiter is
REPETITION = "~"

_WIDE = (b"\xff\xfe", b"\xfe\xff", b"M\0", b"\0M", b"\0\0\0M", b"\0\0\xfe\xff")


@lru_cache(maxsize=256)
def codec(
    header_charset: str, fallback: str, default: str = "", forced: str = ""
) -> tuple[str, ...]:
    """The codecs to try, in order, for a message with this MSH-18.

    An MSH-18 that is empty, `ASCII` or unknown says nothing: then the text is what the channel's
    `default` says, else UTF-8 where it can be, else what its `fallback` says (names of table 0211
    or of Python's). `forced` holds whatever MSH-18 says. UTF-16 and UTF-32 say nothing either: a
    message whose MSH could be read is in neither.
    """
    declared = named(header_charset)
    if forced or declared or default:
        return (of_channel(forced) or declared or of_channel(default),)
    return ("utf-8", of_channel(fallback))


@lru_cache(maxsize=256)
def named(header_charset: str) -> str:
    """Python's codec for an MSH-18, "" where it says nothing.

    The first repetition is the charset of the message, unless one behind it is changed to by
    escape sequences of ISO 2022: then they are read.
    """
    first, *others = map(_plain, header_charset.split(REPETITION))
    if not _ESCAPED.isdisjoint(others):
        return "iso2022_jp_ext"
    return _CODECS.get(first, "")


def is_wide(body: bytes) -> bool:
    """Whether a message is UTF-16 or UTF-32, whose bytes can be those that frame it."""
    return body.startswith(_WIDE)


def narrowed(body: bytes) -> bytes:
    """A message in UTF-16 or UTF-32, such as files hold, as UTF-8; any other as it is."""
    if not is_wide(body):
        return body
    for name in ("utf-32", "utf-32-be", "utf-16", "utf-16-be"):
        try:
            text = body.decode(name)
        except UnicodeDecodeError:
            continue
        # in the other order of bytes its first letters would be ideographs
        if text.lstrip("\ufeff\r\n ")[:3].isascii() and "\0" not in text:
            return text.encode()
    return body


def decode(
    body: bytes, charset_name: str, fallback: str, default: str = "", forced: str = ""
) -> tuple[str, str]:
    """The text of a message without its byte order mark, and the codec that made it.

    Raises ReadError (table 0357: 102) naming the first byte that is not of the charset.
    """
    text = body.removeprefix(UTF8_BOM)
    *others, last = codec(charset_name, fallback, default, forced)
    for name in others:
        try:
            return text.decode(name), name
        except UnicodeDecodeError:
            continue
    try:
        return text.decode(last), last
    except UnicodeDecodeError as error:
        offset = error.start + len(body) - len(text)
        told = _undecodable(offset, last, bool(named(charset_name)) and not forced)
        raise ReadError(told, location="MSH-18") from error
    except LookupError as error:
        raise ReadError(f"'{last}', a charset of the channel's settings, is not known.") from error


def of_channel(name: str) -> str:
    """Python's codec for a setting: a name of table 0211, or one of Python's own."""
    return _CODECS.get(_plain(name), name)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).upper()


def _undecodable(offset: int, name: str, declared: bool) -> str:
    source = "MSH-18 says" if declared else "the channel takes it for"
    return f"The byte at offset {offset} is not {name}, which {source}; correct MSH-18."
