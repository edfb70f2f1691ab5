"""What the hospital was sent of the services that ZautoAI orders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OrderState(StrEnum):
    """How far an order for a service is, by what the hospital was sent."""

    #: never ordered, though a change or a status of it may have been sent
    UNPLACED = "unplaced"
    PLACED = "placed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What the hospital was sent of one service of a visit."""

    #: as ZautoAI names the visit
    visit_id: str
    #: ZautoAI's id of the service, or `name:ecg` where it has none
    service: str
    #: of the lines of one push that name this service, from 1
    occurrence: int = 1
    #: counts its orders from 1; each has a placer order number (ORC-2) of its own
    issue: int = 1
    state: OrderState = OrderState.UNPLACED
    #: last status sent: a code of table 0038, or a word without a code; "" where none was
    status: str = ""
    #: amount charged and not credited, a decimal number; "" where nothing is
    posted: str = ""
    #: charges and credits (FT1) ever made for it, refused ones too
    transactions: int = 0
