"""Between rows and what is known of records."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from bridge.delivery import (
    Alias,
    Entity,
)
from bridge.errors import DamagedRecord
from bridge.order import OrderLine, OrderState
from bridge.store.rows.values import checksum, to_json
from bridge.store.statements import Row, Values


def entity(row: Row) -> Entity:
    """The entity of a row of `entity`; raises DamagedRecord."""
    if row["checksum"] not in (None, entity_checksum(row)):
        raise DamagedRecord(f"{row['resource']}/{row['external_id']}")
    sent = row["sent"]
    return Entity(
        resource=row["resource"],
        external_id=row["external_id"],
        desired=orjson.loads(row["desired"]),
        initial=orjson.loads(row["initial"]),
        sent=None if sent is None else orjson.loads(sent),
        authority=row["authority"],
        facts=orjson.loads(row["facts"]),
        owner=row["owner"],
    )


def entity_checksum(row: Row | dict[str, Any]) -> int:
    """Of everything that is known of a record, which record it is included."""
    sent: bytes | None = row["sent"]
    return checksum(
        *(row["resource"], "/", row["external_id"], "/", row["desired"], row["initial"]),
        *(b"" if sent is None else sent, row["facts"], row["authority"], "/", row["owner"]),
    )


def entity_row(record: Entity) -> Values:
    """The values of a row of `entity`."""
    values: Values = {
        "resource": record.resource,
        "external_id": record.external_id,
        "desired": to_json(record.desired),
        "initial": to_json(record.initial),
        "sent": None if record.sent is None else to_json(record.sent),
        "authority": record.authority,
        "facts": to_json(record.facts),
        "owner": record.owner,
    }
    return values | {"checksum": entity_checksum(values)}


def alias(row: Row) -> Alias:
    """The alias of a row of `alias`; raises DamagedRecord."""
    if row["checksum"] not in (None, alias_checksum(row)):
        raise DamagedRecord(row["key"])
    return Alias(
        key=row["key"],
        leads_to=row["leads_to"],
        authority=row["authority"],
        retired=bool(row["retired"]),
        message_id=row["message_id"],
        at=row["at"],
    )


def alias_checksum(row: Row | dict[str, Any]) -> int:
    """Of where a number leads, and whose it is; of text or of its bytes."""
    retired = "retired" if row["retired"] else ""
    return checksum(*(row["key"], "/", row["leads_to"], "/", row["authority"], "/", retired))


def alias_row(known: Alias) -> Values:
    """The values of a row of `alias`."""
    values: Values = {
        "key": known.key,
        "leads_to": known.leads_to,
        "authority": known.authority,
        "retired": int(known.retired),
        "message_id": known.message_id,
        "at": known.at,
    }
    return values | {"checksum": alias_checksum(values)}


def link_checksum(reference: str, resource: str, external_id: str) -> int:
    """Of which record a reference names."""
    return checksum(*(reference, "/", resource, "/", external_id))


def linked(row: Row) -> str:
    """The external id of a row of `link`; raises DamagedRecord."""
    external_id: str = row["external_id"]
    if row["checksum"] not in (
        None,
        link_checksum(row["reference"], row["resource"], external_id),
    ):
        raise DamagedRecord(row["reference"])
    return external_id


def number_checksum(sequence: str, key: str, value: int) -> int:
    """Of which number a key has in a sequence."""
    return checksum(*(sequence, "/", key, "/", str(value)))


def number(row: Row) -> int:
    """The number of a row of `number`; raises DamagedRecord."""
    value: int = row["value"]
    if row["checksum"] not in (None, number_checksum(row["sequence"], row["key"], value)):
        raise DamagedRecord(f"{row['sequence']}/{row['key']}")
    return value


def order_line(row: Row) -> OrderLine:
    """The line of a row of `order_line`."""
    return OrderLine(
        visit_id=row["visit_id"],
        service=row["service"],
        occurrence=row["occurrence"],
        issue=row["issue"],
        state=OrderState(row["state"]),
        status=row["status"],
        posted=row["posted"],
        transactions=row["transactions"],
    )


def order_line_row(line: OrderLine) -> Values:
    """The values of a row of `order_line`."""
    return asdict(line)
