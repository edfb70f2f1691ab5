"""What people are told of numbers that lead to other records."""

from __future__ import annotations

from pydantic import Field

from bridge.causes import MASK, sentence
from bridge.delivery import OF_IDENTITY, Alias, Call, Delivery
from bridge.reports.report import Report, Seconds
from bridge.store.contract import View


class AliasRow(Report):
    """A number that leads to another record, or that a record has besides."""

    message: int = Field(description="number of the message that said so")
    at: Seconds
    interaction: str = Field(description="merge or rename; empty for a number from the start")
    level: str = Field(description="what is numbered: a resource, or `account`")
    number: str = Field(description="the number; patient data")
    authority: str = Field(description="assigning authority of the number; patient data")
    leads_to: str = Field(description="external id of the record; patient data")
    retired: bool = Field(description="whether the number is not used any more")
    reason: str = Field(description="what the merge or change of number did")


def alias_rows(view: View, *, limit: int, before: int | None, reveal: bool) -> list[AliasRow]:
    """The latest aliases, of messages before that one, each with what made it."""
    return [
        _alias_row(alias, _made(view, alias), reveal=reveal)
        for alias in view.aliases(limit, before=before)
    ]


def _alias_row(alias: Alias, made: Delivery | None, *, reveal: bool) -> AliasRow:
    level, _, number = alias.key.partition("/")
    return AliasRow(
        message=alias.message_id,
        at=alias.at,
        interaction=made.call.interaction if made else "",
        level=level,
        number=number if reveal else MASK,
        authority=alias.authority if reveal or not alias.authority else MASK,
        leads_to=alias.external_id if reveal else MASK,
        retired=alias.retired,
        reason=sentence(made.cause, reveal=reveal) if made and made.cause else "",
    )


def _made(view: View, alias: Alias) -> Delivery | None:
    """The merge or change of number that made an alias; None where one record had two ids."""
    level = alias.key.partition("/")[0]
    made = [
        each
        for each in view.deliveries_of(alias.message_id)
        if each.call.interaction in OF_IDENTITY and each.call.resource == level
    ]
    # a message can have several; an alias of an alias is named by neither of its call's numbers
    return max(made, key=lambda each: _is_named(alias.key, each.call), default=None)


def _is_named(key: str, call: Call) -> bool:
    return key in (call.key, f"{call.resource}/{call.into}")
