"""Lists beside that of the messages: the quarantine, codes without a row, sets of mappings."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from bridge.causes import MASK
from bridge.pipeline.planning.uses import USES_NOTE, Uses
from bridge.reports.masking import masked_code
from bridge.reports.report import Numbered, Report, Seconds
from bridge.store.contract import View
from bridge.visible import readable


class QuarantineRow(Numbered):
    """Something that came in and was not a message."""

    at: Seconds
    channel: str = Field(description="the channel that it came in through")
    peer: str = Field(description="address it came from")
    reason: str = Field(description="why it is not a message")
    bytes: int = Field(description="how many of its first bytes are kept")
    head: str = Field(description="its first bytes as text; patient data")


class UnmappedCodeRow(Report):
    """A code that no row of a code table knows, as one sender uses it."""

    table: str = Field(description="name of the code table")
    code: str = Field(description="of a longer one its length; patient data")
    sender: str = Field(description="sending application and facility, `MEDIS|RIVERSIDE`")
    waiting: int = Field(description="messages that wait for a row")
    count: int = Field(description="messages it was met in")
    first_at: float = Field(description="when it was met first, seconds since the epoch")
    last_at: float = Field(description="when it was met last, seconds since the epoch")


class UseRow(Report):
    """The set of mappings that a site uses."""

    site: str = Field(description="empty for the shipped mappings")
    hash: str = Field(description="hash of the set")
    since: Seconds
    pinned: bool = Field(description="whether it stays until the files are read again")


class VersionRow(Report):
    """A set of mappings that was in use."""

    hash: str = Field(description="hash of the set")
    first_used_at: Seconds
    sites: list[str] = Field(description="which ever used it")
    in_use_by: list[str] = Field(description="which use it now")
    pinned_by: list[str] = Field(description="where it stays until the files are read again")


def quarantine_rows(view: View, limit: int, *, reveal: bool) -> list[QuarantineRow]:
    """What is in quarantine; its bytes can hold anything, so they are patient data."""
    return [
        QuarantineRow(
            id=found.id,
            at=found.at,
            channel=found.channel,
            peer=found.peer,
            reason=found.reason,
            bytes=len(found.head),
            head=readable(found.head) if reveal else MASK,
        )
        for found in view.quarantined(limit)
    ]


def code_rows(view: View, limit: int, *, reveal: bool) -> list[UnmappedCodeRow]:
    """Codes without a row, those that most messages wait for first."""
    return [
        UnmappedCodeRow.model_validate(
            each if reveal else replace(each, code=masked_code(each.code))
        )
        for each in view.unmapped_codes(limit)
    ]


def mappings_in_use(view: View) -> list[UseRow]:
    """The set of mappings that each site uses, and since when."""
    uses = Uses.read(view.note(USES_NOTE))
    return [
        UseRow(site=use.site, hash=use.hash, since=use.at, pinned=use.site in uses.pinned)
        for use in uses.present()
    ]


def version_rows(view: View, limit: int) -> list[VersionRow]:
    """Sets of mappings that were in use, the latest first, with the sites that used them."""
    uses = Uses.read(view.note(USES_NOTE))
    return [
        VersionRow(
            hash=hash,
            first_used_at=first_used_at,
            sites=sorted({use.site for use in uses.taken if use.hash == hash}),
            in_use_by=sorted(use.site for use in uses.present() if use.hash == hash),
            pinned_by=sorted(site for site, pin in uses.pinned.items() if pin == hash),
        )
        for hash, first_used_at in view.mapping_versions(limit)
    ]
