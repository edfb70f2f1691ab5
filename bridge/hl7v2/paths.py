"""HL7 paths, `SEG[n]-field[repetition or qualifier].component.subcomponent`.

    PID-5             every repetition of the field, whole
    PID-5.1           the first component of every repetition
    PID-5[1].1        of the first repetition
    PID-3[MR].1       of the repetitions whose type is MR: CX.5, XPN.7, XAD.7, XTN.2, XCN.13
    NK1[2]-5          of the second NK1; without a number the first
    AIS[*]-4          of every AIS, as if one field repeated
    MSH-9.2           MSH-1 is the field separator, MSH-2 the encoding characters
    PID-5.1.2         a subcomponent; without a number the first

Numbers begin at 1. The same notation without the segment, `3[2].1`, names a place to write to.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from dataclasses import field as declared
from functools import lru_cache
from typing import NamedTuple

from bridge.errors import PathError

#: which component qualifies a repetition, by data type, and the fields of that type
_QUALIFIED_BY = (
    # CX.5 identifier type code, table 0203
    (5, "PID-2 PID-3 PID-4 PID-18 PID-21 PV1-5 PV1-19 PV1-50 NK1-12 NK1-33 GT1-2 GT1-19 IN1-49"),
    (5, "MRG-1 MRG-2 MRG-3 MRG-4 MRG-5 MRG-6"),
    # XPN.7 name type code, table 0200
    (7, "PID-5 PID-6 PID-9 NK1-2 NK1-26 NK1-30 GT1-3 GT1-4 GT1-42 IN1-6 IN1-16 MRG-7 STF-3"),
    # XAD.7 address type, table 0190
    (7, "PID-11 NK1-4 NK1-32 GT1-5 GT1-17 IN1-5 IN1-19 IN1-44 STF-11 ORC-22 ORC-24"),
    # XON.7 identifier type code, table 0203
    (7, "PD1-3 NK1-13 GT1-21 IN1-4 IN1-11 ORC-21"),
    # XTN.2 telecommunication use code, table 0201
    (2, "PID-13 PID-14 PID-40 NK1-5 NK1-6 NK1-31 NK1-40 GT1-6 GT1-7 GT1-18 IN1-7 STF-10"),
    (2, "ORC-14 ORC-23 OBR-17 SCH-13 SCH-17"),
    # XCN.13 identifier type code, table 0203
    (13, "PV1-7 PV1-8 PV1-9 PV1-17 PV1-52 PD1-4 EVN-5 ORC-10 ORC-11 ORC-12 ORC-19 OBR-10"),
    (13, "OBR-16 OBR-28 DG1-16 AIP-3 SCH-12 SCH-16 SCH-20"),
)
_QUALIFIER = {field: part for part, fields in _QUALIFIED_BY for field in fields.split()}

#: segments of versions 2.3 to 2.8.2; those beginning with Z are a site's own
SEGMENTS = frozenset(
    (
        "ABS ACC ADD ADJ AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS BTX BUI "
        "CDM CDO CER CM0 CM1 CM2 CNS CON CSP CSR CSS CTD CTI DB1 DG1 DMI DON DPS DRG DSC DSP ECD "
        "ECR EDU EQL EQP EQU ERQ ERR EVN FAC FHS FT1 FTS GOL GP1 GP2 GT1 IAM IAR IIM ILT IN1 IN2 "
        "IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH LDP LOC LRL MCP MFA MFE MFI MRG MSA MSH NCK "
        "NDS NK1 NPU NSC NST NTE OBR OBX ODS ODT OM1 OM2 OM3 OM4 OM5 OM6 OM7 OMC ORC ORG OVR PAC "
        "PCE PCR PD1 PDA PDC PEO PES PID PKG PM1 PMT PR1 PRA PRB PRC PRD PRT PSG PSH PSL PSS PTH "
        "PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1 RFI RGS RMI ROL RQ1 RQD RXA RXC "
        "RXD RXE RXG RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT SPM SPR STF STZ TCC "
        "TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS VAR VND VTQ"
    ).split()
)

#: what most mappings read, and so what a slip most likely meant
_USUAL = "MSH EVN PID PD1 NK1 PV1 PV2 MRG IN1 GT1 AL1 DG1 SCH ORC OBR OBX NTE RXE RXR".split()

#: segments whose first two fields are the delimiters themselves
DECLARING = frozenset(("MSH", "FHS", "BHS"))

#: stands for the number of a segment where all of that name are read
EVERY = -1

_NUMBER = r"[1-9]\d{0,3}"
_FIELD = rf"(?P<field>{_NUMBER})(?:\[(?P<choice>{_NUMBER}|[A-Za-z][A-Za-z0-9]*)\])?"
_PARTS = rf"(?:\.(?P<component>{_NUMBER})(?:\.(?P<subcomponent>{_NUMBER}))?)?"
_PATH = re.compile(
    rf"(?P<segment>[A-Z][A-Z0-9]{{2}})(?:\[(?P<occurrence>{_NUMBER}|\*)\])?-{_FIELD}{_PARTS}"
)
_LINE = re.compile(rf"(?P<segment>[A-Z][A-Z0-9]{{2}})(?:\[(?P<occurrence>{_NUMBER})\])?")
_PLACE = re.compile(_FIELD + _PARTS)
#: the notation as a regular expression of any dialect
PATTERN = re.sub(r"\?P<\w+>", "", _PATH.pattern)
_LOOSE = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{2})(\[(?:\d+|\*)\])?[-._ ](\d+.*?)\s*")


@dataclass(frozen=True, slots=True)
class Hl7Path:
    """Where in a message a value stands; every number begins at 1."""

    #: the segment's name, and which of that name; `EVERY` for all of them
    line: tuple[str, int]
    #: 0 for the segment's name itself
    field: int
    #: a repetition's number, or what `qualified_by` must hold in it; None takes every one
    choice: int | str | None = None
    #: the component that holds the qualifier
    qualified_by: int = 0
    #: None takes the whole repetition
    component: int | None = None
    subcomponent: int = 1
    #: any repetition of a field that is no delimiter, as most paths are
    usual: bool = declared(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        delimiter = self.line[0] in DECLARING and self.field <= 2
        object.__setattr__(self, "usual", self.choice is None and not delimiter)

    def __str__(self) -> str:
        segment, occurrence = self.line
        which = "*" if occurrence == EVERY else occurrence
        text = segment if occurrence == 1 else f"{segment}[{which}]"
        text += f"-{self.field}" + (f"[{self.choice}]" if self.choice else "")
        if self.component is not None:
            text += f".{self.component}"
        return text + (f".{self.subcomponent}" if self.subcomponent > 1 else "")


class Place(NamedTuple):
    """Where in a segment a value is written, in writing order; every number begins at 1."""

    field: int
    repetition: int = 1
    component: int = 1
    subcomponent: int = 1


# A set of mappings writes a few hundred paths several thousand times.
@lru_cache(maxsize=4096)
def parse(text: str) -> Hl7Path:
    """The path written as `text`; raises PathError."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise PathError(
            f"'{text}' is not an HL7 path; write it like PID-5.1, NK1[2]-5 or PID-3[MR].1.",
            _near_path(text),
        )
    segment = match["segment"]
    check_segment(segment, text)
    field, choice = int(match["field"]), _chosen(match["choice"])
    return Hl7Path(
        line=(segment, _occurrence(match["occurrence"])),
        field=field,
        choice=choice,
        qualified_by=_qualifying(text, f"{segment}-{field}", choice),
        component=int(match["component"]) if match["component"] else None,
        subcomponent=int(match["subcomponent"] or 1),
    )


def parse_field(text: str) -> tuple[str, int] | None:
    """The segment and the number of a whole field, `PRA-5`; None of what is written otherwise."""
    match = _PATH.fullmatch(text)
    if match is None or not is_segment(match["segment"]):
        return None
    field = match["segment"], int(match["field"])
    return field if text == f"{field[0]}-{field[1]}" else None


def segment_path(text: str) -> Hl7Path | None:
    """The path of a segment's own name, `PID` or `PID[2]`, which is there where the segment is.

    None where `text` names no segment.
    """
    match = _LINE.fullmatch(text)
    if match is None or not is_segment(match["segment"]):
        return None
    return Hl7Path((match["segment"], _occurrence(match["occurrence"])), 0)


def is_segment(name: str) -> bool:
    """Whether HL7 v2 has a segment of that name, or it is a site's own (`Z..`)."""
    own = len(name) == 3 and name[0] == "Z" and name.isalnum() and name.isupper()
    return name in SEGMENTS or own


def check_segment(name: str, text: str) -> None:
    """Raise PathError where the standard has no such segment; `text` is what named it."""
    if not is_segment(name):
        raise PathError(f"'{name}' is not a segment of HL7 v2.", _near_segment(text, name))


def parse_place(text: str) -> Place:
    """The place in a segment written as `text`: `3`, `3.1.2`, `3[2].1`. Raises PathError."""
    match = _PLACE.fullmatch(text)
    choice = _chosen(match["choice"]) if match else None
    if match is None or isinstance(choice, str):
        raise PathError(f"'{text}' is not a place in a segment; write it like 3, 3.1 or 3[2].1.")
    return Place(
        int(match["field"]),
        choice or 1,
        int(match["component"] or 1),
        int(match["subcomponent"] or 1),
    )


def _occurrence(text: str | None) -> int:
    return EVERY if text == "*" else int(text or 1)


def _chosen(choice: str | None) -> int | str | None:
    return int(choice) if choice and choice.isdecimal() else choice


def _qualifying(text: str, field: str, choice: int | str | None) -> int:
    if not isinstance(choice, str):
        return 0
    if field not in _QUALIFIER:
        raise PathError(
            f"The repetitions of {field} have no type to choose '{choice}' by; number them.",
            text.replace(f"[{choice}]", "[1]"),
        )
    return _QUALIFIER[field]


def _near_path(text: str) -> str | None:
    """The same path in the right notation: `pid.3.1` is PID-3.1."""
    match = _LOOSE.fullmatch(text)
    if match is None:
        return None
    near = f"{match[1].upper()}{match[2] or ''}-{match[3]}"
    return near if near != text and _PATH.fullmatch(near) else None


def _near_segment(text: str, segment: str) -> str | None:
    for known in (_USUAL, sorted(SEGMENTS)):
        if near := difflib.get_close_matches(segment, known, n=1):
            return text.replace(segment, near[0], 1)
    return None
