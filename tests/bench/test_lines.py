"""What counts as a line of code, and to which room it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import lines


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("", 0),
        ("x = 1\n", 1),
        ("x = 1", 1),
        ("\n\nx = 1\n   \n\n", 1),
        ("# only a comment\n    # another\n", 0),
        ("x = 1  # with a comment\n", 1),
        ("x = 1; y = 2\n", 1),
        ('"""Of a module."""\n', 0),
        ('"""Of a module,\n\n# in several lines.\n"""\n\nx = 1\n', 1),
        ('class A:\n    """Of a class."""\n', 1),
        ('class A:\n    """Of a class."""\n\n    #: of a field\n    x: int\n', 2),
        ('def f() -> None:\n    """Of a function,\n    in lines.\n    """\n', 1),
        ('async def f() -> None:\n    """Of a function."""\n    await g()\n', 2),
        ('class A: """On the same line."""\n', 1),
        ('def f():\n    """Documented."""; return 1\n', 2),
        ("def f():\n    r'''Raw.'''\n    return 1\n", 2),
        ('x = 1\n"""A string that documents nothing."""\n', 2),
        ('def f():\n    return """Not a docstring."""\n', 2),
        ('x = """\n# of the string\n\nend"""\n', 3),
        ('x = f"""\n{y}\n"""\n', 3),
        ("f(\n    1,\n    # why\n    2,\n)\n", 4),
        ("x = 1 + \\\n    2\n", 2),
    ],
)
def test_a_line_counts_where_code_stands(source: str, count: int) -> None:
    assert lines.code_lines(source) == count


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for file, source in {
        "bridge/__init__.py": '"""The package."""\n',
        "bridge/errors.py": "x = 1\n",
        "bridge/store/open.py": "x = 1\ny = 2\n",
        "bridge/store/rules/keep.py": "x = 1\n",
        "bridge/store/rules/keep.sql": "SELECT 1;\n",
        "tests/test_store.py": "x = 1\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(source, encoding="utf-8")
    return tmp_path


def test_a_room_counts_its_folders_and_loose_modules_are_one_row(tree: Path) -> None:
    assert lines.rooms(tree) == {lines.LOOSE: 1, "store": 3}


def test_the_table_has_each_room_and_the_total_beside_another_tree(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lines.py", str(tree)])
    lines.main()
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert printed[0] == ["room", "lines", "other", "change"]
    assert {row[0] for row in printed[1:]} == {*lines.rooms(lines.ROOT), "total"}
    store = lines.rooms(lines.ROOT)["store"]
    assert ["store", f"{store:,}", "3", f"{store - 3:+,}"] in printed
    assert printed[-1][0] == "total"


def test_a_tree_without_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is not a folder"):
        lines.rooms(tmp_path)
