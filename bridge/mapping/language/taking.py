"""What a reader of a file takes out of a table: the word, list or table under a key.

Each function takes the table, its dotted key for messages to people, and the list that faults are
added to; what is not as it must be is a fault there, and left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import Fault
from bridge.yamlfile import Entry, Items, Table, Word, listed, nearest, words

Faults = list[Fault]


def check_words(table: Table, key: str, known: Sequence[str], faults: Faults) -> None:
    """Every key of the table must be one of these words."""
    for entry in table.entries.values():
        if entry.key not in known:
            there_are = listed(known)
            message = f"'{entry.key}' is not a word of the language here; there are {there_are}."
            fault = entry.key_place.fault(under(key, entry.key), message, nearest(entry.key, known))
            faults.append(fault)


def require_word(table: Table, key: str, word: str, faults: Faults) -> Word | None:
    """The word under a key that must be there."""
    if word not in table.entries:
        faults.append(table.place.fault(under(key, word), f"'{word}' is missing."))
        return None
    return take_word(table, key, word, faults)


def take_word(table: Table, key: str, word: str, faults: Faults) -> Word | None:
    """The word under a key."""
    entry = table.entries.get(word)
    if entry is None:
        return None
    if isinstance(entry.value, Word):
        return entry.value
    faults.append(entry.key_place.fault(under(key, word), "takes one word, not a list or table."))
    return None


def take_words(table: Table, key: str, word: str, faults: Faults) -> tuple[Word, ...]:
    """The words under a key: one, or a list of them."""
    entry = table.entries.get(word)
    if entry is None:
        return ()
    found = tuple(words(entry.value))
    whole = len(entry.value.items) if isinstance(entry.value, Items) else 1
    if len(found) != whole or not found:
        faults.append(entry.key_place.fault(under(key, word), "takes a word or a list of words."))
    return found


def take_truth(table: Table, key: str, word: str, faults: Faults) -> bool:
    """Whether the word under a key is `true`."""
    value = take_word(table, key, word, faults)
    if value is not None and value.text not in ("true", "false"):
        message = f"'{value.text}' is neither true nor false."
        faults.append(value.place.fault(under(key, word), message))
    return value is not None and value.text == "true"


def take_one_of(table: Table, key: str, known: Sequence[str], faults: Faults) -> str | None:
    """The one of these words that the table states; None where it is none of them, or several."""
    stated = [word for word in known if word in table.entries]
    if len(stated) == 1:
        return stated[0]
    faults.append(table.place.fault(key, f"say exactly one of {listed(known)}."))
    return None


def take_table(table: Table, key: str, word: str, faults: Faults) -> Table | None:
    """The table under a key."""
    entry = table.entries.get(word)
    if entry is None:
        return None
    if isinstance(entry.value, Table):
        return entry.value
    faults.append(entry.key_place.fault(under(key, word), "takes a table of key: value."))
    return None


def take_entries(table: Table, key: str, word: str, faults: Faults) -> Sequence[Entry]:
    """The entries of the table under a key."""
    inner = take_table(table, key, word, faults)
    return tuple(inner.entries.values()) if inner else ()


def take_pairs(table: Table, key: str, word: str, faults: Faults) -> tuple[tuple[Word, Word], ...]:
    """Key and value of the entries of the table under a key, in which every value is one word."""
    inner = take_table(table, key, word, faults)
    if inner is None:
        return ()
    taken = [
        (key_of(entry), take_word(inner, under(key, word), entry.key, faults))
        for entry in inner.entries.values()
    ]
    return tuple((name, value) for name, value in taken if value is not None)


def take_tables(table: Table, key: str, word: str, faults: Faults) -> Sequence[tuple[str, Table]]:
    """Each table of the list under a key, with its own dotted key."""
    entry = table.entries.get(word)
    if entry is None:
        return ()
    inner = under(key, word)
    if not isinstance(entry.value, Items):
        faults.append(entry.key_place.fault(inner, "takes a list, one item a line after '- '."))
        return ()
    found = []
    for number, item in enumerate(entry.value.items):
        if isinstance(item, Table):
            found.append((f"{inner}[{number}]", item))
        else:
            faults.append(item.place.fault(f"{inner}[{number}]", "takes a table of key: value."))
    return found


def key_of(entry: Entry) -> Word:
    """The key of an entry, as a word that knows its place."""
    return Word(entry.key, entry.key_place)


def under(key: str, word: str) -> str:
    """The dotted key of a word within a table."""
    return f"{key}.{word}" if key else word
