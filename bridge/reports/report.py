"""What every report is: values with types and descriptions, and their JSON.

The control socket, `--json` and the HTTP API write the same JSON, and the command line reads it
back. Patient data is masked when a report is made, so whoever holds one may show it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from bridge.causes import CauseKind

#: of a message, a delivery or an application acknowledgment: why it is where it is
CauseName: TypeAlias = Annotated[
    CauseKind | Literal[""], Field(description="kind of the cause; empty where there is none")
]
Sentence: TypeAlias = Annotated[str, Field(description="the cause as a sentence for people")]
WaitsFor: TypeAlias = Annotated[str, Field(description="what it waits for while held")]
Seconds: TypeAlias = Annotated[float, Field(description="seconds since the epoch")]


class Report(BaseModel):
    """Values for people and programs. What is not set is not among its JSON."""

    # compiled when first used: most commands and a starting service need few of them
    model_config = ConfigDict(frozen=True, from_attributes=True, defer_build=True)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)

    def stated(self) -> dict[str, Any]:
        """Its values, for a report that has more."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Numbered(Report):
    """Of something that the store numbers."""

    id: int = Field(description="its number in the store")
