"""Names, identifiers, telecoms and addresses, whichever standard wrote them.

HL7 v2 datatypes XPN, CX, XTN and XAD (chapter 2A) and their FHIR counterparts are read into the
same small records, so that each function is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

#: makes a named tuple without its own constructor, which takes twice as long: some fifteen are made
#: for every HL7 message
_new = tuple.__new__


class Name(NamedTuple):
    """XPN, or HumanName."""

    family: str
    #: given and further given names
    given: str
    suffix: str
    prefix: str
    #: the whole as one text, where the parts are not given
    text: str
    #: XPN.7 of table 0200, or HumanName.use
    use: str


class Identifier(NamedTuple):
    """CX, or Identifier."""

    value: str
    #: CX.5 of table 0203, or the codes and text of Identifier.type
    types: tuple[str, ...]
    #: CX.4 namespace id (else universal id), or Identifier.system (else the assigner's name)
    authority: str


class Telecom(NamedTuple):
    """XTN, or ContactPoint."""

    #: the whole number or address as one text
    text: str
    country: str
    area: str
    local: str
    #: `phone`, `email`, `whatsapp` or `other`
    kind: str
    #: lower is asked first
    rank: int


class Address(NamedTuple):
    """XAD, or Address."""

    #: street, other, city, state and postcode, country; some of them empty
    places: tuple[str, ...]
    #: lower is asked first
    rank: int


class Doctor(NamedTuple):
    """XCN: an id and a name, of which the standard lets either be absent."""

    id: str
    family: str
    given: str
    #: `Dr Meera Rao`
    name: str


class Compounds(NamedTuple):
    """How one standard's values are read."""

    name: Callable[[Any], Name]
    identifier: Callable[[Any], Identifier]
    telecom: Callable[[Any], Telecom]
    address: Callable[[Any], Address]


def plain(value: Any) -> Any:
    """One text, number or truth value; of a repetition the first component, an object as it is."""
    if isinstance(value, str):
        return value.strip()
    return value if isinstance(value, (bool, int, float, dict)) else parts(value, 1)[0]


def parts(value: Any, count: int) -> list[str]:
    """The first `count` components of an HL7 repetition, as `part` gives them.

    `value` is a `Repetition`, a text, which is its own first component, or a repetition that is
    cut already.
    """
    if type(value) is list:
        return (value + _NOTHING)[:count]
    return [part(value, number) for number in range(1, count + 1)]


#: components that a repetition ends without, as many as are ever asked for
_NOTHING = [""] * 12


def part(value: Any, component: int, subcomponent: int = 1) -> str:
    """A component of an HL7 repetition, or a text as its own first; "" for `""` and all else."""
    if isinstance(value, str):
        return value.strip() if component == 1 else ""
    read = getattr(value, "component", None)
    text: str = read(component, subcomponent).strip() if read is not None else ""
    return "" if text == '""' else text


def _xpn(value: Any) -> Name:
    family, given, further, suffix, prefix, _, use = parts(value, 7)
    givens = f"{given} {further}" if given and further else given or further
    return _new(Name, (family, givens, suffix, prefix, "", use))


def _cx(value: Any) -> Identifier:
    number, _, _, authority, kind = parts(value, 5)
    if not authority and type(value) is not list:
        authority = part(value, 4, 2)
    return _new(Identifier, (number, (kind,) if kind else (), authority))


#: XTN.2 (table 0201) and XTN.3 (table 0202) values of what no one answers when called
_NOT_CALLED = frozenset({"FX", "X.400", "MD", "TDD", "TTY", "SAT"})
_NETWORK = frozenset({"NET", "INTERNET"})
#: XTN.2 for the primary residence number, which senders set for the one to call
_PRIMARY = "PRN"
#: XTN.3 for a mobile phone
_MOBILE = frozenset({"CP", "MOBILE", "CELL"})


def _xtn(value: Any) -> Telecom:
    first, use, equipment, email, country, area, local, _, remark, _, _, last = parts(value, 12)
    use, equipment = use.upper(), equipment.upper()
    # XTN.12 is the unformatted number from 2.5 on, XTN.1 before; a sender fills one of them
    text = last or first
    kind = _kind_of_xtn(use, equipment, remark, text, email)
    if kind == "email":
        text = email or text
    rank = 0 if use == _PRIMARY else 1 if equipment in _MOBILE else 2
    return _new(Telecom, (text, country, area, local, kind, rank))


def _kind_of_xtn(use: str, equipment: str, remark: str, text: str, email: str) -> str:
    if use in _NETWORK or equipment in _NETWORK or "@" in (text or email):
        return "email"
    if "WHATSAPP" in (use, equipment) or remark.upper() == "WHATSAPP":
        return "whatsapp"
    return "other" if equipment in _NOT_CALLED else "phone"


#: XAD.7 (table 0190) in the order asked; BA (bad) and old ones last
_ADDRESS_RANK = {"H": 0, "P": 0, "C": 0, "L": 0, "": 1, "M": 1, "O": 2, "B": 2, "BA": 9}


def _xad(value: Any) -> Address:
    street, other, city, state, code, country, kind = parts(value, 7)
    places = (street, other, city, f"{state} {code}".strip(), country)
    return _new(Address, (places, _ADDRESS_RANK.get(kind, 2)))


def doctor(value: Any) -> Doctor:
    """A repetition of an XCN field; a degree (XCN.7) is no part of the name."""
    identifier, family, given, further, suffix, prefix = parts(value, 6)
    named = (prefix, given, further, family, suffix) if family or given else ()
    return _new(Doctor, (identifier, family, given, " ".join(filter(None, named))))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [text for item in items if (text := _text(item))]


_NAME_USE = {"official": "L", "usual": "U", "": ""}


def _human_name(value: Any) -> Name:
    if not isinstance(value, dict):
        return Name("", "", "", "", _text(value), "")
    use = _text(value.get("use"))
    return Name(
        _text(value.get("family")),
        " ".join(_texts(value.get("given"))),
        " ".join(_texts(value.get("suffix"))),
        " ".join(_texts(value.get("prefix"))),
        _text(value.get("text")),
        _NAME_USE.get(use, use),
    )


def _identifier(value: Any) -> Identifier:
    if not isinstance(value, dict):
        return Identifier(_text(value), (), "")
    assigner = value.get("assigner")
    named = _text(assigner.get("display")) if isinstance(assigner, dict) else ""
    kind = value.get("type")
    types = _codes(kind) if isinstance(kind, dict) else ()
    # `old` says that the identifier is no longer the person's
    number = "" if value.get("use") == "old" else _text(value.get("value"))
    return Identifier(number, types, _text(value.get("system")) or named)


def _codes(concept: dict[str, Any]) -> tuple[str, ...]:
    codings = concept.get("coding")
    found = [
        _text(coding.get("code"))
        for coding in (codings if isinstance(codings, list) else [codings])
        if isinstance(coding, dict)
    ]
    return tuple(filter(None, [*found, _text(concept.get("text"))]))


_TELECOM_RANK = {"mobile": 0, "home": 1, "": 1, "work": 2}


def _contact_point(value: Any) -> Telecom:
    if not isinstance(value, dict):
        return Telecom(_number_text(value), "", "", "", "phone", 1)
    text = _number_text(value.get("value"))
    use = _text(value.get("use"))
    if use in ("old", "temp"):
        text = ""
    rank = _TELECOM_RANK.get(use, 2)
    return Telecom(text, "", "", "", _kind_of_contact_point(value, text), rank)


def _number_text(value: Any) -> str:
    """A number as text; some servers send it as a JSON number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value).removeprefix("tel:")


def _kind_of_contact_point(value: dict[str, Any], text: str) -> str:
    system = _text(value.get("system")) or ("email" if "@" in text else "phone")
    folded = text.casefold()
    if folded.startswith(("https://wa.me/", "whatsapp:")):
        return "whatsapp"
    if system == "sms":
        return "phone"
    return system if system in ("phone", "email") else "other"


def _fhir_address(value: Any) -> Address:
    if not isinstance(value, dict):
        return Address((_text(value),), 1)
    rank = {"home": 0, "": 1, "old": 9}.get(_text(value.get("use")), 2)
    whole = _text(value.get("text")).replace("\n", ", ")
    if whole:
        return Address((whole,), rank)
    places = [*_texts(value.get("line")), _text(value.get("district")), _text(value.get("city"))]
    state = f"{_text(value.get('state'))} {_text(value.get('postalCode'))}".strip()
    return Address((*places, state, _text(value.get("country"))), rank)


HL7V2 = Compounds(_xpn, _cx, _xtn, _xad)
FHIR = Compounds(_human_name, _identifier, _contact_point, _fhir_address)
