"""Notices: what `bridge status` says beside its tables, as data.

A notice is a kind out of a closed list with typed parameters. Whatever the service or the command
line knows of the state of the bridge is made one of these; `explanations` has for each kind the
sentence, what it means, what to do and who has to. `bridge status` prints notices and tables, and
nothing else.
"""

from bridge.notices.explanations import EXPLANATIONS, Actor, NoticeExplanation
from bridge.notices.notice import Notice, NoticeKind
from bridge.notices.sentence import action, explain, sentence

__all__ = [
    "EXPLANATIONS",
    "Actor",
    "Notice",
    "NoticeExplanation",
    "NoticeKind",
    "action",
    "explain",
    "sentence",
]
