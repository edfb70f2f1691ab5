"""How the words of a file are declared: each once, as a field of a model, and read with it.

A model is a table; its fields are the words that may stand there, each with what it says and the
shape of what stands under it. Words keep their places. What does not fit is told, and the model is
made of the rest, so that one run finds every fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails, PydanticCustomError

from bridge.errors import Fault
from bridge.yamlfile import (
    Items,
    Node,
    Place,
    Table,
    Way,
    Word,
    indexed,
    listed,
    nearest,
    place_of,
)

M = TypeVar("M", bound="Declared")


def word(says: str, default: Any = None, *, one_of: bool = False, needs: str = "") -> Any:
    """Declare a word. A table states exactly one of its words that are `one_of`, and one that
    needs another only beside that."""
    extra: JsonDict = {"one_of": one_of} if one_of else {"needs": needs} if needs else {}
    return Field(default, description=says, json_schema_extra=extra)


def _for_editors(schema: dict[str, Any], model: type[Declared]) -> None:
    """What is asked of a table as a whole, in JSON Schema."""
    schema["additionalProperties"] = False
    for told in schema["properties"].values():
        told.pop("one_of", None)
        told.pop("needs", None)
    if model.one_of:
        schema["oneOf"] = [{"required": [name]} for name in model.one_of]
    if model.beside:
        schema["dependentRequired"] = {name: [other] for name, other in model.beside.items()}


class Declared(BaseModel):
    """A table whose words are the fields of the model."""

    model_config = ConfigDict(
        frozen=True,
        arbitrary_types_allowed=True,
        alias_generator=lambda name: name.rstrip("_"),
        json_schema_extra=_for_editors,
    )

    #: the words there are, and what each says
    vocabulary: ClassVar[dict[str, str]] = {}
    #: those of which a table states exactly one
    one_of: ClassVar[tuple[str, ...]] = ()
    #: what others stand beside
    beside: ClassVar[dict[str, str]] = {}
    #: what is said of something that is no table
    no_table: ClassVar[str] = "takes a table of key: value."
    #: a table that does not state exactly one of `one_of` says nothing
    void_without_one: ClassVar[bool] = True

    # no private attribute of pydantic's, which takes as long as all the rest of a model
    __slots__ = ("_table",)
    if TYPE_CHECKING:
        _table: Table

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        extras: dict[str, Any] = {
            str(each.alias): each.json_schema_extra or {} for each in cls.model_fields.values()
        }
        cls.vocabulary = {
            str(each.alias): str(each.description) for each in cls.model_fields.values()
        }
        cls.one_of = tuple(name for name, extra in extras.items() if "one_of" in extra)
        cls.beside = {name: extra["needs"] for name, extra in extras.items() if "needs" in extra}

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self._table.place

    @property
    def key(self) -> str:
        """Its dotted key, `fields.gender`."""
        return indexed(self._table.way)

    @property
    def chosen(self) -> str:
        """Which of `one_of` it states."""
        return next(name for name in self.one_of if name in self.model_fields_set)

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """What is wrong with words beside each other."""
        yield from ()

    @classmethod
    def table_of(cls, node: Node) -> Table:
        """The table that a node stands for."""
        if isinstance(node, Table):
            return node
        raise PydanticCustomError("no_table", cls.no_table)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, node: Any, make: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Any:
        """The model of a node; None where what is left of it says nothing."""
        table, faults = cls.table_of(node), info.context
        assert isinstance(faults, dict)
        entries = table.entries
        if not entries.keys() <= cls.vocabulary.keys() or not cls.beside.keys().isdisjoint(entries):
            faults.update(dict.fromkeys(_misplaced(table, cls)))
        faults.update(dict.fromkeys(cls.check(table)))
        usable = _usable(table, make, faults)
        if usable is not None:
            object.__setattr__(usable, "_table", table)
        stated = [name for name in cls.one_of if name in entries]
        if cls.one_of and len(stated) != 1:
            told = f"say exactly one of {listed(cls.one_of)}."
            faults[table.place.fault(indexed(table.way), told)] = None
        if cls.one_of and cls.void_without_one and usable is not None:
            fits = usable.model_fields_set.intersection(cls.one_of)
            return usable if len(stated) == len(fits) == 1 else None
        return usable


def read(model: type[M], table: Table, faults: list[Fault]) -> M | None:
    """What a table says; None where it says nothing usable."""
    found: dict[Fault, None] = {}
    made: M | None = model.model_validate(table, context=found)
    faults += found
    return made


def _usable(
    table: Table, make: ModelWrapValidatorHandler[M], faults: dict[Fault, None]
) -> M | None:
    """The model of what fits in a table."""
    told = False
    while True:
        try:
            return make({key: entry.value for key, entry in table.entries.items()})
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if not told:
            faults.update(dict.fromkeys(_fault(each, table) for each in errors))
            told = True
        wrong = dict.fromkeys(filter(None, (_held(table, each["loc"]) for each in errors)))
        if not wrong:
            return None
        for way in reversed(wrong):
            table = _without(table, way)


def _held(table: Table, loc: Sequence[str | int]) -> Way:
    """The way to what an error is about; pydantic puts into it what stands in no file."""
    way: list[str | int] = []
    node: Node = table
    for part in loc:
        if isinstance(node, Table) and part in node.entries:
            node = node.entries[str(part)].value
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            continue
        way.append(part)
    return tuple(way)


def _without(node: Any, way: Way) -> Any:
    """The same without what stands at a way."""
    first, *rest = way
    if isinstance(node, Table):
        entries = dict(node.entries)
        entry = entries.pop(str(first))
        if rest:
            entries[entry.key] = replace(entry, value=_without(entry.value, tuple(rest)))
        return replace(node, entries=entries)
    items, at = list(node.items), int(first)
    item = items.pop(at)
    if rest:
        items.insert(at, _without(item, tuple(rest)))
    return replace(node, items=tuple(items))


def _fault(error: ErrorDetails, table: Table) -> Fault:
    way, value, facts = _held(table, error["loc"]), error["input"], error.get("ctx", {})
    message, near = error["msg"], facts.get("near")
    if error["type"] == "missing":
        way = (error["loc"][-1],)
        message = f"'{way[0]}' is missing."
    elif error["type"] == "is_instance_of":
        kind = {Items: "a list", Table: "a table"}.get(type(value), "a word")
        wanted = "one word" if facts["class"] == "Word" else "a table of key: value"
        message = f"takes {wanted}, not {kind}."
    elif error["type"] in ("enum", "literal_error"):
        known = facts["expected"].split("'")[1::2]
        there_are = f"; there are {listed(known)}" if len(known) > 1 else ""
        message, near = f"'{value}' is not known{there_are}.", nearest(value, known)
    of_key = error["type"] in ("is_instance_of", "no_list", "no_table", "no_words")
    return place_of(table, way, of_key=of_key).fault(indexed((*table.way, *way)), message, near)


def _misplaced(table: Table, model: type[Declared]) -> Iterator[Fault]:
    for name in table.entries:
        if name not in model.vocabulary:
            there_are = listed(model.vocabulary)
            told = f"'{name}' is not a word of the language here; there are {there_are}."
            yield told_at(table, name, told, nearest(name, model.vocabulary))
        elif (other := model.beside.get(name, name)) not in table.entries:
            yield told_at(table, name, f"'{name}' needs '{other}'.")


def told_at(table: Table, name: str, told: str, near: str | None = None) -> Fault:
    """A fault told of a word that a table states, or lacks."""
    place = table.entries[name].key_place if name in table.entries else table.place
    return place.fault(indexed((*table.way, name) if name else table.way), told, near)


def says(table: Table, name: str, text: str) -> bool:
    """Whether this is the word under a key."""
    entry = table.entries.get(name)
    return entry is not None and isinstance(entry.value, Word) and entry.value.text == text
