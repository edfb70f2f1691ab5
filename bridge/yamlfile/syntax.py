"""What a text is that is not YAML, in a sentence that says what to do.

PyYAML and libyaml word their problems differently, for programmers, and some quote the file.
"""

from __future__ import annotations

import yaml

_QUOTE = "a quote is opened and not closed"
_INDENTATION = "the line is not indented like those it belongs to"
_TAB = "a tab; indent with blanks"
_CHARACTER = "a text that begins with this character must be in quotes"
#: by a piece of the problem as either of them words it
_SENTENCES = (
    (
        "mapping values are not allowed",
        "a ':' cannot stand here; check the indentation, or put the text in quotes",
    ),
    ("could not find expected ':'", "a key needs ': ' and a value"),
    ("unexpected end of stream", _QUOTE),
    ("document separator", _QUOTE),
    ("escape", "an escape that YAML does not have; write '\\' twice, or use single quotes"),
    ("a tab character", _TAB),
    ("cannot start any token", _CHARACTER),
    ("alphabetic or numeric character", _CHARACTER),
    ("',' or ']'", "'[' is opened and not closed, or a ',' is missing"),
    ("',' or '}'", "'{' is opened and not closed, or a ',' is missing"),
    ("sequence entries are not allowed", "a '- ' cannot stand here; begin a line with it"),
    ("tag handle", "a tag is not taken; put the text in quotes"),
    ("node content", "a value is missing"),
    ("<document start>", "nothing may follow after '...'"),
    ("directive", "a directive that YAML does not have"),
    ("<block end>", _INDENTATION),
    ("expected key", _INDENTATION),
    ("'-' indicator", _INDENTATION),
)
#: problems noticed after the place to mend: where what they are about begins is told
_BEGINS = ("could not find expected ':'", "unexpected end of stream", "document separator")


def told(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Line and column, both from 1, and the sentence."""
    problem = error.problem or ""
    begins = error.context_mark and any(piece in problem for piece in _BEGINS)
    mark = error.context_mark if begins else error.problem_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return line + 1, column + 1, f"is not YAML: {_sentence(problem, text, line, column)}."


def _sentence(problem: str, text: str, line: int, column: int) -> str:
    if "".join(text.split("\n")[line : line + 1])[column : column + 1] == "\t":
        return _TAB
    return next((told for piece, told in _SENTENCES if piece in problem), "check this line")
