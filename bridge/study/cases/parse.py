"""From the text of a file of tests to what it says, every word checked."""

from __future__ import annotations

from bridge.errors import Fault
from bridge.mapping.language.declared import read
from bridge.study.cases.language import Case, CaseFile, CaseFileText
from bridge.yamlfile import read_table


def parse_cases(text: str, file: str, mapping: str, faults: list[Fault]) -> CaseFile:
    """Read the text of a file of tests; what is wrong in it is a fault, and left out."""
    table = read_table(text, file, faults)
    said = read(CaseFileText, table, faults) if table else None
    if said is None:
        return CaseFile(file, mapping, ())
    _check_names(said.tests, faults)
    return CaseFile(file, mapping, said.tests, said.site)


def _check_names(cases: tuple[Case, ...], faults: list[Fault]) -> None:
    """A name is how a test is called, so each is different."""
    seen: set[str] = set()
    for case in cases:
        if case.name in seen:
            message = f"'{case.name}' is the name of another test; give each its own."
            faults.append(case.place.fault(f"{case.key}.name", message))
        seen.add(case.name)
