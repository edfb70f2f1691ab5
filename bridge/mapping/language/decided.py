"""Conditions on settings of `site:`, which are decided once, at load."""

from __future__ import annotations

from typing import Any, get_args

from bridge.errors import Fault
from bridge.mapping.language.rule_words import ConditionText
from bridge.settings import Site
from bridge.yamlfile import Word, nearest

#: settings that are on or off
SWITCHES = tuple(name for name, spec in Site.model_fields.items() if spec.annotation is bool)


def decide(test: ConditionText, site: Site, faults: list[Fault]) -> bool:
    """Whether `{site: …}` holds: a yes/no setting is on, or one of words is or holds one named."""
    setting = test.site
    assert setting is not None
    named = test.wanted or test.unwanted
    known = tuple(Site.model_fields) if named else SWITCHES
    if setting.text not in known:
        what = "setting" if named else "yes/no setting"
        message = f"there is no {what} of site '{setting.text}'."
        near = nearest(setting.text, known)
        faults.append(setting.place.fault("when.site", message, near))
        return False
    value = getattr(site, setting.text)
    if not named:
        return bool(value)
    _check_words(test, setting, faults)
    held = not _words(value).isdisjoint(named)
    return held if test.wanted else not held


def _check_words(test: ConditionText, setting: Word, faults: list[Fault]) -> None:
    """A setting of a closed list of words is never anything else."""
    possible = _possible(Site.model_fields[setting.text].annotation)
    for word in (*test.is_, *test.not_):
        if possible and word.text not in possible:
            message = f"site.{setting.text} is never '{word.text}'; it is {', '.join(possible)}."
            faults.append(word.place.fault("when", message, nearest(word.text, possible)))


def _possible(annotation: Any) -> tuple[str, ...]:
    """The words of a `Literal`, alone or in a list; none where any word will do."""
    inner = get_args(annotation)
    if all(isinstance(one, str) for one in inner):
        return inner
    return tuple(word for one in inner for word in _possible(one))


def _words(value: Any) -> frozenset[str]:
    if isinstance(value, bool):
        return frozenset({"true" if value else "false"})
    return frozenset(value) if isinstance(value, tuple) else frozenset({str(value)})
