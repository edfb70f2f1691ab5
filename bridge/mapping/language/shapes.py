"""What may stand under a word: one, several, a list, a table of names; and what editors see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from bridge.yamlfile import (
    Entry,
    Items,
    Node,
    Table,
    Word,
)

T = TypeVar("T")


def _text(node: Node) -> str:
    if isinstance(node, Word):
        return node.text
    kind = "a list" if isinstance(node, Items) else "a table"
    raise PydanticCustomError("no_word", f"takes one word, not {kind}.")


def _truth(node: Node) -> bool:
    text = _text(node)
    if text in ("true", "false"):
        return text == "true"
    raise PydanticCustomError("no_truth", "'{word}' is neither true nor false.", {"word": text})


@dataclass(frozen=True, slots=True, eq=False)
class AsItStands:
    """A node that is taken with its place, and what an editor sees in it."""

    shown: JsonSchemaValue

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(kind)

    def __get_pydantic_json_schema__(
        self, made: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.shown


def name_of(kind: str) -> AsItStands:
    """A name out of those of a kind, which `schema` knows."""
    return AsItStands({"names": kind})


@dataclass(frozen=True, slots=True)
class _OneOrMany:
    """One, or a list of them; of words at least one."""

    of_words: bool = False
    least: int = 1

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._made, handler(kind))

    def _made(self, node: Node, make: core_schema.ValidatorFunctionWrapHandler) -> tuple[Any, ...]:
        items = node.items if isinstance(node, Items) else (node,)
        if self.of_words and (not items or isinstance(node, Table)):
            raise PydanticCustomError("no_words", "takes a word or a list of words.")
        return tuple(each for each in make(items) if each is not None)

    def __get_pydantic_json_schema__(
        self, made: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        items = handler(made) | {"minItems": self.least}
        return {"anyOf": [items["items"], items]}


class _Many:
    """A list, one item a line."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._made, handler(kind))

    def _made(self, node: Node, make: core_schema.ValidatorFunctionWrapHandler) -> tuple[Any, ...]:
        if not isinstance(node, Items):
            message = "takes a list, one item a line after '- '."
            raise PydanticCustomError("no_list", message)
        return tuple(each for each in make(node.items) if each is not None)

    def __get_pydantic_json_schema__(
        self, made: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(made) | {"minItems": 1}


@dataclass(frozen=True, slots=True)
class _Named:
    """A table of names that the file chooses, each with a value of one shape."""

    least: int = 0

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        value = get_args(get_args(kind)[0])[1]
        values = core_schema.dict_schema(core_schema.str_schema(), handler.generate_schema(value))
        return core_schema.no_info_wrap_validator_function(self._made, values)

    def _made(
        self, node: Node, make: core_schema.ValidatorFunctionWrapHandler
    ) -> tuple[tuple[Word, Any], ...]:
        entries = _entries(node)
        made = make({key: entry.value for key, entry in entries.items()})
        named = ((Word(key, entries[key].key_place), value) for key, value in made.items())
        return tuple((name, value) for name, value in named if value is not None)

    def __get_pydantic_json_schema__(
        self, made: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(made) | ({"minProperties": self.least} if self.least else {})


def _entries(node: Node) -> dict[str, Entry]:
    if isinstance(node, Table):
        return node.entries
    raise PydanticCustomError("no_table", "takes a table of key: value.")


#: a word; an editor sees a text, or whatever YAML takes it for
Text: TypeAlias = Annotated[Word, AsItStands({"type": "string"})]
Scalar: TypeAlias = Annotated[Word, AsItStands({"type": ["string", "number", "boolean"]})]
#: a word of a closed list, whose type says which
PLAIN = BeforeValidator(_text)
#: `true` or `false`, and a word that says nothing but `true`
Truth: TypeAlias = Annotated[bool, BeforeValidator(_truth)]
Mark: TypeAlias = Annotated[bool, BeforeValidator(_truth), WithJsonSchema({"const": True})]
#: words, or a single one
WordsOf: TypeAlias = Annotated[tuple[T, ...], _OneOrMany(of_words=True)]
Words: TypeAlias = WordsOf[Text]
Scalars: TypeAlias = WordsOf[Scalar]
OneOrMany: TypeAlias = Annotated[tuple[T, ...], _OneOrMany()]
AnyNumber: TypeAlias = Annotated[tuple[T, ...], _OneOrMany(least=0)]
Many: TypeAlias = Annotated[tuple[T, ...], _Many()]
Named: TypeAlias = Annotated[tuple[tuple[Word, T], ...], _Named()]
NamedOnce: TypeAlias = Annotated[tuple[tuple[Word, T], ...], _Named(least=1)]
