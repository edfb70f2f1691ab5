"""The tables of words in the reference of the mapping language, made from their declarations.

`make reference` writes them anew; the examples beside them are the page's own, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bridge.mapping.language import rule_words, words
from bridge.mapping.language.declared import Declared

MODELS: Mapping[str, type[Declared]] = {
    model.__name__.removesuffix("Text").lower(): model
    for room in (words, rule_words)
    for model in vars(room).values()
    if isinstance(model, type) and issubclass(model, Declared)
}
#: `<!-- words of rule: from, constant -->`; without names they are all of them
_TABLE = re.compile(r"(<!-- words of (\w+):?(.*?) -->\n)(.*?)(<!-- end of words -->)", re.DOTALL)
_ROW = re.compile(r"^\| `(\w+)` \| .*? \| (.*) \|$", re.MULTILINE)


def with_words(text: str) -> str:
    """The page with its tables as they are now."""
    return _TABLE.sub(_table, text)


def _table(found: re.Match[str]) -> str:
    model, examples = MODELS[found[2]], dict(_ROW.findall(found[4]))
    names = found[3].replace(",", " ").split() or model.vocabulary
    return found[1] + "".join(_rows(model, names, examples)) + found[5]


def _rows(
    model: type[Declared], names: Iterable[str], examples: Mapping[str, str]
) -> Iterator[str]:
    yield "| word | says | example |\n|---|---|---|\n"
    for name in names:
        says = model.vocabulary[name].replace("|", "\\|")
        yield f"| `{name}` | {says} | {examples.get(name, '')} |\n"
