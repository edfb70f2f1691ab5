"""The files of one folder over those of the same name in an earlier one."""

from __future__ import annotations

from dataclasses import replace

from bridge.yamlfile import Entry, Items, Node, Table

#: keys under which a later folder replaces single entries, or adds items to a list, and how deep
#: the tables of those entries are merged in turn; any other key it replaces as a whole
MERGED = {"fields": 1, "facts": 1, "rows": 1, "senders": 2, "ignore": 1}


def overlay(shipped: Table, site: Table) -> Table:
    """The shipped file with what the site's file of the same name says instead."""
    entries = dict(shipped.entries)
    for key, entry in site.entries.items():
        before = entries.get(key)
        if before is not None and key in MERGED:
            entry = Entry(key, entry.key_place, _merged(before.value, entry.value, MERGED[key]))
        entries[key] = entry
    return replace(shipped, entries=entries)


def _merged(shipped: Node, site: Node, depth: int) -> Node:
    if depth and isinstance(shipped, Items) and isinstance(site, Items):
        return Items((*shipped.items, *site.items), site.place)
    if not depth or not isinstance(shipped, Table) or not isinstance(site, Table):
        return site
    entries = dict(shipped.entries)
    for key, entry in site.entries.items():
        if key in entries:
            within = _merged(entries[key].value, entry.value, depth - 1)
            entry = Entry(key, entry.key_place, within)
        entries[key] = entry
    return replace(shipped, entries=entries)
