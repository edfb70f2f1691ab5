"""What a mapping needs of a message: a document to read, and what was known beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.order import OrderLine
from bridge.settings import Hospital


class Document(Protocol):
    """A message that can be asked for values by the paths of its own notation.

    `path` is what the protocol's path parser returned at load (`hl7v2.paths.parse`,
    `fhir.paths.parse`, `engine.dotted.parse`). A value is a text, a number, a truth value, a
    compound of the source (an HL7 repetition, a FHIR element as a dict), or `DELETE` where the
    sender said that the stored value is to be deleted. Empty and absent values are not there.
    """

    def values(self, path: Any) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What the bridge knew when it translated; read before, recorded with the message.

    `links` maps references (`Patient/123`) to external ids. `known` maps `patient-visits/V1`
    to what was learnt of that record: its facts, and under `patientId`, `providerId` its
    referents' external ids.
    """

    received_at: float = 0.0
    links: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: a name of the message that stays the same over retries and reruns, at most 16 letters and
    #: digits; MSH-10 and ORC-2 of what is sent for it are made of it
    key: str = ""
    #: sending application and facility, `MEDIS|RIVERSIDE`; tables can have rows for one sender
    sender: str = ""
    #: who issued the patient numbers of senders that name nobody (the channel's `authority`)
    authority: str = ""
    #: where orders go; needed for order documents only
    hospital: Hospital | None = None
    #: what the hospital was sent of the services of the visit; for order documents only
    order_lines: Sequence[OrderLine] = ()
