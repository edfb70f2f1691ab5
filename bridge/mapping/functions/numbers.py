"""Numbers: the whole of a text is one number, or it is not read at all.

Only ASCII digits count, because the receiver of an HL7 NM accepts no others.
"""

from __future__ import annotations

import re
from decimal import Decimal

#: RXE-3 and other NM fields hold 20 characters (2.5.1, chapter 4.14.4.3)
_LONGEST = 20
#: digits of a whole number: as many as every double holds exactly
_WHOLE_DIGITS = 15
_WHOLE = re.compile(r"[0-9]+")
_FRACTIONAL = re.compile(r"(0|[1-9][0-9]*)([.,])([0-9]+)")
#: `1,000`, `5,00,000`, `1,000.5`: groups of two are Indian, and the last has three digits
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]+)?")
#: chapter 2A, NM: sign, digits, one decimal point
_NM = re.compile(r"[+-]?(?:[0-9]{1,15}\.?|[0-9]{0,15}\.[0-9]{1,20})")


def read_decimal(text: str, *, decimal_comma: bool) -> Decimal | None:
    """A positive number or 0 as people write it; None for all else, and where two rules read it.

    A point is the decimal point. A comma groups thousands; with `decimal_comma` a single one is
    the decimal comma. `1.000`, and with `decimal_comma` `1,000`, is one or a thousand, so it is
    not read.
    """
    if len(text) > _LONGEST:
        return None
    if _WHOLE.fullmatch(text):
        return Decimal(text)
    if match := _FRACTIONAL.fullmatch(text):
        whole, separator, fraction = match.groups()
        decimal = separator == "." or decimal_comma
        thousands = whole != "0" and len(whole) <= 3 and len(fraction) == 3
        if decimal:
            return None if thousands else Decimal(f"{whole}.{fraction}")
    return Decimal(text.replace(",", "")) if _GROUPED.fullmatch(text) else None


def read_nm(text: str) -> Decimal | None:
    """An HL7 NM (chapter 2A): a sign perhaps, digits and a decimal point; None for all else."""
    return Decimal(text) if _NM.fullmatch(text) else None


def read_whole(text: str) -> int | None:
    """A whole number of at most 15 digits without a sign; None for all else."""
    return int(text) if len(text) <= _WHOLE_DIGITS and _WHOLE.fullmatch(text) else None


def from_json(value: object) -> Decimal | None:
    """A JSON number as the shortest decimal that is the same double; None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
    if not number.is_finite() or number.adjusted() >= _WHOLE_DIGITS:
        return None
    whole = number.to_integral_value()
    return whole if number == whole else number


def plain(number: Decimal) -> str:
    """Digits and a decimal point: never an exponent."""
    return format(number, "f")
