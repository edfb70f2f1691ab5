"""From the tree of a file to what it says: every word checked against the closed list.

Each function takes the table it reads, its dotted key for messages to people, and the list that
faults are added to; what cannot be read is left out, so that one run finds every fault.
"""

from __future__ import annotations

import re

from bridge.delivery import Role
from bridge.errors import Fault
from bridge.mapping.language import language
from bridge.mapping.language.language import (
    Also,
    CallText,
    Choice,
    Each,
    Field,
    MappingText,
    Part,
    Rows,
    Rule,
    Segment,
    TableText,
    Test,
)
from bridge.mapping.language.taking import (
    Faults,
    check_words,
    key_of,
    require_word,
    take_entries,
    take_one_of,
    take_pairs,
    take_table,
    take_tables,
    take_truth,
    take_word,
    take_words,
    under,
)
from bridge.message import Protocol
from bridge.yamlfile import Entry, Items, Node, Table, Word, listed, nearest


def parse_mapping(table: Table, name: str, protocol: Protocol, faults: Faults) -> MappingText:
    """Read `hl7v2/*.yaml`, `fhir/*.yaml` or `orders/*.yaml`."""
    check_words(table, "", language.MAPPING_WORDS, faults)
    messages = take_words(table, "", "messages", faults)
    faults += [fault for word in messages if (fault := _wrong_type(word, protocol))]
    if not messages:
        faults.append(table.place.fault("messages", "name at least one message type."))
    calls = tuple(
        call
        for key, item in take_tables(table, "", "calls", faults)
        if (call := _call(item, key, faults))
    )
    nothing = take_word(table, "", "nothing", faults)
    if bool(calls) is (nothing is not None):
        message = "list at least one call, or say under 'nothing' why there is none."
        faults.append(table.place.fault("calls", message))
    needs = take_pairs(table, "", "needs", faults)
    ignore = take_words(table, "", "ignore", faults)
    return MappingText(name, table.place, protocol, messages, calls, needs, ignore, nothing)


#: what the message types of a protocol look like, and one of them
_TYPES = {
    Protocol.HL7V2: (re.compile(r"[A-Z][A-Z0-9]{2}(\^[A-Z0-9]{3})?"), "ADT^A04"),
    Protocol.FHIR: (re.compile(r"[A-Z][A-Za-z]+"), "Patient"),
    Protocol.ORDERS: (re.compile(r"[a-z]+-order"), "service-order"),
}


def _wrong_type(word: Word, protocol: Protocol) -> Fault | None:
    shape, example = _TYPES[protocol]
    if shape.fullmatch(word.text):
        return None
    message = f"'{word.text}' is not a message type; write it like {example}."
    return word.place.fault("messages", message)


def parse_part(table: Table, name: str, faults: Faults) -> Part | None:
    """Read `parts/*.yaml`."""
    known = language.MESSAGE_WORDS if "message" in table.entries else language.PART_WORDS
    check_words(table, "", known, faults)
    source = require_word(table, "", "source", faults)
    target = require_word(
        table, "", "message" if "message" in table.entries else "resource", faults
    )
    protocol = _protocol(source, faults) if source else None
    if protocol is None or target is None:
        return None
    if "id" not in table.entries:
        faults.append(table.place.fault("id", "say where the id comes from."))
    return Part(
        name=name,
        place=table.place,
        source=protocol,
        target=target,
        id=_rules(table.entries.get("id"), "id", faults),
        authority=_rules(table.entries.get("authority"), "authority", faults),
        into=_rules(table.entries.get("into"), "into", faults),
        owner=_rules(table.entries.get("owner"), "owner", faults),
        requires=take_words(table, "", "requires", faults),
        fields=_fields(table, "", "fields", faults),
        facts=_fields(table, "", "facts", faults),
        segments=_segments(table, faults),
        also=tuple(
            _also(item, key, faults) for key, item in take_tables(table, "", "also", faults)
        ),
        numbers=_numbers(table, faults),
        choose=_choices(table, faults),
        ignore=take_words(table, "", "ignore", faults),
    )


def parse_table(table: Table, name: str, faults: Faults) -> TableText:
    """Read `codes/*.yaml`."""
    check_words(table, "", language.TABLE_WORDS, faults)
    rows = take_pairs(table, "", "rows", faults)
    senders = _senders(table, faults)
    if not rows and not senders:
        faults.append(table.place.fault("rows", "a code table needs at least one row."))
    otherwise = take_word(table, "", "otherwise", faults)
    return TableText(name, table.place, rows, otherwise, senders)


def _senders(table: Table, faults: Faults) -> tuple[tuple[Word, Rows], ...]:
    inner = take_table(table, "", "senders", faults)
    if inner is None:
        return ()
    for entry in inner.entries.values():
        if not entry.key.partition("|")[0].strip():
            message = "name a sending application, or one with its facility: MEDIS|RIVERSIDE."
            faults.append(entry.key_place.fault(f"senders.{entry.key}", message))
    return tuple(
        (key_of(entry), take_pairs(inner, "senders", entry.key, faults))
        for entry in inner.entries.values()
    )


def _call(table: Table, key: str, faults: Faults) -> CallText | None:
    check_words(table, key, language.CALL_WORDS, faults)
    interaction = take_one_of(table, key, language.INTERACTION_WORDS, faults)
    if interaction is None:
        return None
    target = require_word(table, key, interaction, faults)
    use = require_word(table, key, "use", faults)
    when = _tests(table.entries.get("when"), f"{key}.when", faults)
    otherwise = take_word(table, key, "otherwise", faults)
    if otherwise is not None and not when:
        faults.append(otherwise.place.fault(f"{key}.otherwise", "'otherwise' needs 'when'."))
    required = _required(table, key, faults)
    linked = take_truth(table, key, "linked", faults)
    if target is None or use is None:
        return None
    each = take_words(table, key, "each", faults)
    return CallText(table.place, interaction, target, use, each, when, otherwise, *required, linked)


def _required(table: Table, key: str, faults: Faults) -> tuple[bool, tuple[Test, ...]]:
    """Whether `required:` is stated, and the conditions it has in place of `true`."""
    entry = table.entries.get("required")
    if entry is None or (isinstance(entry.value, Word) and entry.value.text in ("true", "false")):
        return take_truth(table, key, "required", faults), ()
    return True, _tests(entry, f"{key}.required", faults)


def _also(table: Table, key: str, faults: Faults) -> Also:
    check_words(table, key, language.ALSO_WORDS, faults)
    if "id" not in table.entries:
        faults.append(table.place.fault(f"{key}.id", "say where the other id comes from."))
    return Also(
        id=_rules(table.entries.get("id"), f"{key}.id", faults),
        authority=_rules(table.entries.get("authority"), f"{key}.authority", faults),
        guessed=take_truth(table, key, "guessed", faults),
    )


def _numbers(table: Table, faults: Faults) -> tuple[tuple[Role, tuple[Word, ...]], ...]:
    inner = take_table(table, "", "numbers", faults)
    if inner is None:
        return ()
    check_words(inner, "numbers", language.NUMBERS_WORDS, faults)
    stated = [role for role in Role if role in inner.entries]
    return tuple((role, take_words(inner, "numbers", role, faults)) for role in stated)


def _choices(table: Table, faults: Faults) -> tuple[Choice, ...]:
    found = []
    for entry in take_entries(table, "", "choose", faults):
        key = f"choose.{entry.key}"
        if isinstance(entry.value, Table):
            check_words(entry.value, key, language.CHOICE_WORDS, faults)
        test = _test(entry.value, key, faults)
        if test is not None:
            found.append(Choice(key_of(entry), test))
    return tuple(found)


def _segments(table: Table, faults: Faults) -> tuple[Segment | Each, ...]:
    found: list[Segment | Each] = []
    for key, item in take_tables(table, "", "segments", faults):
        one = _each(item, key, faults) if "each" in item.entries else _segment(item, key, faults)
        if one is not None:
            found.append(one)
    return tuple(found)


def _each(table: Table, key: str, faults: Faults) -> Each | None:
    check_words(table, key, language.EACH_WORDS, faults)
    path = require_word(table, key, "each", faults)
    found = [
        _segment(item, inner, faults) for inner, item in take_tables(table, key, "segments", faults)
    ]
    segments = tuple(segment for segment in found if segment is not None)
    return Each(path, segments, _order(table, key, faults)) if path is not None else None


def _order(table: Table, key: str, faults: Faults) -> tuple[Field, ...]:
    inner = take_table(table, key, "order", faults)
    if inner is None:
        return ()
    here = under(key, "order")
    check_words(inner, here, language.ORDER_WORDS, faults)
    if "control" not in inner.entries:
        faults.append(inner.place.fault(f"{here}.control", "say what the order control is."))
    return _fields(table, key, "order", faults)


def _segment(table: Table, key: str, faults: Faults) -> Segment | None:
    check_words(table, key, language.SEGMENT_WORDS, faults)
    name = require_word(table, key, "segment", faults)
    fields = _fields(table, key, "fields", faults)
    when = _tests(table.entries.get("when"), f"{key}.when", faults)
    requires = take_words(table, key, "requires", faults)
    return Segment(table.place, name, fields, when, requires) if name is not None else None


def _fields(table: Table, key: str, word: str, faults: Faults) -> tuple[Field, ...]:
    inner = under(key, word)
    return tuple(
        Field(key_of(entry), _rules(entry, f"{inner}.{entry.key}", faults))
        for entry in take_entries(table, key, word, faults)
    )


def _rules(entry: Entry | None, key: str, faults: Faults) -> tuple[Rule, ...]:
    """The rules of a field: one, or a list of them."""
    if entry is None:
        return ()
    items = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
    rules = []
    for item in items:
        if isinstance(item, Table):
            rules.append(_rule(item, key, faults))
        else:
            message = "write a rule, such as {from: PID-5}, or a list of rules."
            faults.append(item.place.fault(key, message))
    return tuple(rules)


def _rule(table: Table, key: str, faults: Faults) -> Rule:
    check_words(table, key, language.RULE_WORDS, faults)
    take_one_of(table, key, language.ORIGIN_WORDS, faults)
    _check_belongs(table, key, faults)
    clear = take_truth(table, key, "clear", faults)
    if "clear" in table.entries and not clear:
        faults.append(table.place.fault(f"{key}.clear", "write 'clear: true', or leave it out."))
    on = take_word(table, key, "on", faults)
    if on is not None and on.text != "create":
        faults.append(on.place.fault(f"{key}.on", f"'{on.text}' is not known.", "create"))
    return Rule(
        place=table.place,
        key=key,
        sources=take_words(table, key, "from", faults),
        constant=take_word(table, key, "constant", faults),
        site=take_word(table, key, "site", faults),
        id_of=take_word(table, key, "id_of", faults),
        clear=clear,
        function=take_word(table, key, "as", faults),
        zone=take_word(table, key, "zone", faults),
        unit=take_word(table, key, "unit", faults),
        stated=take_word(table, key, "stated", faults),
        units=take_word(table, key, "units", faults),
        codes=take_word(table, key, "codes", faults),
        default=take_word(table, key, "default", faults),
        join=take_word(table, key, "join", faults),
        prefix=take_word(table, key, "prefix", faults),
        on_create=on is not None,
        when=_tests(table.entries.get("when"), f"{key}.when", faults),
    )


def _check_belongs(table: Table, key: str, faults: Faults) -> None:
    """These words say what to do with what `from` found."""
    if "from" in table.entries:
        return
    for word in ("as", "zone", "unit", "stated", "codes", "default", "join", "prefix"):
        if word in table.entries:
            place = table.entries[word].key_place
            faults.append(place.fault(f"{key}.{word}", f"'{word}' needs 'from'."))


def _tests(entry: Entry | None, key: str, faults: Faults) -> tuple[Test, ...]:
    """Conditions: a path, a table, or a list of them that must all hold."""
    if entry is None:
        return ()
    items = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
    found = [_test(item, key, faults) for item in items]
    return tuple(test for test in found if test is not None)


def _test(node: Node, key: str, faults: Faults) -> Test | None:
    if isinstance(node, Word):
        return Test(node.place, node)
    if not isinstance(node, Table):
        faults.append(node.place.fault(key, "write a path, or {path: PV1-2, not: [N]}."))
        return None
    check_words(node, key, language.TEST_WORDS, faults)
    path, site = take_word(node, key, "path", faults), take_word(node, key, "site", faults)
    if (path is None) == (site is None):
        faults.append(node.place.fault(key, "say exactly one of path, site."))
        return None
    wanted = tuple(word.text for word in take_words(node, key, "is", faults))
    unwanted = tuple(word.text for word in take_words(node, key, "not", faults))
    empty = take_truth(node, key, "empty", faults)
    if empty and (wanted or unwanted or path is None):
        faults.append(node.place.fault(key, "'empty' goes with a path, and with no other test."))
    return Test(node.place, path, wanted, unwanted, empty, site)


def _protocol(word: Word, faults: Faults) -> Protocol | None:
    known = [protocol.value for protocol in Protocol]
    if word.text in known:
        return Protocol(word.text)
    message = f"'{word.text}' is not a source; there are {listed(known)}."
    faults.append(word.place.fault("source", message, nearest(word.text, known)))
    return None
