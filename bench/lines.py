"""How many lines of code each room has: `python bench/lines.py [OTHER_TREE]`.

Counted are the lines of `bridge/` that are neither blank nor only comment or docstring; modules
beside the rooms are one row. Another tree, as a folder with `bridge/` in it, stands beside.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: modules that stand in no room
LOOSE = "(modules)"
_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(source: str) -> int:
    """The lines of a module on which code stands, those of its strings among them."""
    docstrings = _docstrings(source)
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE and token.start not in docstrings:
            found.update(range(token.start[0], token.end[0] + 1))
    lines = source.splitlines()
    return sum(1 for number in found if lines[number - 1].strip())


def _docstrings(source: str) -> set[tuple[int, int]]:
    """Where docstrings begin."""
    return {
        (node.body[0].lineno, node.body[0].col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, _Documented) and ast.get_docstring(node, clean=False) is not None
    }


def rooms(tree: Path) -> Counter[str]:
    """The lines of each room of `bridge/` in a tree."""
    package = tree / "bridge"
    if not package.is_dir():
        raise SystemExit(f"{package} is not a folder: name a tree that has bridge/ in it")
    counts: Counter[str] = Counter()
    for file in package.rglob("*.py"):
        room, *inside = file.relative_to(package).parts
        counts[room if inside else LOOSE] += code_lines(file.read_text(encoding="utf-8"))
    return counts


def main() -> None:
    """Print the rooms with the most lines first, and the total."""
    here = rooms(ROOT)
    there = rooms(Path(sys.argv[1])) if len(sys.argv) > 1 else None
    print(f"{'room':16} {'lines':>8}" + (f" {'other':>8} {'change':>8}" if there else ""))
    for room in sorted(here | (there or {}), key=lambda room: (-here[room], room)):
        show(room, here[room], there and there[room])
    show("total", here.total(), there and there.total())


def show(name: str, lines: int, other: int | None) -> None:
    """Print one row, beside another tree with what this one has more."""
    beside = "" if other is None else f" {other:8,} {lines - other:+8,}"
    print(f"{name:16} {lines:8,}{beside}")


if __name__ == "__main__":
    main()
