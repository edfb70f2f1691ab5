"""The runbook says of every cause and remark what the program says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bridge
from bridge.causes import EXPLANATIONS, Cause, CauseKind, sentence
from bridge.remarks import SENTENCES, RemarkCode
from bridge.reports.pages.runbook import rewritten, sections, table

ROOT = Path(__file__).parents[2]
PACKAGE = Path(bridge.__file__).parent


def test_the_page_of_causes_is_the_programs() -> None:
    page = (ROOT / "docs/reference/causes.md").read_text(encoding="utf-8")
    assert sections() in page, "run `make reference`"
    assert rewritten(page.replace("## unmapped", "## strange")) == page


def test_the_table_of_causes_is_the_programs() -> None:
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert table() in operating, "run `make reference`"
    assert rewritten(operating) == operating
    assert rewritten(operating.replace("| [`", "| [`old ")) == operating


def test_every_cause_is_explained_and_every_remark_has_a_sentence() -> None:
    assert set(EXPLANATIONS) == set(CauseKind)
    assert set(SENTENCES) == set(RemarkCode)


@pytest.mark.parametrize("kind", CauseKind)
def test_a_sentence_names_only_parameters_that_there_are(kind: CauseKind) -> None:
    row = EXPLANATIONS[kind]
    names = re.findall(r"\{(\w+)", row.sentence + row.action)
    assert set(names) <= set(Cause._fields)
    assert "{" not in sentence(Cause(kind), reveal=True)


@pytest.mark.parametrize("kind", [*CauseKind, *RemarkCode])
def test_every_kind_is_used(kind: CauseKind | RemarkCode) -> None:
    named = f"{type(kind).__name__}.{kind.name}"
    files = (f for f in PACKAGE.rglob("*.py") if f.name not in ("explanations.py", "remarks.py"))
    sql = any(kind in f.read_text() for f in PACKAGE.rglob("*.sql"))
    assert sql or any(named in file.read_text() for file in files)
