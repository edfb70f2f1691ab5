"""The words of a rule and of its conditions, and the kinds of names that stand in them."""

# Annotations stand as they are: as texts, each would be compiled when the bridge starts.
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, TypeAlias

from bridge.errors import Fault
from bridge.mapping.language.declared import Declared, says, told_at, word
from bridge.mapping.language.shapes import (
    PLAIN,
    AnyNumber,
    Mark,
    Named,
    OneOrMany,
    Scalar,
    Scalars,
    Text,
    WordsOf,
    name_of,
)
from bridge.yamlfile import Entry, Node, Table, Word

Path: TypeAlias = Annotated[Word, name_of("path")]
Paths: TypeAlias = WordsOf[Path]
Resource: TypeAlias = Annotated[Word, name_of("resource")]
#: a resource, or an account, of which ZautoAI keeps none
Record: TypeAlias = Annotated[Word, name_of("record")]
Setting: TypeAlias = Annotated[Word, name_of("setting")]
TableName: TypeAlias = Annotated[Word, name_of("code table")]
FunctionName: TypeAlias = Annotated[Word, name_of("function")]


class _Asked(Declared):
    """What is asked of the values at a path."""

    path: Text | None = word("the path whose values are asked")
    is_: Scalars = word("one of its values is one of these", ())
    not_: Scalars = word("none of its values is one of these, or it has none", ())

    @property
    def wanted(self) -> frozenset[str]:
        """Of which one must be there."""
        return frozenset(each.text for each in self.is_)

    @property
    def unwanted(self) -> frozenset[str]:
        """Of which none may be there."""
        return frozenset(each.text for each in self.not_)


class ChoiceText(_Asked):
    """Which of several segments of one name a part reads: the first whose value `is` one of these,
    else the first whose value is `not` one of those."""

    no_table: ClassVar[str] = "write a table, such as {path: NK1-7.1, is: [C]}."

    path: Text = word("the path whose values are asked, of each segment in turn", ...)


class ConditionText(_Asked):
    """One condition of `when:`. With neither `is` nor `not`, the path has a value."""

    no_table: ClassVar[str] = "write a path, or {path: PV1-2, not: [N]}."

    path: Text | None = word(
        "the path whose values are asked; alone: it has a value. Of HL7 it may be the name of "
        "a segment: the message has one",
        one_of=True,
    )
    empty: Mark = word("`empty: true`: the path has no value", False)
    site: Setting | None = word(
        "this yes/no setting of `site:` is on; with `is` or `not`: what a setting of words is",
        one_of=True,
    )

    @classmethod
    def table_of(cls, node: Node) -> Table:
        """A path alone is one that has a value."""
        if isinstance(node, Word):
            return Table({"path": Entry("path", node.place, node)}, node.place)
        return super().table_of(node)

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """`empty` is a test of its own."""
        if says(table, "empty", "true") and not {"is", "not", "site"}.isdisjoint(table.entries):
            yield told_at(table, "", "'empty' goes with a path, and with no other test.")


Tests: TypeAlias = OneOrMany[ConditionText]


class RuleText(Declared):
    """One way a value comes about."""

    no_table: ClassVar[str] = "write a rule, such as {from: PID-5}, or a list of rules."
    void_without_one: ClassVar[bool] = False

    from_: Paths = word(
        "a path, or several of which the first that gives a value counts", (), one_of=True
    )
    constant: Scalar | None = word("always this", one_of=True)
    site: Setting | None = word("a setting of `site:`", one_of=True)
    id_of: Text | None = word(
        "the id of a call made before; for `each`, the one of the same group", one_of=True
    )
    clear: Mark = word("an explicit null: the stored value is deleted", False, one_of=True)
    as_: FunctionName | None = word(
        "the function that makes the value; without one it is copied", needs="from"
    )
    zone: Text | None = word(
        "with `as: date_time`, `earliest`, `hl7_time` or `hl7_date`: the zone of a time that "
        "names none, in place of the site's",
        needs="from",
    )
    unit: Text | None = word("with `as: quantity`: the unit wanted", needs="from")
    stated: Text | None = word(
        "with `as: quantity`: the unit meant where none is named", needs="from"
    )
    units: TableName | None = word(
        "with `as: dose_minimum`, `dose_maximum`, `dose_unit` or `dose_unread`: the code table "
        "whose rows are the units that a dose may be in"
    )
    codes: TableName | None = word(
        "the table that the value is looked up in; of several values the first with a row",
        needs="from",
    )
    default: Scalar | None = word("the value where the paths give none", needs="from")
    join: Scalar | None = word("all values of all paths, with this between them", needs="from")
    prefix: Scalar | None = word(
        "this before the value, so that it is like no value of another kind", needs="from"
    )
    on: Annotated[Literal["create"] | None, PLAIN] = word(
        "`on: create`: sent when the record is made, and never by an update"
    )
    when: Tests = word("the rule counts only if this is so", ())

    @classmethod
    def check(cls, table: Table) -> Iterator[Fault]:
        """`clear: false` says nothing."""
        if says(table, "clear", "false"):
            yield told_at(table, "clear", "write 'clear: true', or leave it out.")


#: the rules of a field; the first that finds a value counts
Rules: TypeAlias = AnyNumber[RuleText]
Fields: TypeAlias = Named[Rules]
