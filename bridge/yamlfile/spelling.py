"""The nearest right word, and the words that a model knows at some place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from bridge.yamlfile.tree import Way


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, if any is like it."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def listed(known: Iterable[str]) -> str:
    """Words as people read them."""
    return ", ".join(known)


def known_at(kind: Any, way: Way) -> tuple[str, ...]:
    """The keys that a type takes at the end of a way; none where it takes any, or no table."""
    kinds = [kind]
    for part in way:
        kinds = [inner for each in kinds for inner in _within(each, part)]
    return tuple(name for each in kinds for model in _models(each) for name in model.model_fields)


def _within(kind: Any, part: str | int) -> Iterator[Any]:
    """The types of what stands under a key or an index."""
    for choice in _choices(kind):
        origin, inner = get_origin(choice), get_args(choice)
        if _is_model(choice) and part in choice.model_fields:
            yield choice.model_fields[part].annotation
        elif isinstance(origin, type) and inner:
            yield inner[-1] if issubclass(origin, Mapping) else inner[0]


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    return (choice for choice in _choices(kind) if _is_model(choice))


def _choices(kind: Any) -> Iterator[Any]:
    """A type, or those of a choice between several."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _choices(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for each in get_args(kind):
            yield from _choices(each)
    else:
        yield kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
