from __future__ import annotations

import pytest

from bridge.message import Message, Protocol


@pytest.mark.parametrize(
    ("application", "facility", "sender"),
    [
        ("MEDIS", "RIVERSIDE", "MEDIS|RIVERSIDE"),
        ("MEDIS^2.999.1^ISO", "RIVERSIDE^2.999.2^ISO", "MEDIS|RIVERSIDE"),
        ("MEDIS", "", "MEDIS|"),
        ("^2.999.1^ISO", "", "^2.999.1^ISO|"),
        ("", "", "channel"),
    ],
)
def test_a_sender_is_named_by_application_and_facility_or_the_channel(
    application: str, facility: str, sender: str
) -> None:
    made = Message("channel", Protocol.HL7V2, "ADT^A04", "", application, facility, 0.0, b"")
    assert made.sender == sender
