"""What a tree says as plain values: dictionaries, lists, texts, numbers, and where each stands."""

from __future__ import annotations

from typing import Any

import yaml

from bridge.yamlfile.tree import Items, Node, Place, Table, Way, Word

_RESOLVER: Any = yaml.resolver.Resolver()
#: kinds of plain words that are not text; dates are text, as JSON has them
_TYPED = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "null"))


def texts(node: Node, *, nulls: bool = False) -> Any:
    """The tree with every word as text; with `nulls` a plain `null` is None."""
    if isinstance(node, Items):
        return [texts(item, nulls=nulls) for item in node.items]
    if isinstance(node, Table):
        return {key: texts(entry.value, nulls=nulls) for key, entry in node.entries.items()}
    return None if nulls and node.plain and node.text == "null" else node.text


def values(node: Node) -> Any:
    """The tree with plain words as YAML 1.1 reads them: whole and other numbers, and null.

    Of its truth values there are only `true` and `false`: `NO` (Norway) and `off` are words.
    """
    if isinstance(node, Items):
        return [values(item) for item in node.items]
    if isinstance(node, Table):
        return {key: values(entry.value) for key, entry in node.entries.items()}
    return _typed(node.text) if node.plain else node.text


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    if tag not in _TYPED:
        return text
    try:
        return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))
    except ValueError:  # looks like a number and is none: `0b`, or 5,000 digits
        return text


def place_of(root: Node, way: Way, *, of_key: bool = False) -> Place:
    """Where the word at a way stands, or else the key of what is nearest to it."""
    node, place = root, root.place
    for part in way:
        if isinstance(node, Table) and part in node.entries:
            entry = node.entries[str(part)]
            node, place = entry.value, entry.key_place
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.place
        else:
            return place
    return node.place if isinstance(node, Word) and not of_key else place
