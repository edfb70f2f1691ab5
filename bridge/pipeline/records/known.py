"""Known records: what a number of a message leads to, as far as earlier messages said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.delivery import ACCOUNT, ACCOUNT_OF, Alias, Entity
from bridge.pipeline.records.identity import owner_key
from bridge.store.entities import EntityView
from bridge.zauto.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class KnownRecords:
    """Looks records up by key, `patients/P1`; a key of an account is `account/A1`."""

    tx: EntityView
    catalogue: Catalogue

    def alias(self, key: str) -> Alias | None:
        """Where the number leads, if not to a record of its own."""
        return self.tx.aliases_of([key]).get(key)

    def record(self, key: str) -> str:
        """The record that a number leads to."""
        alias = self.alias(key)
        return alias.leads_to if alias is not None else key

    def entity(self, key: str) -> Entity | None:
        """What is known of exactly this record; aliases are not followed."""
        resource, _, external_id = key.partition("/")
        return self.tx.entity(resource, external_id)

    def of(self, key: str) -> Entity | None:
        """What is known of the record that a number leads to."""
        return self.entity(self.record(key))

    def owner_key(self, resource: str, external_id: str) -> str:
        """The key of an owner of such records: `patients/P1` of a visit or an account."""
        owned = self.catalogue[ACCOUNT_OF if resource == ACCOUNT else resource]
        return owner_key(owned, {owned.owner() or "": external_id})

    def visits_of_account(self, account: str) -> Sequence[Entity]:
        """The visits of an account, `account/A1`, whoever they belong to."""
        _, _, number = account.partition("/")
        return self.tx.of_account(number)
