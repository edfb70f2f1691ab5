"""Write the function that makes one call: a mapping's rules as straight Python, once, at load.

Running rules as data costs several function calls and look-ups for each of some fifty rules a
message; written out, a rule whose field is empty costs one test (docs/decisions/0005). What is
written looks like this, where names that begin with `k` stand for objects of the mapping:

    def make(scope, at):
        PID = document.fields('PID', 1, 40)
        …
        v = None
        if PID[7]:
            for c, r, p in scope.read_text(k3, PID[7]):
                scope.where, scope.raw = p, r
                v = k4(c, scope)
                if v is not None: break
        if v is not None:
            if type(v) is str:
                if v:
                    payload['dateOfBirth'] = v
                    note((n12, p, r))

`c` is what the reading made of a source value, `r` the value as sent, `p` its path, `v` what the
rule's function made of it, `m` the table row or default that it came by. A digit behind one of
them says that several rules share it. `n12` is the number of a rule in the legend of the whole set;
it is given last, so that a function serves every set in which its call is made alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.lineage import RuleLine
from bridge.mapping.engine.compiled import CompiledCall, Maker
from bridge.mapping.engine.generate.function import FunctionWriter
from bridge.mapping.engine.generate.text import SourceText


@dataclass(frozen=True, slots=True)
class Written:
    """A call's function, as it was written."""

    text: SourceText
    #: its part of the legend
    rules: Sequence[RuleLine]

    def maker(self, first: int) -> Maker:
        """The function, where its rules are numbered from `first` on."""
        return self.text.function("make", {f"n{n}": first + n for n in range(len(self.rules))})


def write(call: CompiledCall, title: str) -> Written:
    """Write the function that makes a call; `title` is what tracebacks show in place of a file."""
    text, rules = SourceText(f"<mapping {title}>"), list[RuleLine]()
    FunctionWriter(call, text, rules).write()
    text.finish()
    return Written(text, tuple(rules))
