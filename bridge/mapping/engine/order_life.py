"""What the hospital is sent of a service of a visit, by what it was sent before.

ZautoAI pushes the state of a service, as often as it likes; the hospital keeps orders and charges,
each of which must reach it once. A price that is absent or cannot be read changes no charge, and
0 is a price like any other.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from bridge.order import OrderLine, OrderState

#: order control codes, HL7 table 0119
NEW, CHANGE = "NW", "XO"
CANCELS = frozenset({"CA", "DC"})
#: order status, HL7 table 0038
COMPLETED = "CM"
#: after which of its states a service that is ordered or changed is a new order
_ENDED = {
    NEW: frozenset({OrderState.CANCELLED, OrderState.COMPLETED}),
    CHANGE: frozenset({OrderState.CANCELLED}),
}


class PushedService(NamedTuple):
    """What a push says of a service."""

    #: order control, table 0119
    control: str
    #: order status: a code of table 0038, or the pushed word where it has no code
    status: str
    #: decimal number; "" where there is none
    price: str


class Charge(NamedTuple):
    """One amount charged or credited (FT1)."""

    #: counts the charges and credits of a line, refused ones too, from 1
    number: int
    amount: str


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What the hospital is sent of a service, and what is so then."""

    #: ORC-1
    control: str
    #: the line once this is sent
    line: OrderLine
    credit: Charge | None = None
    charge: Charge | None = None


def change_of(before: OrderLine, said: PushedService, *, charges: bool) -> OrderChange | None:
    """What is sent of a service now; None where the hospital would hear nothing new.

    `charges` is whether amounts are sent at all.
    """
    if said.control in _ENDED:
        return _ordered(before, said, charges=charges)
    if said.control in CANCELS:
        return _cancelled(before, said, charges=charges)
    return _reported(before, said)


def placer_number(line: OrderLine) -> str:
    """ORC-2 of a line's order, 16 letters and digits: the same whenever it is sent."""
    text = f"{line.visit_id}\0{line.service}\0{line.occurrence}"
    return _hashed(text if line.issue == 1 else f"{text}\0{line.issue}", 16)


def transaction_id(line: OrderLine, charge: Charge) -> str:
    """FT1-2 of a charge or credit, 12 letters and digits: the same whenever it is sent."""
    return _hashed(f"{placer_number(line)}\0{charge.number}", 12)


def _hashed(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:length].decode()


def _ordered(before: OrderLine, said: PushedService, *, charges: bool) -> OrderChange | None:
    """A service is ordered or changed."""
    again = before.state in _ENDED[said.control]
    line = _reissued(before) if again else before
    credit, charge = _repriced(line, said.price) if charges else (None, None)
    known = line.state is not OrderState.UNPLACED
    if said.control == NEW and known and charge is None:
        return None
    control = NEW if again or (said.control == NEW and not known) else CHANGE
    return OrderChange(
        control,
        replace(
            line,
            state=OrderState.PLACED if control == NEW else line.state,
            posted=charge.amount if charge else line.posted,
            transactions=charge.number if charge else line.transactions,
        ),
        credit,
        charge,
    )


def _reissued(before: OrderLine) -> OrderLine:
    """The next order for the same service: what was charged for the last one is none of its."""
    return replace(
        OrderLine(before.visit_id, before.service, before.occurrence),
        issue=before.issue + 1,
        transactions=before.transactions,
    )


def _repriced(line: OrderLine, price: str) -> tuple[Charge | None, Charge | None]:
    """The credit and the charge that bring what is charged to a price."""
    if not _is_amount(price) or (line.posted and Decimal(line.posted) == Decimal(price)):
        return None, None
    credit = _credit(line)
    return credit, Charge((credit.number if credit else line.transactions) + 1, price)


def _credit(line: OrderLine) -> Charge | None:
    return Charge(line.transactions + 1, line.posted) if line.posted else None


def _is_amount(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _cancelled(before: OrderLine, said: PushedService, *, charges: bool) -> OrderChange | None:
    """A service is cancelled: what is charged for it is credited."""
    if before.state is OrderState.CANCELLED:
        return None
    line = replace(before, state=OrderState.CANCELLED)
    credit = _credit(line) if charges else None
    if credit is not None:
        line = replace(line, posted="", transactions=credit.number)
    return OrderChange(said.control, line, credit)


def _reported(before: OrderLine, said: PushedService) -> OrderChange | None:
    """The status of a service changes, which costs nothing."""
    if said.status and said.status == before.status:
        return None
    state = before.state
    # a cancelled order stays so: its number is used up
    if state is not OrderState.CANCELLED and said.status == COMPLETED:
        state = OrderState.COMPLETED
    elif state is OrderState.COMPLETED:
        state = OrderState.PLACED
    return OrderChange(said.control, replace(before, state=state, status=said.status))
