"""Causes: why a message or a call is where it is, as data.

A cause is a kind out of a closed list with typed parameters. What people read of it is made of
`explanations` in one place (`Cause.sentence`), so that what it hides, counts and advises depends
on the kind and never on words.
"""

from bridge.causes.cause import OTHER_FIELD, Cause, CauseKind, cut
from bridge.causes.explanations import EXPLANATIONS, Explanation
from bridge.causes.sentence import MASK, action, domain, explain, masked_key, sentence

__all__ = [
    "EXPLANATIONS",
    "MASK",
    "OTHER_FIELD",
    "Cause",
    "CauseKind",
    "Explanation",
    "action",
    "cut",
    "domain",
    "explain",
    "masked_key",
    "sentence",
]
