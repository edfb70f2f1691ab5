"""Python source in the making: lines with their depth, and the objects its names stand for."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class SourceText:
    """The text of one function.

    Nothing that a mapping file says becomes text of the program: it is bound to a name made here
    and reaches the function as an object.
    """

    def __init__(self, title: str) -> None:
        """`title` stands in tracebacks in place of a file: `<mapping hl7v2/adt: patients>`."""
        self._title = title
        self._lines: list[str] = []
        self._depth = 0
        self._bound: dict[str, Any] = {}
        self._numbers: dict[int, str] = {}

    def bind(self, value: Any) -> str:
        """The name that stands for an object; the same one for the same object."""
        if id(value) not in self._numbers:
            name = f"k{len(self._bound)}"
            self._numbers[id(value)], self._bound[name] = name, value
        return self._numbers[id(value)]

    def line(self, text: str) -> None:
        """Add one line."""
        self._lines.append("    " * self._depth + text)

    def lines(self, texts: Iterable[str]) -> None:
        """Add several."""
        for text in texts:
            self.line(text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A line that ends in a colon, and what is added meanwhile under it."""
        self.line(f"{head}:")
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    def finish(self) -> None:
        """Compile it; nothing is added any more."""
        text = "\n".join(self._lines) + "\n"
        # so that a traceback shows the lines
        linecache.cache[self._title] = (len(text), None, text.splitlines(True), self._title)
        self._code = compile(text, self._title, "exec")

    def function(self, name: str, given: Mapping[str, Any]) -> Callable[..., Any]:
        """The finished function of that name, with what further names stand for."""
        namespace = {**self._bound, **given}
        exec(self._code, namespace)
        made: Callable[..., Any] = namespace[name]
        return made
