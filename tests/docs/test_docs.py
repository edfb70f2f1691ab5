"""What the documentation points at is there."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest
import typer

from bridge.cli.app import app
from bridge.reports.pages.runbook import rewritten
from bridge.sandbox.faults import FaultKind, OddReset, OddToken
from bridge.sandbox.push import Scheme
from bridge.shipped import mappings_folder
from bridge.zauto import contract
from bridge.zauto.catalogue import load
from bridge.zauto.reference import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
#: a command in running text or at the start of a line of a shell block
COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*bridge ([a-z]+)|`bridge ([a-z]+)[^`]*`", re.MULTILINE)


def page(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", PAGES, ids=page)
def test_links_resolve(file: Path) -> None:
    targets = LINK.findall(file.read_text(encoding="utf-8"))
    local = [target.split("#")[0] for target in targets if not target.startswith("http")]
    missing = [target for target in local if target and not (file.parent / target).exists()]
    assert missing == []


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    for file in (ROOT / "docs/decisions").glob("[0-9]*.md"):
        assert f"({file.name})" in listed


@pytest.mark.parametrize("file", [*PAGES, *ROOT.glob("conf/*.yaml")], ids=page)
def test_commands_named_exist(file: Path) -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = {a or b for a, b in COMMAND.findall(file.read_text(encoding="utf-8"))}
    assert named <= known


def test_make_targets_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for file in PAGES:
        text = file.read_text(encoding="utf-8")
        named = re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", text, re.MULTILINE)
        assert {a or b for a, b in named} <= targets, page(file)


def test_paths_named_in_code_style_exist() -> None:
    for file in PAGES:
        for path in re.findall(
            r"`((?:bridge|mappings|samples|tests|conf)/[a-z0-9/_.-]*)`", file.read_text()
        ):
            assert (ROOT / path).exists(), f"{page(file)}: {path}"


def test_the_mapping_in_the_readme_is_one_that_is_shipped() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("```yaml\n")[1].split("```")[0].splitlines()
    shipped = (ROOT / "mappings/parts/patient_from_pid.yaml").read_text(encoding="utf-8")
    assert [line for line in shown if line not in shipped.splitlines()] == []


def test_the_reference_of_zautoais_api_is_the_catalogues() -> None:
    page = (ROOT / "docs/reference/zautoai.md").read_text(encoding="utf-8")
    assert reference(load(mappings_folder() / "zauto")) in page, "run `make reference`"
    assert rewritten(page.replace("## Statuses", "## Codes")) == page


@pytest.mark.parametrize(
    "said",
    [
        f"ZautoAI Integration API {contract.API_VERSION}:",
        f"`POST {contract.TOKEN_PATH}`",
        " or ".join(f"`{grant}`" for grant in contract.Grant),
        f"`{contract.CLIENT_ID_PATTERN}`",
        f"`{contract.CLIENT_SECRET_PATTERN}`",
        f"with `grant_type` `{contract.Grant.REFRESH_TOKEN}` only",
        f"`expires_in` {contract.ACCESS_SECONDS} (seconds)",
        ", ".join(f"`{error}`" for error in contract.TokenError),
        f"`limit` (default {contract.DEFAULT_PAGE_SIZE}, most {contract.MAX_PAGE_SIZE})",
        f"{contract.REQUESTS_AN_HOUR} requests an hour and {contract.REQUESTS_A_MINUTE} a minute",
        f"`{contract.LIMIT_HEADER}`, `{contract.REMAINING_HEADER}` and\n`{contract.RESET_HEADER}`",
    ],
)
def test_the_prose_of_zautoais_api_is_the_contracts(said: str) -> None:
    assert said in (ROOT / "docs/reference/zautoai.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [FaultKind, OddReset, OddToken, Scheme])
def test_the_sandboxs_page_names_every_word(words: type[StrEnum]) -> None:
    page = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
    assert [word.value for word in words if f"`{word.value}`" not in page] == []
