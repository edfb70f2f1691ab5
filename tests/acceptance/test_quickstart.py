"""The quickstart works word for word in three fresh terminals; only its ports are free ones."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.processes import ROOT, until
from tests.patience import PATIENCE

PAGE = ROOT / "docs/quickstart.md"
#: what a working copy has in it that the page's commands name
COPIED = ("Makefile", "requirements.txt", "setup.py", "conf", "samples")
PORTS = ("8090", "2575", "8080")
SECTION = re.compile(r"^## (\d)\. .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
#: what marks the output of each block in a terminal's
MARK = "@@@ block"


class Terminal(NamedTuple):
    """A fresh shell in the working copy, with nothing in its environment but a usual PATH."""

    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        """What it printed so far."""
        return self.output.read_text(encoding="utf-8")

    async def printed(self, pattern: str) -> None:
        """Wait for it; the shell must not have ended before."""

        def look() -> bool:
            found = re.search(pattern, self.text()) is not None
            assert found or self.process.poll() is None, self.text()
            return found

        await until(look, lambda: f"{pattern} in {self.text()}")

    async def ended(self) -> int:
        """Its exit code."""
        await until(lambda: self.process.poll() is not None, lambda: f"its end: {self.text()}")
        return self.process.returncode


class Page(NamedTuple):
    """The commands of the quickstart, by section, and what it says they print."""

    commands: Mapping[int, list[str]]
    shown: Mapping[int, list[str]]


class Copy(NamedTuple):
    """A working copy of the repository whose ports nobody holds."""

    folder: Path
    page: Page
    terminals: list[Terminal]

    def open(self, *sections: int, last: bool = False) -> Terminal:
        """A terminal that runs the commands of these sections, and stops at one that fails.

        Of the last command only, when that is asked for, after the path is set.
        """
        blocks = [block for section in sections for block in self.page.commands[section]]
        if last:
            path = self.page.commands[3][0].splitlines()[0]
            blocks = [f"{path}\n{blocks[-1].splitlines()[-1]}\n"]
        script = "".join(f"{block}echo '{MARK}'\n" for block in blocks)
        output = self.folder / f"terminal-{len(self.terminals) + 1}.txt"
        with output.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-e", "-c", script],
                cwd=self.folder,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.terminals.append(Terminal(process, output))
        return self.terminals[-1]


def read(text: str) -> Page:
    commands: dict[int, list[str]] = {}
    shown: dict[int, list[str]] = {}
    for section in SECTION.finditer(text):
        for kind, block in BLOCK.findall(section[0]):
            (commands if kind == "sh" else shown).setdefault(int(section[1]), []).append(block)
    return Page(commands, shown)


def free_ports(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
async def copy(tmp_path: Path) -> AsyncIterator[Copy]:
    for tool in ("make", "curl"):
        if shutil.which(tool) is None:
            pytest.skip(f"the quickstart needs {tool}")
    for name in COPIED:
        take = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        take(ROOT / name, tmp_path / name)
    installed(tmp_path / ".venv")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    ports["/tmp/woman.hl7"] = str(tmp_path / "woman.hl7")

    def with_free_ports(text: str) -> str:
        return re.sub("|".join(ports), lambda match: ports[match[0]], text)

    config = tmp_path / "conf/sandbox.yaml"
    config.write_text(with_free_ports(config.read_text(encoding="utf-8")), encoding="utf-8")
    page = read(with_free_ports(PAGE.read_text(encoding="utf-8")))
    made = Copy(tmp_path, page, [])
    try:
        yield made
    finally:
        for terminal in made.terminals:
            end(terminal.process)


def installed(environment: Path) -> None:
    """As `make install` leaves it, with this interpreter's own packages."""
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to(sys.executable)
    bridge = environment / "bin/bridge"
    bridge.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m bridge "$@"\n')
    bridge.chmod(0o755)
    (environment / ".installed").touch()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the terminal with what runs in it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)


async def test_the_quickstart_works_word_for_word_in_three_fresh_terminals(copy: Copy) -> None:
    first = copy.open(1, 2)
    await first.printed("sandbox listens on")
    second = copy.open(3)
    await second.printed("HTTP listens on")
    third = copy.open(4, 5)
    assert await third.ended() == 0, third.text()
    assert "ready: .venv/bin/bridge" in first.text()
    assert "settings and mappings are right" in second.text()
    for line in copy.page.shown[3][0].splitlines():
        assert line in second.text()
    explained, sent, pushed, held, changed = third.text().split(MARK)[:5]
    first_shown, last_shown = copy.page.shown[4][0], copy.page.shown[5][0]
    assert first_shown in explained
    assert "1 sent: 1 AA" in sent
    assert "no hospital is set up: orders wait" in pushed
    assert re.search(r"W +codes/gender +1 +1", held), held
    assert taken(held) != taken(changed)
    shown = await until_delivered(copy)
    assert last_shown in shown


def taken(printed: str) -> str:
    """The hash of the site's mappings, where `bridge mapping reload` took its change or the running
    service, which looks at the files too, was first."""
    found = re.search(
        r"^ours: (?:\w+ -> (\w+) \(codes/gender.yaml\)|(\w+), as before)$", printed, re.MULTILINE
    )
    assert found, printed
    return found[1] or found[2]


async def until_delivered(copy: Copy) -> str:
    """What the last command shows once the message went out: a person looks again, too."""

    async def look() -> str | None:
        terminal = copy.open(5, last=True)
        assert await terminal.ended() == 0, terminal.text()
        text = terminal.text()
        return text if re.search(r"^status +delivered$", text, re.MULTILINE) else None

    shown: str = await until(look, "the message is delivered")
    return shown


def test_every_command_of_the_readme_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line.partition("#")[0].split() for line in BLOCK.findall(readme)[0][1].splitlines()]
    assert [words[0] for words in commands] == ["make"] * len(commands)
    for words in commands:
        subprocess.run(
            [*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE
        )
