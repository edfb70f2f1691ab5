"""Apply a mapping to a document: pure, so that the same inputs always give the same calls."""

from __future__ import annotations

from typing import Any

from bridge.delivery import Allocation, Call, Origin, Payload, Target, Translation
from bridge.mapping.choose import choose
from bridge.mapping.document import Context, Document
from bridge.mapping.dotted import OrderDocument
from bridge.mapping.plan import CallPlan, EachPlan, FieldPlan, Mapping, SegmentPlan
from bridge.mapping.rules import Found, Rule
from bridge.mapping.scope import Scope
from bridge.message import DELETE
from bridge.zauto.catalogue import FieldType

#: what `when:`, `id:` or `requires:` did not find
_Reason = str


def apply(mapping: Mapping, document: Document, context: Context) -> Translation:
    """The calls a document asks for, referents first, and where each field came from.

    A record that must be known first and is not is named in `needs`, and then there are no calls.
    """
    scope = Scope(document, context, mapping.site, mapping.zone)
    problem = _gather_needs(mapping, scope)
    calls = [] if problem or scope.needs else _calls(mapping, scope)
    if isinstance(calls, _Reason):
        problem, calls = calls, []
    return Translation(
        mapping=mapping.name,
        mappings_hash=mapping.hash,
        calls=() if scope.needs else tuple(calls),
        warnings=tuple(scope.remarks),
        needs=tuple(dict.fromkeys(scope.needs)),
        problem="" if scope.needs else problem,
    )


def _gather_needs(mapping: Mapping, scope: Scope) -> _Reason:
    """Add what `needs:` names and is not known; a reason where the document names nothing."""
    for need in mapping.needs:
        candidates = scope.candidates(need.source)
        if not candidates:
            return f"{need.source.text} has no value"
        key = f"{need.resource}/{candidates[0][0]}"
        if key not in scope.context.known:
            scope.needs.append(key)
    return ""


def _calls(mapping: Mapping, scope: Scope) -> list[Call] | _Reason:
    """The calls, or why a required one cannot be made."""
    calls: list[Call] = []
    for plan in mapping.calls:
        call = _call(plan, scope)
        if isinstance(call, Call):
            scope.ids[call.resource] = call.external_id
            calls.append(call)
        elif plan.required:
            return call
        else:
            scope.where = plan.resource
            scope.remark(call)
    return calls


def _call(plan: CallPlan, scope: Scope) -> Call | _Reason:
    for condition in plan.when:
        if not condition.holds(scope):
            return f"not called: {condition.told()}"
    if not plan.choose:
        return _make(plan, scope)
    whole: Any = scope.document
    chosen = choose(plan.choose, whole, scope)
    if not chosen:
        return _make(plan, scope)
    scope.turn_to(whole.choosing(chosen))
    call = _make(plan, scope)
    scope.turn_to(whole)
    return call


def _make(plan: CallPlan, scope: Scope) -> Call | _Reason:
    rule, found = _id(plan, scope)
    if rule is None or found is None:
        return f"no id for {plan.resource}: nothing usable in {', '.join(plan.id_paths)}"
    value, path, raw, made_by = found
    scope.external_id = str(value)
    made = _Made({"id": scope.external_id} if plan.target is Target.ZAUTO else {"segments": []})
    made.lineage.append(Origin("id", path, raw, rule.place, made_by))
    if plan.target is Target.HOSPITAL:
        made.fill_segments(plan, scope)
    else:
        made.fill_fields(plan, scope)
    missing = [name for name in plan.requires if name not in made.payload]
    if missing:
        return f"no {', '.join(missing)} for {plan.resource}"
    return made.call(plan, scope)


def _id(plan: CallPlan, scope: Scope) -> tuple[Rule | None, Found | None]:
    """The id, which for a linked resource is the one it was first known by, for good."""
    if plan.linked:
        reference = _reference(scope)
        known = scope.context.links.get(reference)
        if known:
            return plan.id.rules[0], (known, "id", reference, "known by this id before")
    rule, found = _first(plan.id, scope)
    if found is None or found[0] is DELETE or found[0] == "":
        return None, None
    return rule, found


def _reference(scope: Scope) -> str:
    return str(getattr(scope.document, "reference", ""))


class _Made:
    """One call in the making."""

    __slots__ = ("allocations", "create_only", "lineage", "payload")

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.create_only: set[str] = set()
        self.allocations: list[Allocation] = []
        self.lineage: list[Origin] = []

    def fill_fields(self, plan: CallPlan, scope: Scope) -> None:
        """Fields of a ZautoAI resource."""
        payload, lineage = self.payload, self.lineage
        for field in plan.fields:
            # `_first`, written out: this is run for every field of every message
            for rule in field.rules:
                if rule.when and not rule.applies(scope):
                    continue
                found = rule.find(scope)
                if found is not None:
                    break
            else:
                continue
            value, path, raw, made_by = found
            name = field.name
            if field.plain and type(value) is str:
                if not value:
                    continue
                payload[name] = value
            elif not self._put(field, found, rule, scope):
                continue
            if rule.on_create:
                self.create_only.add(name)
            lineage.append(Origin(name, path, raw, rule.place, made_by))

    def _put(self, field: FieldPlan, found: Found, rule: Rule, scope: Scope) -> bool:
        """Whether what was found, other than plain text, becomes part of the call."""
        scope.where = found[1]
        if found[0] == "":
            return False
        if found[0] is DELETE:
            return self._clear(field, rule, scope)
        if isinstance(found[0], Allocation):
            self.allocations.append(found[0])
            return True
        value = _typed(field, found[0], scope)
        if value is not None:
            self.payload[field.name] = value
        return value is not None

    def _clear(self, field: FieldPlan, rule: Rule, scope: Scope) -> bool:
        if field.optional and not rule.on_create:
            self.payload[field.name] = None
            return True
        scope.remark(f"asks to delete {field.name}, which must not be empty; left as it is")
        return False

    def fill_segments(self, plan: CallPlan, scope: Scope) -> None:
        """Segments of an HL7 message, as `hl7v2.writer.write` takes them."""
        for segment in plan.segments:
            if isinstance(segment, EachPlan):
                self._fill_each(segment, scope)
            else:
                self._fill_segment(segment, scope, segment.name)

    def _fill_each(self, each: EachPlan, scope: Scope) -> None:
        whole = scope.document
        assert isinstance(whole, OrderDocument)
        for number, view in enumerate(whole.lines(each.source.path), 1):
            scope.turn_to(view)
            for segment in each.segments:
                self._fill_segment(segment, scope, f"{segment.name}[{number}]")
        scope.turn_to(whole)

    def _fill_segment(self, segment: SegmentPlan, scope: Scope, name: str) -> None:
        if not all(condition.holds(scope) for condition in segment.when):
            return
        values: dict[str, str] = {}
        for field in segment.fields:
            rule, found = _first(field, scope)
            if rule is None or found is None or found[0] in ("", DELETE):
                continue
            value, path, raw, made_by = found
            values[field.name] = _written(value)
            label = f"{name}-{field.name}"
            self.lineage.append(Origin(label, path, raw, rule.place, made_by))
        if values:
            self.payload["segments"].append([segment.name, values])

    def call(self, plan: CallPlan, scope: Scope) -> Call:
        """The finished call."""
        reference = _reference(scope) if plan.linked else ""
        # what is known by its reference is known for good: who issued the id is no question
        asked = not reference or reference not in scope.context.links
        return Call(
            plan.target,
            plan.interaction,
            plan.resource,
            scope.external_id,
            self.payload,
            frozenset(self.create_only),
            authority=_text(plan.authority, scope) if asked else "",
            references=(reference,) if reference else (),
            facts=_facts(plan, scope),
            allocations=tuple(self.allocations),
            lineage=tuple(self.lineage),
        )


def _first(field: FieldPlan, scope: Scope) -> tuple[Rule | None, Found | None]:
    """The first rule that finds something, and what it finds."""
    for rule in field.rules:
        if rule.when and not rule.applies(scope):
            continue
        found = rule.find(scope)
        if found is not None:
            return rule, found
    return None, None


def _text(field: FieldPlan, scope: Scope) -> str:
    """A value as text, "" for none."""
    _, found = _first(field, scope)
    return "" if found is None or found[0] is DELETE else str(found[0])


def _facts(plan: CallPlan, scope: Scope) -> dict[str, str]:
    """The facts that have a value."""
    known: dict[str, str] = {}
    for fact in plan.facts:
        for rule in fact.rules:
            # `_text`, written out
            if rule.when and not rule.applies(scope):
                continue
            found = rule.find(scope)
            if found is not None:
                value = found[0]
                if value is not DELETE and value != "":
                    known[fact.name] = str(value)
                break
    return known


def _typed(field: FieldPlan, value: Any, scope: Scope) -> Any:
    """A value of the field's type; None, with a remark, for what is none."""
    if field.type is FieldType.STRING:
        return str(value)
    known = _truth(value) if field.type is FieldType.BOOLEAN else _number(value)
    if known is None:
        scope.remark(f"is not a {field.type.value}, as {field.name} must be; left out")
    return known


def _truth(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).casefold())


def _number(value: Any) -> int | float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return int(value) if str(value).isdecimal() else None


def _written(value: Any) -> str:
    """A value as HL7 writes it: 300 for 300.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
