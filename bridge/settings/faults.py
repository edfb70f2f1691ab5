"""What is wrong with settings, in words for those who wrote them, and without their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bridge.settings.sections import Settings
from bridge.yamlfile import Misfit, Way, known_at, misfits, nearest

_SENTENCES: Mapping[str, str] = {
    "extra_forbidden": "is not a setting",
    "model_type": "must be a section with settings of its own",
}
#: what stands for a key that may be a secret: `{client_secret:sesame}` is one key
HIDDEN = "(key not shown)"
_NAME = re.compile("[A-Za-z_-]+")


def wrong(error: ValidationError, kind: Any, value: Any) -> list[Misfit]:
    """What is wrong in a value that was read as this section."""
    return misfits(error, kind, value, _SENTENCES)


def shown(way: Way) -> str:
    """A way from the top as it may be printed: of keys only what is, or is nearly, a setting."""
    names = []
    for number, part in enumerate(way):
        known = known_at(Settings, way[:number])
        if isinstance(part, str) and part not in known and not _meant(part, known):
            part = HIDDEN
        names.append(str(part))
    return ".".join(names)


def _meant(word: str, known: tuple[str, ...]) -> bool:
    """Whether a word is a slip of the pen for one of these."""
    near = nearest(word, known)
    return bool(near and len(word) <= len(near) + 3 and _NAME.fullmatch(word))
