"""From the tree of a file of tests to what it says, every word checked."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.errors import Fault
from bridge.mapping.language.language import INTERACTION_WORDS
from bridge.mapping.language.taking import (
    Faults,
    check_words,
    require_word,
    take_entries,
    take_one_of,
    take_table,
    take_tables,
    take_truth,
    take_word,
    take_words,
    under,
)
from bridge.study.cases import language
from bridge.study.cases.language import Case, CaseFile, Expected, ExpectedCall, Words
from bridge.yamlfile import Entry, Items, Table, Word, read_table


def parse_cases(text: str, file: str, mapping: str, faults: Faults) -> CaseFile:
    """Read the text of a file of tests; what is wrong in it is a fault, and left out."""
    table = read_table(text, file, faults)
    if table is None:
        return CaseFile(file, mapping, ())
    check_words(table, "", language.FILE_WORDS, faults)
    cases = tuple(_case(item, key, faults) for key, item in take_tables(table, "", "tests", faults))
    if not cases:
        faults.append(table.place.fault("tests", "list at least one test."))
    _check_names(cases, faults)
    return CaseFile(file, mapping, cases, take_table(table, "", "site", faults))


def _check_names(cases: tuple[Case, ...], faults: Faults) -> None:
    """A name is how a test is called, so each is there and different."""
    seen: set[str] = set()
    for case in cases:
        if case.name in seen:
            message = f"'{case.name}' is the name of another test; give each its own."
            faults.append(case.place.fault(f"{case.key}.name", message))
        seen.add(case.name)


def _case(table: Table, key: str, faults: Faults) -> Case:
    check_words(table, key, language.CASE_WORDS, faults)
    name = require_word(table, key, "name", faults)
    take_one_of(table, key, ("message", "file"), faults)
    return Case(
        place=table.place,
        key=key,
        name=name.text if name else "",
        message=take_word(table, key, "message", faults),
        file=take_word(table, key, "file", faults),
        type=take_word(table, key, "type", faults),
        charset=take_word(table, key, "charset", faults),
        site=take_table(table, key, "site", faults),
        hospital=take_table(table, key, "hospital", faults),
        channel=take_word(table, key, "channel", faults),
        received=take_word(table, key, "received", faults),
        links=_words(table, key, "links", faults),
        known=_known(table, key, faults),
        expect=_expect(table, key, faults),
    )


def _known(table: Table, key: str, faults: Faults) -> Mapping[str, Words]:
    inner = take_table(table, key, "known", faults)
    if inner is None:
        return {}
    here = under(key, "known")
    for entry in inner.entries.values():
        if "/" not in entry.key:
            message = "name a record by its resource and id, such as patient-visits/V1."
            faults.append(entry.key_place.fault(f"{here}.{entry.key}", message))
    return {name: _words(inner, here, name, faults) for name in inner.entries}


def _expect(table: Table, key: str, faults: Faults) -> Expected | None:
    inner = take_table(table, key, "expect", faults)
    if inner is None:
        return None
    key = under(key, "expect")
    check_words(inner, key, language.EXPECT_WORDS, faults)
    take_one_of(inner, key, language.END_WORDS, faults)
    return Expected(
        place=inner.place,
        key=key,
        calls=_calls(inner, key, faults) if "calls" in inner.entries else None,
        held=take_words(inner, key, "held", faults) if "held" in inner.entries else None,
        problem=take_word(inner, key, "problem", faults),
        unmapped=take_truth(inner, key, "unmapped", faults),
        remarks=_remarks(inner, key, faults),
    )


def _remarks(table: Table, key: str, faults: Faults) -> tuple[Entry, ...]:
    found: list[Entry] = []
    for inner, item in take_tables(table, key, "remarks", faults):
        found += item.entries.values()
        faults += [
            _not_one_word(entry, inner)
            for entry in item.entries.values()
            if not isinstance(entry.value, Word)
        ]
    return tuple(found)


def _calls(table: Table, key: str, faults: Faults) -> tuple[ExpectedCall, ...]:
    found = [_call(item, inner, faults) for inner, item in take_tables(table, key, "calls", faults)]
    return tuple(call for call in found if call is not None)


def _call(table: Table, key: str, faults: Faults) -> ExpectedCall | None:
    check_words(table, key, language.EXPECTED_CALL_WORDS, faults)
    interaction = take_one_of(table, key, INTERACTION_WORDS, faults)
    target = take_word(table, key, interaction, faults) if interaction else None
    if interaction is None or target is None:
        return None
    stated_facts = "facts" in table.entries
    return ExpectedCall(
        place=table.place,
        key=key,
        interaction=interaction,
        target=target,
        id=take_word(table, key, "id", faults),
        authority=take_word(table, key, "authority", faults),
        into=take_word(table, key, "into", faults),
        owner=take_word(table, key, "owner", faults),
        also=take_words(table, key, "also", faults) if "also" in table.entries else None,
        linked=take_words(table, key, "linked", faults),
        fields=_words(table, key, "fields", faults),
        on_create=_words(table, key, "on_create", faults),
        cleared=take_words(table, key, "cleared", faults),
        allocated=take_words(table, key, "allocated", faults),
        facts=_words(table, key, "facts", faults) if stated_facts else None,
        message=take_word(table, key, "message", faults),
    )


def _words(table: Table, key: str, word: str, faults: Faults) -> Words:
    """The entries of a table in which every value is one word."""
    found: dict[str, Entry] = {}
    for entry in take_entries(table, key, word, faults):
        if isinstance(entry.value, Word):
            found[entry.key] = entry
        else:
            faults.append(_not_one_word(entry, under(key, word)))
    return found


def _not_one_word(entry: Entry, key: str) -> Fault:
    kind = "a list" if isinstance(entry.value, Items) else "a table"
    return entry.key_place.fault(under(key, entry.key), f"takes one word, not {kind}.")
