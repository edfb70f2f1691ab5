"""Amounts of money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bridge.mapping.functions.numbers import from_json, plain, read_decimal
from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode

#: decimals of the currencies of ISO 4217 that have not two
_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF".split(), 0),
    **dict.fromkeys("UGX VND VUV XAF XOF XPF".split(), 0),
}
_USUAL_DECIMALS = 2
#: an amount is below this
_TOO_MUCH = Decimal(10) ** 12


def amount(value: Any, scope: Scope) -> str | None:
    """A price as a plain decimal number, in no finer parts than the site's currency has.

    The half of the last part is rounded up. Left out, with a remark: what is negative, what is not
    a number as a whole, and what has more than 12 digits before the decimal point.
    """
    number = _number(value, scope)
    if number is None or number.is_signed() or number >= _TOO_MUCH:
        scope.remark(RemarkCode.NOT_AN_AMOUNT)
        return None
    part = Decimal(1).scaleb(-_DECIMALS.get(scope.site.currency.upper(), _USUAL_DECIMALS))
    rounded = number.quantize(part, ROUND_HALF_UP)
    return plain(number if number == rounded else rounded)


def _number(value: Any, scope: Scope) -> Decimal | None:
    if isinstance(value, str):
        return read_decimal(value.strip(), decimal_comma=scope.site.decimal_comma)
    return from_json(value)
