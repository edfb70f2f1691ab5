"""The one reader of YAML: every key and value with its line and column.

`text_of` reads a file, `read` and `read_table` make the tree of its text, `texts` and `values` turn
a tree into plain values, and `fit` into a model. What is wrong is a fault with its place, the
nearest right word and what to do.
"""

from __future__ import annotations

from bridge.yamlfile.fitting import Misfit, fit, misfits
from bridge.yamlfile.reading import decoded, read, read_table, text_of
from bridge.yamlfile.spelling import known_at, listed, nearest
from bridge.yamlfile.tree import Entry, Items, Node, Place, Table, Way, Word, dotted, indexed
from bridge.yamlfile.values import place_of, texts, values

__all__ = [
    "Entry",
    "Items",
    "Misfit",
    "Node",
    "Place",
    "Table",
    "Way",
    "Word",
    "decoded",
    "dotted",
    "fit",
    "indexed",
    "known_at",
    "listed",
    "misfits",
    "nearest",
    "place_of",
    "read",
    "read_table",
    "text_of",
    "texts",
    "values",
]
