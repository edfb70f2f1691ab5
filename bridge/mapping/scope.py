"""What a rule and its function can look at while one document is translated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bridge.delivery import Remark
from bridge.mapping.document import Context, Document
from bridge.settings import Site


@dataclass(slots=True)
class Scope:
    """One translation under way; made anew for each, so nothing is shared between messages."""

    document: Document
    context: Context
    site: Site
    zone: ZoneInfo
    #: external ids of the calls made so far, by resource name
    ids: dict[str, str] = field(default_factory=dict)
    #: external id of the call being made
    external_id: str = ""
    #: path being read, for remarks
    where: str = ""
    #: number of the line inside `each:`, from 1; 0 outside
    line: int = 0
    remarks: list[Remark] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Note something odd about the path being read; the text never holds its value."""
        self.remarks.append(Remark(self.where, text))

    def look(self, path: Any) -> Any:
        """Values of the document at a parsed path."""
        return self.document.values(path)
