"""HL7 messages for these tests; everybody in them is invented."""

from __future__ import annotations

from bridge.hl7v2.header import scan
from bridge.message import Message, Protocol


def adt(
    control_id: str = "C1",
    *,
    kind: str = "ADT^A04",
    patient: str = "4711",
    name: str = "Nair^Meera",
    visit: str = "V1",
    version: str = "2.5.1",
    msh_end: str = "",
) -> bytes:
    """A registration; `msh_end` is what follows MSH-12."""
    segments = [
        f"MSH|^~\\&|HIS|LOTUS|BRIDGE|ZAUTO|20260301100000||{kind}|{control_id}|P|{version}{msh_end}",
        "EVN||20260301100000",
        f"PID|1||{patient}^^^LOTUS^MR||{name}||19840712|F|||12 Lake Road^^Kochi||9845000001",
        f"PV1|1|O|OPD||||D1^Rao^Anand||||||||||||{visit}",
    ]
    return "\r".join(segments).encode() + b"\r"


def message(body: bytes, received_at: float = 1_000_000.0) -> Message:
    """The message as intake keeps it."""
    header = scan(body)
    return Message(
        "default",
        Protocol.HL7V2,
        header.message_type,
        header.control_id,
        header.sending_application,
        header.sending_facility,
        received_at,
        body,
    )
