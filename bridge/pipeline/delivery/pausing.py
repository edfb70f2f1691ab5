"""Pausing: whether a delivery at the head of its lane is paused, and which deliveries are meant.

The store is read only where a channel or a patient is paused.
"""

from __future__ import annotations

from collections.abc import Collection

from bridge.causes import Cause, CauseKind
from bridge.delivery import ACCOUNT_OF, Call, Delivery, Target
from bridge.pipeline.delivery.pauses import Pauses, Selection
from bridge.pipeline.delivery.settle import Postpone
from bridge.pipeline.records.lanes import visit_number
from bridge.store.contract import View

#: the resource whose records are patients
PATIENTS = "patients"
#: seconds after which a paused delivery is looked at again; resuming does not wait
PAUSED_SECONDS = 3600.0


def paused(view: View, delivery: Delivery, pauses: Pauses) -> Postpone | None:
    """How a delivery waits that is paused; None where it is not. Its step stays: an unanswered
    request is verified once it is resumed."""
    cause = _cause(view, delivery, pauses)
    return cause and Postpone(delivery.step, PAUSED_SECONDS, cause, counts=False)


def _cause(view: View, delivery: Delivery, pauses: Pauses) -> Cause | None:
    resource = delivery.call.resource
    if resource in pauses.resources:
        return Cause(CauseKind.PAUSED, resource=resource)
    if pauses.channels:
        channel = view.channel_of(delivery.message_id)
        if channel in pauses.channels:
            return Cause(CauseKind.PAUSED, name=channel)
    if pauses.patients:
        concerned = _numbers(view, _patients(view, delivery)) & pauses.patients
        if concerned:
            return Cause(CauseKind.PAUSED, key=f"{PATIENTS}/{min(concerned)}")
    return None


def waits(view: View, target: Target, now: float, selection: Selection) -> frozenset[int]:
    """The deliveries of a channel or patient that wait for their next attempt."""
    meant = Pauses.of(selection)
    found = view.waits(target, now)
    return frozenset(each.id for each in found if _cause(view, each, meant) is not None)


def numbers(view: View, patient: str) -> frozenset[str]:
    """All numbers of the patient that this one leads to, itself included."""
    return _numbers(view, {f"{PATIENTS}/{patient}"})


def is_known(view: View, patient: str) -> bool:
    """Whether any message said something of the patient that this number leads to."""
    return any(view.entity(PATIENTS, each) is not None for each in numbers(view, patient))


def _numbers(view: View, keys: Collection[str]) -> frozenset[str]:
    """All numbers of the patients that these keys, `patients/P1`, lead to."""
    records = _records(view, keys)
    every = {*keys, *records, *(key for record in records for key in view.leading_to(record))}
    return frozenset(key.partition("/")[2] for key in every)


def _records(view: View, keys: Collection[str]) -> set[str]:
    aliases = view.aliases_of(keys)
    return {aliases[key].leads_to if key in aliases else key for key in keys}


def _patients(view: View, delivery: Delivery) -> set[str]:
    """The patients that a delivery concerns, as `patients/P1`: whose lane it is in, and whose its
    record is now."""
    call = delivery.call
    keys = {delivery.lane, call.key}
    if call.target is Target.HOSPITAL:
        keys = {f"{PATIENTS}/{_patient_number(call)}"}
        owned = _records(view, {f"{ACCOUNT_OF}/{visit_number(call)}"})
    else:
        owned = {call.key}
    keys |= {_owner(view, key) for key in owned}
    return {key for key in keys if key.startswith(f"{PATIENTS}/")}


def _owner(view: View, key: str) -> str:
    resource, _, external_id = key.partition("/")
    entity = view.entity(resource, external_id)
    return "" if entity is None else entity.owner


def _patient_number(order: Call) -> str:
    """PID-3 of a message to the hospital; "" where it does not name the patient."""
    for name, fields in order.payload.get("segments", ()):
        if name == "PID":
            return str(fields.get("3.1") or fields.get("3") or "")
    return ""
