"""Functions and files stay small enough to be read at once."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parents[2] / "bridge"
MOST_FUNCTION_LINES = 40
MOST_FILE_LINES = 400
#: words that name no thing of this field
EMPTY_WORDS = ("util", "helper", "manager", "handler", "processor", "common", "misc")


def _functions() -> dict[str, int]:
    """Lines of every function, by file and name, its docstring not counted."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                place = f"{file.relative_to(PACKAGE)}:{node.lineno} {node.name}"
                found[place] = _lines(node)
    return found


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    told = ast.get_docstring(node) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if told else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_no_function_is_long() -> None:
    long = {place: lines for place, lines in _functions().items() if lines > MOST_FUNCTION_LINES}
    assert long == {}


def test_functions_are_short_as_a_rule() -> None:
    assert median(_functions().values()) < 10


def test_no_file_is_long() -> None:
    lines = {file: len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")}
    assert {file: n for file, n in lines.items() if n >= MOST_FILE_LINES} == {}


def test_no_module_has_an_empty_name() -> None:
    names = [file.stem for file in PACKAGE.rglob("*.py")]
    assert [name for name in names if any(word in name for word in EMPTY_WORDS)] == []
