"""Every command says what it does, what each option means, and shows an example that is one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from bridge.cli.app import app

ROOT: Any = typer.main.get_command(app)

#: the names are fixed: scripts and docs use them
COMMANDS = [
    "run",
    "sandbox",
    "sandbox push",
    "sandbox reset",
    "replay",
    "translate",
    "check",
    "fixture",
    "coverage",
    "whatif",
    "status",
    "messages",
    "messages quarantine",
    "messages show",
    "zauto",
    "zauto ping",
    "zauto get",
    "zauto list",
    "zauto budget",
    "mapping",
    "mapping show",
    "mapping test",
    "mapping reload",
    "mapping versions",
    "mapping rollback",
    "codes",
    "remarks",
    "merges",
    "pause",
    "resume",
    "demo",
]


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for word, inner in getattr(command, "commands", {}).items():
        full = f"{name} {word}".strip()
        yield full, inner
        yield from _commands(inner, full)


BY_NAME = dict(_commands(ROOT))


def _example(name: str) -> list[str]:
    _, _, example = BY_NAME[name].help.partition("Example: ")
    return shlex.split(example.strip().splitlines()[0])


def test_there_are_these_commands_and_no_others() -> None:
    assert sorted(BY_NAME) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_and_shows_an_example(name: str) -> None:
    first, *_ = BY_NAME[name].help.splitlines()
    assert first.rstrip(":").endswith((".", "acknowledged", "door"))
    assert _example(name)[: 1 + len(name.split())] == ["bridge", *name.split()]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    unexplained = [p.name for p in BY_NAME[name].params if not getattr(p, "help", "")]
    assert unexplained == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_is_one_that_can_be_typed(name: str) -> None:
    words = _example(name)[1:]
    command, context = ROOT, typer.Context(ROOT, info_name="bridge", resilient_parsing=True)
    while command is not BY_NAME[name]:
        _, command, words = command.resolve_command(context, words)
    command.make_context(name, words)


def test_help_is_printed_for_each(run: Any) -> None:
    for name in COMMANDS:
        result = run(*name.split(), "--help")
        assert result.exit_code == 0
        assert "Example: bridge" in " ".join(result.output.split())


def test_without_a_command_the_commands_are_shown(run: Any) -> None:
    result = run()
    assert "translate" in result.output


def test_the_version_is_printed(run: Any) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.output.startswith("bridge ")
