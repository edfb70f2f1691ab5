"""What docs/reference/zautoai.md says of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bridge.zauto.catalogue import Catalogue, Operation, Resource, ResourceField
from bridge.zauto.contract import ASSUMED, BASE_PATH, ORDERS, STATUS_OF, STATUSES, ErrorCode, Order


def reference(catalogue: Catalogue) -> str:
    """Statuses, resources, orders and what is assumed, in Markdown."""
    resources = catalogue.resources.values()
    parts = [
        _statuses(),
        _overview(resources),
        *(_resource(one) for one in resources),
        _orders(),
        _assumed(resources),
    ]
    return "\n".join(parts)


def _statuses() -> str:
    rows = [
        (str(status), words, ", ".join(_code(one) for one in _codes(status)))
        for status, words in STATUSES.items()
    ]
    return "## Statuses\n\n" + _table(("status", "for", "`errorCode`"), rows)


def _codes(status: int) -> list[ErrorCode]:
    return [code for code, beside in STATUS_OF.items() if beside == status]


def _overview(resources: Iterable[Resource]) -> str:
    marks = [
        (
            f"[{_code(one.path.removeprefix(BASE_PATH))}](#{one.name})",
            *("shown" if each in one.shown else "assumed" for each in Operation),
        )
        for one in resources
    ]
    about = f"Below `{BASE_PATH}`, in the order in which records must be made."
    methods = [f"{one.value} `{one.method}{' /{id}' if one.of_one else ''}`" for one in Operation]
    return f"## Resources\n\n{about}\n\n" + _table(("path", *methods), marks)


def _resource(resource: Resource) -> str:
    fields = [_field(name, spec) for name, spec in resource.fields.items()]
    parts = [
        f"### {resource.name}",
        f"`{resource.path}`, {resource.title.lower()}. {_listed(resource)}",
        _table(("field", "type", "required", "what"), fields).rstrip(),
        *(_test_record(example) for example in resource.examples),
    ]
    return "\n\n".join(parts) + "\n"


def _listed(resource: Resource) -> str:
    searched = f"Searched in {', '.join(map(_code, resource.search))}"
    if not resource.order:
        return f"{searched}."
    way = "descending" if resource.order.startswith("-") else "ascending"
    return f"{searched}; ordered by {_code(resource.order.removeprefix('-'))}, {way}."


def _field(name: str, spec: ResourceField) -> tuple[str, ...]:
    told = [spec.about, f"of [{spec.refers_to}](#{spec.refers_to})" if spec.refers_to else ""]
    told.append(", ".join(map(_code, spec.enum)))
    kind = spec.type if spec.format is None else f"{spec.type}, {spec.format}"
    required = "yes" if spec.required else ""
    return _code(name), kind, required, "; ".join(filter(None, told))


def _test_record(example: dict[str, object]) -> str:
    shown = json.dumps(example, indent=2, ensure_ascii=False)
    return f"The test record of the sandbox:\n\n```json\n{shown}\n```"


def _orders() -> str:
    about = (
        "ZautoAI pushes orders to the partner: an `externalVisitId` and lines. "
        "At the bridge they arrive at `/orders/<kind>`."
    )
    return f"## Orders\n\n{about}\n\n" + "\n".join(
        _order(kind, order) for kind, order in ORDERS.items()
    )


def _order(kind: str, order: Order) -> str:
    fields = [(_code(name), type_.value) for name, type_ in order.fields.items()]
    head = f"### Order of {kind}\n\nLines under `{order.lines}`:\n\n"
    return head + _table(("field", "type"), fields)


def _assumed(resources: Iterable[Resource]) -> str:
    of_all = [(about, guess) for about, guess in ASSUMED.items()]
    of_one = [(_code(one.name), guess) for one in resources for guess in one.assumes]
    about = "Where the vendor's document is silent. One edit corrects each."
    return f"## What is assumed\n\n{about}\n\n" + _table(("of", "assumed"), [*of_all, *of_one])


def _code(text: str) -> str:
    return f"`{text}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("|" + "|".join(f" {cell} " for cell in line) + "|\n" for line in lines)
