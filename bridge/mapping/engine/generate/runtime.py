"""What generated functions call for whatever is not the way of most fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bridge.delivery import Allocation, Payload, StatedNumber
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.compiled import CompiledField, CompiledNumbers
from bridge.mapping.engine.dotted import OrderDocument
from bridge.mapping.engine.order_life import PushedService
from bridge.mapping.engine.rules import Earliest, Join, Rule
from bridge.mapping.functions.identity import authority
from bridge.mapping.functions.numbers import read_whole
from bridge.mapping.scope import Candidates, Scope
from bridge.message import DELETE
from bridge.remarks import RemarkCode
from bridge.zauto.catalogue import FieldType

#: stands for what has not been looked for yet
UNREAD: Final = object()
NO_FIELDS: frozenset[str] = frozenset()
#: value, raw and path of what was read
Found = tuple[Any, str, str]


def put(
    field: CompiledField,
    rule: Rule,
    value: Any,
    raw: str,
    path: str,
    payload: Payload,
    allocations: list[Allocation],
    scope: Scope,
) -> bool:
    """Whether what was found, other than plain text, becomes part of the call."""
    if value == "":
        return False
    scope.where, scope.raw = path, raw
    if value is DELETE:
        return _clear(field, rule, payload, scope)
    if isinstance(value, Allocation):
        allocations.append(value)
        return True
    typed = _typed(field, value, scope)
    if typed is not None:
        payload[field.name] = typed
    return typed is not None


def _clear(field: CompiledField, rule: Rule, payload: Payload, scope: Scope) -> bool:
    if field.optional and not rule.on_create:
        payload[field.name] = None
        return True
    scope.remark(RemarkCode.MUST_NOT_BE_EMPTY, field.name)
    return False


def _typed(field: CompiledField, value: Any, scope: Scope) -> Any:
    """A value of the field's type; None, with a remark, for what is none."""
    if field.type is FieldType.STRING:
        return str(value)
    known = _truth(value) if field.type is FieldType.BOOLEAN else _number(value)
    if known is None:
        scope.remark(RemarkCode.WRONG_TYPE, f"{field.type.value}, as {field.name} must be")
    return known


def _truth(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).casefold())


def _number(value: Any) -> int | float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return read_whole(str(value))


def changed(said: PushedService, number: int, scope: Scope) -> OrderDocument | None:
    """The line of an order with what the hospital is sent of it, as line `number` of its message;
    None, with a remark, where that is nothing."""
    made: OrderDocument | None = scope.document.changed(
        said, number, charges=scope.site.charges == "new"
    )
    if made is None:
        scope.where, scope.raw = "line.status", ""
        scope.remark(RemarkCode.NOTHING_NEW)
    return made


def written(value: Any) -> str:
    """A value as HL7 writes it: 300 for 300.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def joined(join: Join, found: Sequence[Candidates], scope: Scope) -> Found:
    """All values of all paths as one text; None where there are none."""
    texts: list[str] = []
    read: list[str] = []
    for source, candidates in zip(join.sources, found, strict=True):
        for value, raw, _ in candidates:
            scope.where, scope.raw = source.text, raw
            made = join.make(value, scope)
            texts += [str(made)] if made not in (None, "") else []
            read.append(raw)
    if not texts:
        return None, "", ""
    paths = ", ".join(source.text for source in join.sources)
    return join.prefix + join.between.join(texts), join.between.join(read), paths


def earliest(rule: Earliest, found: Sequence[Candidates], scope: Scope) -> Found:
    """The smallest of what all values of all paths give; None where they give nothing."""
    best: Found = (None, "", "")
    for candidates in found:
        for value, raw, path in candidates:
            scope.where, scope.raw = path, raw
            made = rule.make(value, scope)
            if made is not None and (best[0] is None or made < best[0]):
                best = made, raw, path
    return best


def numbers(
    asked: Sequence[CompiledNumbers], found: Sequence[Sequence[Candidates]], scope: Scope
) -> tuple[StatedNumber, ...]:
    """Each number once, of every repetition of every path."""
    stated = (
        StatedNumber(each.role, identifier.value, authority(identifier, scope))
        for each, at_paths in zip(asked, found, strict=True)
        for candidates in at_paths
        for identifier, _, _ in candidates
        if each.is_number(identifier, scope)
    )
    return tuple(dict.fromkeys(stated))


def otherwise(table: CodeTable, missed: Found, scope: Scope) -> tuple[Any, str, str, str]:
    """What becomes of a code without a row, and why."""
    code, raw, path = missed
    scope.miss(table, code)
    row = table.otherwise(code)
    if row is not None:
        return row.value, raw, path, row.made_by
    scope.where, scope.raw = path, raw
    if not table.holds:
        scope.remark(RemarkCode.UNKNOWN_CODE, table.name)
    return None, raw, path, ""
