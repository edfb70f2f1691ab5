"""Order documents: what ZautoAI pushed, with what the bridge knows of the visit.

A path is two names: `order.externalVisitId`, `visit.patientId`. The first says where to look:

    order     the pushed JSON, as in the API document's section "Push to Partner Endpoint"
    line      inside `each:`, one medicine or service, and its numbers
    visit     facts of the visit the order is for, kept when it came in
    patient   facts of that visit's patient
    provider  facts of that visit's provider
    hospital  the settings of the same name
    message   the message that is being written
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bridge.delivery import ACCOUNT, ACCOUNT_ISSUER, DELETED
from bridge.errors import PathError
from bridge.mapping.document import Context
from bridge.mapping.engine.order_life import (
    Charge,
    PushedService,
    change_of,
    placer_number,
    transaction_id,
)
from bridge.order import OrderLine
from bridge.settings import Hospital
from bridge.yamlfile import nearest

#: what a mapping may remember of a record, for orders out (`facts:`)
FACTS: Mapping[str, tuple[str, ...]] = {
    "patients": (
        "identifier",
        "identifierType",
        "authority",
        "family",
        "given",
        "dateOfBirth",
        "sex",
        DELETED,
    ),
    "providers": ("id", "authority", "family", "given"),
    "patient-visits": (
        "visitNumber",
        "appointment",
        "authority",
        ACCOUNT,
        ACCOUNT_ISSUER,
        "class",
        "pointOfCare",
        "room",
        "bed",
        "facility",
        "patientId",
        "providerId",
        DELETED,
    ),
}

#: what is sent of a line, where `order:` says what is pushed of it
_CHANGE = ("control", "credit", "credit_id", "charge", "charge_id")
_LINE = (
    *("externalMedicineId", "name", "dose", "when", "frequency", "duration", "notes"),
    *("externalServiceId", "price", "status"),
    *("number", "key", "service_key"),
    *_CHANGE,
)
_MESSAGE = ("key", "time")

NAMES: Mapping[str, tuple[str, ...]] = {
    "order": ("externalVisitId", "Medications", "Services"),
    "line": _LINE,
    "visit": FACTS["patient-visits"],
    "patient": FACTS["patients"],
    "provider": FACTS["providers"],
    "hospital": tuple(Hospital.model_fields),
    "message": _MESSAGE,
}


class DottedPath(NamedTuple):
    """A path into an order document."""

    root: str
    name: str


def parse(text: str) -> DottedPath:
    """Read a path; raises PathError for one that leads nowhere."""
    root, _, name = text.partition(".")
    if root not in NAMES:
        near = nearest(root, NAMES)
        suggestion = f"{near}.{name}" if near else None
        raise PathError(f"'{text}' begins with none of {', '.join(NAMES)}.", suggestion)
    if name not in NAMES[root]:
        near = nearest(name, NAMES[root])
        suggestion = f"{root}.{near}" if near else None
        raise PathError(f"'{text}': there is no '{name}' in '{root}'.", suggestion)
    return DottedPath(root, name)


class OrderDocument:
    """A pushed order that can be asked for values (see `mapping.document.Document`)."""

    __slots__ = ("_lines", "_roots", "order_line")

    #: inside `each:`, what the hospital was sent of the line
    order_line: OrderLine

    def __init__(self, order: Mapping[str, Any], context: Context) -> None:
        """`order` is the JSON object as pushed."""
        visit = _known(context, "patient-visits", order.get("externalVisitId"))
        hospital = context.hospital.model_dump() if context.hospital else {}
        self._lines = {(line.service, line.occurrence): line for line in context.order_lines}
        self._roots: dict[str, Mapping[str, Any]] = {
            "order": order,
            "line": {},
            "visit": visit,
            "patient": _known(context, "patients", visit.get("patientId")),
            "provider": _known(context, "providers", visit.get("providerId")),
            "hospital": hospital,
            "message": {"key": context.key, "time": context.received_at},
        }

    def values(self, path: DottedPath) -> Sequence[Any]:
        """The value at a path, the items of a list one by one; nothing for null and ""."""
        value = self._roots[path.root].get(path.name)
        items = value if isinstance(value, list) else [value]
        return [item for item in items if _says(item)]

    def present(self) -> set[DottedPath]:
        """What the pushed order says, and its lines, under the names that paths have for it."""
        order = self._roots["order"]
        found = {DottedPath("order", name) for name, value in order.items() if _says(value)}
        lists = (value for value in order.values() if isinstance(value, list))
        lines = (item for items in lists for item in items if isinstance(item, dict))
        found |= {DottedPath("line", n) for line in lines for n in line if _says(line[n])}
        return found

    def lines(self, path: DottedPath) -> Iterator[OrderDocument]:
        """The document once for each item of a list, with the item under `line`."""
        seen: Counter[str] = Counter()
        for number, item in enumerate(self.values(path), 1):
            if isinstance(item, dict):
                service = _service_of(item)
                seen[service] += 1
                yield self._at(item, self._line(service, seen[service]), number)

    def _line(self, service: str, occurrence: int) -> OrderLine:
        known = self._lines.get((service, occurrence))
        visit = str(self._roots["order"].get("externalVisitId"))
        return known or OrderLine(visit, service, occurrence)

    def _at(
        self, item: Mapping[str, Any], line: OrderLine, number: int, **more: Any
    ) -> OrderDocument:
        own = {
            "number": number,
            "key": f"{self._roots['message']['key']}-{number}",
            "service_key": placer_number(line),
            # nothing that is pushed under such a name
            **dict.fromkeys(_CHANGE),
            **more,
        }
        view = OrderDocument.__new__(OrderDocument)
        view._lines, view.order_line = self._lines, line
        view._roots = {**self._roots, "line": {**item, **own}}
        return view

    def changed(self, said: PushedService, number: int, *, charges: bool) -> OrderDocument | None:
        """The document with what the hospital is sent of this line, as line `number` of its
        message; None where that is nothing. A status without a code is the pushed word."""
        item = self._roots["line"]
        word = " ".join(str(item.get("status") or "").casefold().split())
        said = said._replace(status=said.status or word)
        change = change_of(self.order_line, said, charges=charges)
        if change is None:
            return None
        line, own = change.line, {"control": change.control}
        for name, charge in (("credit", change.credit), ("charge", change.charge)):
            own |= _charged(name, charge, line)
        return self._at(item, line, number, **own)


def _charged(name: str, charge: Charge | None, line: OrderLine) -> dict[str, str]:
    if charge is None:
        return {}
    return {name: charge.amount, f"{name}_id": transaction_id(line, charge)}


def _service_of(item: Mapping[str, Any]) -> str:
    """What names a service in every push: its id, else its name without regard to case."""
    stated = str(item.get("externalServiceId") or "").strip()
    return stated or f"name:{' '.join(str(item.get('name') or '').casefold().split())}"


def _says(value: Any) -> bool:
    return value is not None and value != ""


def _known(context: Context, resource: str, external_id: Any) -> Mapping[str, Any]:
    found = context.known.get(f"{resource}/{external_id}") if external_id else None
    return found if found is not None else {}
