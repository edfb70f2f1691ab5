"""Lanes: which calls follow one another, because they concern the same record."""

from __future__ import annotations

from bridge.delivery import ACCOUNT, Call, Target
from bridge.zauto.catalogue import Catalogue


def lane_of(call: Call, catalogue: Catalogue) -> str:
    """The lane a call queues in: its patient's; a master record has one of its own.

    Orders queue by visit, apart from the patient's lane: an order must not wait for calls to
    ZautoAI that have nothing to do with it (docs/decisions/0003).
    """
    if call.target is Target.HOSPITAL:
        return f"orders/{visit_number(call) or call.external_id}"
    if call.resource == ACCOUNT:
        return call.key
    resource = catalogue[call.resource]
    for name, referent in resource.referents().items():
        if resource.fields[name].required and name in call.payload:
            return f"{referent}/{call.payload[name]}"
    return call.key


def visit_number(order: Call) -> str:
    """What a message to the hospital calls the visit, PV1-19 or PV1-50; "" where it does not."""
    for name, fields in order.payload.get("segments", ()):
        if name == "PV1":
            named = (fields.get(place) for place in ("19.1", "19", "50.1", "50"))
            return str(next(filter(None, named), ""))
    return ""
