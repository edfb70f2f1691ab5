"""People's names."""

from __future__ import annotations

from bridge.mapping.functions.compounds import Doctor, Name
from bridge.mapping.scope import Candidates, Scope
from bridge.remarks import RemarkCode

#: table 0200: the legal name, then one of no stated type; aliases and maiden names last
_RANK = {"L": 0, "": 1, "U": 1, "D": 2}


def order(candidates: Candidates, scope: Scope) -> Candidates:
    """The legal (official) name first, then an untyped one, then the rest as they stand."""
    if len(candidates) == 1:
        return candidates
    return sorted(candidates, key=lambda candidate: _RANK.get(candidate[0].use, 3))


def full_name(name: Name, scope: Scope) -> str | None:
    """`Anita Kumari Sharma`: given names, family name and suffix; the prefix is left out."""
    stated = (name.given, name.family, name.suffix)
    return " ".join([text for text in stated if text]) or name.text or None


def title(name: Name, scope: Scope) -> str | None:
    """The prefix of the name that is the full name: `Ms`."""
    return name.prefix if _is_stated(name) else None


def family(name: Name, scope: Scope) -> str | None:
    """The family name; of a name that has no parts, the whole (a receiver needs PID-5.1)."""
    return name.family if name.family or name.given else full_name(name, scope)


def given(name: Name, scope: Scope) -> str | None:
    """The given names."""
    return name.given if _is_stated(name) else None


def _is_stated(name: Name) -> bool:
    return bool(name.given or name.family or name.suffix or name.text)


# A provider needs both id and name, and both from the same repetition of PV1-7.


def provider_id(doctor: Doctor, scope: Scope) -> str | None:
    """The id of the first doctor that also has a name."""
    if doctor.id and not doctor.name:
        scope.remark(RemarkCode.PROVIDER_WITHOUT_NAME)
    return doctor.id if doctor.id and doctor.name else None


def provider_name(doctor: Doctor, scope: Scope) -> str | None:
    """`Dr Meera Rao`, of the first doctor that also has an id."""
    return doctor.name if doctor.id and doctor.name else None


def provider_family(doctor: Doctor, scope: Scope) -> str | None:
    """The family name of the same doctor."""
    return doctor.family if doctor.id and doctor.name else None


def provider_given(doctor: Doctor, scope: Scope) -> str | None:
    """The given name of the same doctor."""
    return doctor.given if doctor.id and doctor.name else None


def doctor_name(doctor: Doctor, scope: Scope) -> str | None:
    """The name, with or without an id."""
    return doctor.name or None
