"""The pages say of every notice what the program says."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import bridge
from bridge.notices import EXPLANATIONS, Actor, Notice, NoticeKind
from bridge.reports.pages.notices import sections, table
from bridge.reports.pages.runbook import rewritten
from bridge.template import names

ROOT = Path(__file__).parents[2]
PACKAGE = Path(bridge.__file__).parent
#: what a sentence can name that is made of parameters
DERIVED = {"quoted", "first", "advice", "next_try"}


def test_the_page_of_notices_is_the_programs() -> None:
    page = (ROOT / "docs/reference/status.md").read_text(encoding="utf-8")
    assert sections() in page, "run `make reference`"
    assert rewritten(page.replace("## disk_full", "## disk")) == page


def test_the_table_of_notices_is_the_programs() -> None:
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert table() in operating, "run `make reference`"
    assert rewritten(operating.replace("| [`disk_full`]", "| [`disk`]")) == operating


def test_every_notice_is_explained() -> None:
    assert set(EXPLANATIONS) == set(NoticeKind)


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_sentence_names_only_parameters_that_there_are(kind: NoticeKind) -> None:
    row = EXPLANATIONS[kind]
    known = {each.name for each in fields(Notice)} | DERIVED
    assert set(names(row.sentence + row.action)) <= known


@pytest.mark.parametrize("kind", NoticeKind)
def test_who_has_to_act_is_told_what_to_do(kind: NoticeKind) -> None:
    row = EXPLANATIONS[kind]
    assert row.action or row.by is Actor.NOBODY
    assert row.meaning or not row.action


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_is_used(kind: NoticeKind) -> None:
    files = (f for f in PACKAGE.rglob("*.py") if PACKAGE / "notices" not in f.parents)
    assert any(f"NoticeKind.{kind.name}" in file.read_text() for file in files)
