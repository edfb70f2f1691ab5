"""Which kind of record the numbers of a call are for."""

from __future__ import annotations

from bridge.delivery import ACCOUNT, ACCOUNT_OF, Interaction, Role
from bridge.zauto.catalogue import Catalogue


def has_record_number(catalogue: Catalogue, resource: str, role: Role, interaction: str) -> bool:
    """Whether the record of this role is one that the hospital numbers as it does patients
    (PID-3), rather than a visit or an account."""
    owned = ACCOUNT_OF if resource == ACCOUNT else resource
    if role is Role.OWNER or (role is Role.INTO and interaction == Interaction.MOVE):
        owner = catalogue[owned].owner() if owned in catalogue else None
        resource = catalogue[owned].referents()[owner] if owner else resource
    return resource in catalogue and bool(catalogue[resource].numbers)
