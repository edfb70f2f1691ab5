"""Dates and times moved by a number of days; what is written of them keeps its form."""

from __future__ import annotations

import datetime as dt
import re

#: DTM of HL7 (chapter 2A), a date at least; FHIR's dateTime
_HL7 = re.compile(r"(\d{8})((?:[0-2]\d(?:[0-5]\d(?:[0-6]\d(?:\.\d{1,4})?)?)?)?(?:[+-]\d{4})?)")
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})((?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)"
)
#: a year, or a year and month, where nothing else is known
_PARTIAL = re.compile(r"(\d{4})(-?)(\d{2})?")
#: years that people and their visits are of
_YEARS = range(1850, 2151)
_FRACTION = re.compile(r"\.\d+")


def moved(text: str, days: int) -> str | None:
    """A whole date, with or without a time, so many days later; None for anything else.

    The time of day stays, and a fraction of a second becomes zeros.
    """
    for form, written in ((_HL7, "%Y%m%d"), (_ISO, "%Y-%m-%d")):
        match = form.fullmatch(text.strip())
        if match is not None:
            date = _date(match[1], written)
            if date is None:
                return None
            later = date + dt.timedelta(days)
            time = _FRACTION.sub(lambda found: "." + "0" * (len(found[0]) - 1), match[2])
            return text.replace(match[0], f"{later.strftime(written)}{time}")
    return None


def partly_moved(text: str, days: int) -> str | None:
    """A year, or a year and month, so many days later; None for anything else.

    Only for what is known to be a date: four digits can be anything.
    """
    match = _PARTIAL.fullmatch(text.strip())
    if match is None or int(match[1]) not in _YEARS:
        return None
    month = int(match[3]) if match[3] else 7
    if not 1 <= month <= 12:
        return None
    later = dt.date(int(match[1]), month, 15 if match[3] else 1) + dt.timedelta(days)
    made = f"{later.year:04}{match[2]}" + (f"{later.month:02}" if match[3] else "")
    return text.replace(match[0], made)


def _date(text: str, written: str) -> dt.date | None:
    try:
        date = dt.datetime.strptime(text, written).date()
    except ValueError:
        return None
    return date if date.year in _YEARS else None
