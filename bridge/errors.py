"""Every error the bridge raises on purpose.

BridgeError
├── SettingsError        a setting is missing or wrong; the service does not start
├── MappingError         one or more faults in mapping files, all of them at once
├── PathError            a path into a document is not written as it must be
├── ReadError            a document cannot be read; carries where and an HL7 table 0357 code
│   └── LimitError       it is larger than the limits allow
├── KeyReused            an Idempotency-Key came again with another order
├── StoreError           the store cannot do what was asked
│   ├── StoreBusy        not now: nothing was kept, the sender must not be acknowledged
│   └── StoreUnusable    wrong version, another process holds it, or it is not durable
├── Damaged              what is stored is not what was kept
│   ├── DamagedMessage   the bytes of one message
│   ├── DamagedDelivery  the planned call of a delivery
│   └── DamagedRecord    what is known of a record, or where a number leads
└── DoorError            a door cannot be opened or reached
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BridgeError(Exception):
    """Anything the bridge raises on purpose; the message says what, where and what to do."""


class SettingsError(BridgeError):
    """A setting is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file that people write."""

    #: path of the file, as the person who named the folder would write it
    file: str
    #: 1-based line and column of the key or value
    line: int
    column: int
    #: the key it stands under, dotted (`fields.gender.codes`)
    key: str
    #: what was found and what to do, one sentence
    message: str
    #: the nearest right word, where there is one
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean '{self.suggestion}'?" if self.suggestion else ""
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}:{self.column}: {key}{self.message}{hint}"


class MappingError(BridgeError):
    """The mappings cannot be used; `faults` names every reason at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class PathError(BridgeError):
    """A path into a document is not written as it must be; `suggestion` is the nearest right text,
    where there is one."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


class ReadError(BridgeError):
    """A document cannot be read.

    `code` is of HL7 table 0357 (100 segment sequence, 101 required field, 102 data type,
    202 processing id, 203 version id …); `location` is a path such as `MSH-10` or `PID-3.1`.
    """

    def __init__(self, message: str, *, location: str = "", code: int = 102) -> None:
        super().__init__(message)
        self.location = location
        self.code = code


class LimitError(ReadError):
    """A document is larger than the limits allow."""


class KeyReused(BridgeError):
    """An Idempotency-Key came again with another order: neither is the other's duplicate."""


class StoreError(BridgeError):
    """The store cannot do what was asked."""


class StoreBusy(StoreError):
    """The store cannot keep anything now (full, locked, over the watermark): nothing was kept."""


class Damaged(BridgeError):
    """What is stored is not what was kept: nothing is made of it, and a person must look."""


class DamagedMessage(Damaged):
    """The stored bytes of a message are not those that came, or what is stored of it cannot be
    read; a person restores or parks it."""

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id
        super().__init__(
            f"What is stored of message {message_id} is not what was kept: check the disk, and "
            "restore the message from a copy or have it sent again."
        )


class DamagedDelivery(Damaged):
    """The stored call of a delivery is not the one that was planned, or what is stored of it
    cannot be read; it must not be made."""

    def __init__(self, delivery_id: int) -> None:
        self.delivery_id = delivery_id
        super().__init__(
            f"What is stored of delivery {delivery_id} is not what was planned: check the disk, "
            "and have its message sent again."
        )


class DamagedRecord(Damaged):
    """What is stored of a record, or of where a number leads, is not what was kept."""

    def __init__(self, key: str) -> None:
        """`key` is `patients/P1`; the text leaves its number out, because it may be logged."""
        self.key = key
        resource, _, _ = key.partition("/")
        super().__init__(
            f"What is stored of one of {resource} fails its checksum: check the disk, and restore "
            "the store from a copy."
        )


class StoreUnusable(StoreError):
    """The store cannot be used at all: a newer schema, another process, or not durable."""


class DoorError(BridgeError):
    """A door cannot be opened or reached."""
