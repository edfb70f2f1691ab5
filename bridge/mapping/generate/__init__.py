"""Write the function that makes one call: a mapping's rules as straight Python, once, at load.

Running rules as data costs several function calls and look-ups for each of some fifty rules a
message; written out, a rule whose field is empty costs one test (docs/decisions/0005). What is
written looks like this, where names that begin with `k` stand for objects of the mapping:

    def make(scope, at):
        PID = document.fields('PID', 1, 40)
        …
        v = None
        if PID[7]:
            for c, r, p in read(k3, PID[7]):
                scope.where = p
                v = k4(c, scope)
                if v is not None: break
        if v is not None:
            if type(v) is str:
                if v:
                    payload['dateOfBirth'] = v
                    note((12, p, r))

`c` is what the reading made of a source value, `r` the value as sent, `p` its path, `v` what the
rule's function made of it, `m` the table row or default that it came by. A digit behind one of
them says that several rules share it.
"""

from __future__ import annotations

from bridge.delivery import RuleLine
from bridge.mapping.generate.function import FunctionWriter
from bridge.mapping.generate.text import SourceText
from bridge.mapping.plan import CallPlan, Maker


def generate(plan: CallPlan, title: str, legend: list[RuleLine]) -> Maker:
    """The function that makes a call; its rules are added to the legend."""
    text = SourceText(f"<mapping {title}>")
    FunctionWriter(plan, text, legend).write()
    return text.function("make")
