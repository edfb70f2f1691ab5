"""A notice and its parameters."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any

from bridge.delivery import NetworkFault, Reason


class NoticeKind(StrEnum):
    """Everything that `bridge status` can say beside its tables."""

    # whether the bridge does its work
    NOT_RUNNING = "not_running"
    DISK_FULL = "disk_full"
    CANNOT_WRITE = "cannot_write"
    WORK_ENDED = "work_ended"
    PAUSED = "paused"
    DESTINATION_PAUSED = "destination_paused"
    RESOURCE_PAUSED = "resource_paused"
    CHANNEL_PAUSED = "channel_paused"
    PATIENT_PAUSED = "patient_paused"
    PATIENTS_PAUSED = "patients_paused"
    # messages
    PARKED = "parked"
    BY_HAND = "by_hand"
    ON_THE_WAY = "on_the_way"
    HELD = "held"
    ALL_DELIVERED = "all_delivered"
    NOTHING_CAME = "nothing_came"
    QUARANTINED = "quarantined"
    REMARKS = "remarks"
    REMARK = "remark"
    # ZautoAI
    ZAUTO_DOWN = "zauto_down"
    ZAUTO_NOT_TRUSTED = "zauto_not_trusted"
    CREDENTIALS_REFUSED = "credentials_refused"
    OVER_LIMIT = "over_limit"
    CALLS_STOPPED = "calls_stopped"
    RESOURCE_STOPPED = "resource_stopped"
    WAITS_ENDED = "waits_ended"
    ZAUTO_NOT_SET_UP = "zauto_not_set_up"
    NOT_OFFERED = "not_offered"
    CONTRACT_DEVIATIONS = "contract_deviations"
    CALLS_USED = "calls_used"
    CALLS_NOT_LIMITED = "calls_not_limited"
    # the hospital and its senders
    HOSPITAL_DOWN = "hospital_down"
    HOSPITAL_NOT_SET_UP = "hospital_not_set_up"
    ACKNOWLEDGMENTS_STALLED = "acknowledgments_stalled"
    ACKNOWLEDGMENTS = "acknowledgments"
    # mappings and certificates
    MAPPINGS_REFUSED = "mappings_refused"
    MAPPINGS_PINNED = "mappings_pinned"
    MAPPINGS_IN_USE = "mappings_in_use"
    CERTIFICATE_ENDED = "certificate_ended"
    CERTIFICATE_ENDS = "certificate_ends"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a person should know. Nothing in it is a patient's but `patient`."""

    kind: NoticeKind
    #: messages, requests, days, faults: what the kind counts
    number: int = 0
    #: the most that the number can be
    limit: int = 0
    #: how many wait
    waiting: int = 0
    #: how long
    seconds: float = 0.0
    #: epoch seconds: since when or at which time, and when it ends or is tried again
    since: float = 0.0
    until: float | None = None
    #: `host:port`
    address: str = ""
    #: `zautoai` or `hospital`, as commands name them
    destination: str = ""
    #: a resource of the catalogue
    resource: str = ""
    #: what it is about: a listener, a hash of mappings, work of the bridge, a place in messages
    name: str = ""
    #: a number that is shown because somebody typed it or asked to see it
    patient: str = ""
    #: whose mappings they are
    site: str = ""
    #: sending application and facility
    sender: str = ""
    #: what is counted, each with its number: `3 due`
    parts: tuple[str, ...] = ()
    #: a sentence made elsewhere: a fault of a file, a remark, a person's reason
    text: str = ""
    reason: Reason | None = None
    fault: NetworkFault | None = None
    #: deliveries there are paused
    paused: bool = False

    def parameters(self) -> dict[str, Any]:
        """What differs from the defaults, as plain JSON values."""
        stated = {name: getattr(self, name) for name in _DEFAULTS}
        differing = {name: value for name, value in stated.items() if value != _DEFAULTS[name]}
        return {name: _plain(value) for name, value in differing.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, StrEnum) else value


_DEFAULTS = {each.name: each.default for each in fields(Notice) if each.default is not MISSING}
