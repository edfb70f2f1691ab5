"""What a mapping made, as the words of a test: for people to read, and to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from bridge.delivery import Call, Target, Translation
from bridge.study.cases.language import Case
from bridge.study.cases.stated import segments_of, state

#: columns before the text of a test in its file: `  - name:`
INDENT = 4
_WIDTH = 100
_OTHER_BREAKS = frozenset("\r\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Writes every word as it is, unquoted where YAML lets it: no word is a number here."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own name and type

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand deeper than their key, as in all mapping files."""
        super().increase_indent(flow, False)


def as_yaml(words: Mapping[str, Any], indent: int = 0) -> str:
    """Words, lists and tables as YAML text, each line behind so many blanks."""
    node = _node(words)
    text: str = yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=_WIDTH - indent)
    return "\n".join(f"{' ' * indent}{line}" if line else "" for line in text.split("\n"))


def _node(value: Any) -> yaml.Node:
    if isinstance(value, Mapping):
        pairs = [(_scalar(key), _node(inner)) for key, inner in value.items()]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not pairs)
    if isinstance(value, str):
        return _scalar(value)
    items = [_node(item) for item in value]
    flow = all(isinstance(item, yaml.ScalarNode) for item in items)
    return yaml.SequenceNode("tag:yaml.org,2002:seq", items, flow_style=flow)


def _scalar(text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    # YAML takes these for line ends as well, and reads them as one blank or line feed
    if not _OTHER_BREAKS.isdisjoint(text) or not text.strip():
        style = '"'
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)


def expectation(made: Translation | None, *, facts: bool = False) -> dict[str, Any]:
    """The words of `expect:` for what became of a message; None is unmapped.

    `facts` are left out unless asked for: they double the length, and few tests are about them.
    """
    if made is None:
        return {"unmapped": "true"}
    remarks = [{remark.path: remark.text} for remark in made.warnings]
    said = {"remarks": remarks} if remarks else {}
    if made.needs:
        return {"held": list(made.needs), **said}
    if made.problem:
        return {"problem": made.problem, **said}
    return {"calls": [_call(call, facts) for call in made.calls], **said}


def _call(call: Call, facts: bool) -> dict[str, Any]:
    words: dict[str, Any] = {str(call.interaction): call.resource, "id": call.external_id}
    named = {"authority": call.authority, "into": call.into, "owner": call.owner}
    words |= {word: value for word, value in named.items() if value}
    if call.also:
        words["also"] = [other.external_id for other in call.also]
    if call.references:
        words["linked"] = list(call.references)
    if call.target is Target.HOSPITAL:
        return {**words, "message": "".join(f"{line}\n" for line in segments_of(call))}
    stated = state(call)
    words |= {
        "fields": stated.fields,
        "on_create": stated.on_create,
        "cleared": stated.cleared,
        "allocated": stated.allocated,
        "facts": call.facts if facts else {},
    }
    return {word: value for word, value in words.items() if value}


def updated(text: str, case: Case, made: Translation | None) -> str:
    """The text of a file in which this test expects what was made; all else as it stands.

    Raises ValueError where the test is not written over several lines, one word a line.
    """
    lines = text.removesuffix("\n").split("\n")
    first, column = case.place.line - 1, case.place.column - 1
    if lines[first][:column].strip() not in ("-", ""):
        raise ValueError("write the test over several lines, one word a line.")
    before = case.expect.calls if case.expect else None
    facts = any(call.facts is not None for call in before or ())
    written = (
        as_yaml({"expect": expectation(made, facts=facts)}, column).removesuffix("\n").split("\n")
    )
    last = _last_of(lines, first, column - 1)
    begin, end = _block(lines, "expect:", first, last, column)
    return "\n".join([*lines[:begin], *written, *lines[end:], ""])


def _last_of(lines: Sequence[str], first: int, column: int) -> int:
    """One past the last line that says something deeper than `column` from `first` on."""
    end = first + 1
    for number in range(first + 1, len(lines)):
        line = lines[number]
        if line.strip() and _depth(line) <= column:
            break
        if line.strip():
            end = number + 1
    return end


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block(lines: Sequence[str], key: str, first: int, last: int, column: int) -> tuple[int, int]:
    """The lines of a key's block within a test; where there is none, its end."""
    for number in range(first, last):
        if lines[number][column:].startswith(key) and not lines[number][:column].strip(" -"):
            return number, min(_last_of(lines, number, column), last)
    return last, last
