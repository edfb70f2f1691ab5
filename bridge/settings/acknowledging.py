"""When and where application acknowledgments of enhanced mode are sent."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

#: the connection that brought the message
SAME = "same"


class AcknowledgmentPolicy(BaseModel):
    """The later answer to messages whose MSH-16 asks for one (chapter 2.9.3)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: sent once the message is translated, once it is delivered, or not at all
    after: Literal["translation", "delivery", "never"] = "translation"
    #: `same`, or `host:port` of a listener of the sender's
    to: str = SAME
    #: its MSH-15: with AL it counts as sent only once the far end accepted it
    accept_acknowledgment: Literal["AL", "NE"] = "NE"

    @field_validator("to")
    @classmethod
    def _address(cls, value: str) -> str:
        if value != SAME:
            host, _, port = value.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) <= 65535:
                raise ValueError(f"must be {SAME}, or an address such as 10.1.2.3:2600")
        return value

    @model_validator(mode="after")
    def _accepted_elsewhere(self) -> Self:
        if self.to == SAME and self.accept_acknowledgment == "AL":
            raise ValueError(
                "accept_acknowledgment: AL needs an address in 'to': on the sender's own "
                "connection nothing is waited for"
            )
        return self
