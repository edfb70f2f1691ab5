"""`bridge mapping show`: a mapping as it is in effect, and who wrote which line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size

from bridge.cli.mapping.trial import with_site
from bridge.cli.options import AsJson, Config, settings_of
from bridge.cli.tables import print_json, say, width
from bridge.errors import BridgeError, Fault, MappingError
from bridge.yamlfile import nearest

if TYPE_CHECKING:
    from bridge.mapping.language.sites import Sources
    from bridge.settings import Settings
    from bridge.yamlfile import Place, Table


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="A mapping, part or code table: hl7v2/adt_registration, patient_from_pid, gender. "
            "Without it all are listed.",
            show_default=False,
        ),
    ] = "",
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            metavar="SITE",
            help="The site whose mappings are shown; without it that of the first channel.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a mapping, part or code table as it is in effect for a site.

    It is printed as YAML, and behind each line stands the file and line it comes from: the shipped
    one, or the site's. Behind a long line it stands below.

    Example: bridge mapping show gender --site lakeside
    """
    sources = _sources(with_site(settings_of(config), site))
    faults: list[Fault] = []
    tables = _tables(sources, faults)
    if not name:
        _list(tables, as_json)
        return
    full = _full(name, list(tables))
    table, own = tables[full], [fault for fault in faults if f"/{full}." in fault.file]
    if table is None or own:
        raise MappingError(own or faults)
    _print_json(full, table, sources) if as_json else _print(table)


def _sources(settings: Settings) -> Sources:
    from bridge.service.parts import read_sources

    faults: list[Fault] = []
    first = settings.sites()[0]
    sources = read_sources(settings, [first], faults)[first]
    if faults:
        raise MappingError(faults)
    return sources


def _tables(sources: Sources, faults: list[Fault]) -> dict[str, Table | None]:
    from bridge.mapping.language.load import read_trees
    from bridge.mapping.language.memory import Memory

    return read_trees(sources.folders, faults, Memory())


def _full(name: str, known: list[str]) -> str:
    """The name with its folder; raises BridgeError where there is none such, or several."""
    found = [each for each in known if name in (each, each.partition("/")[2])]
    if len(found) == 1:
        return found[0]
    if found:
        raise BridgeError(f"'{name}' may be {' or '.join(found)}: write it so")
    near = nearest(name, [*known, *(each.partition("/")[2] for each in known)])
    hint = f" Did you mean '{near}'?" if near else ""
    raise BridgeError(f"there is no mapping, part or code table '{name}'.{hint}")


def _list(tables: dict[str, Table | None], as_json: bool) -> None:
    if as_json:
        print_json(sorted(tables))
        return
    for name in sorted(tables):
        say(name)


def _print(table: Table) -> None:
    from bridge.mapping.language.shown import lines

    origins = [(line.text, f"# {_origin(line.place)}") for line in lines(table)]
    room = width() - max(len(origin) for _, origin in origins)
    for text, origin in origins:
        if cell_len(text) < room:
            say(f"{set_cell_size(text, room)}{origin}")
        else:
            say(f"{text}\n{' ' * room}{origin}")


def _origin(place: Place) -> str:
    """As lineage tells it: enough to tell a site's folder from the shipped one."""
    return f"{'/'.join(Path(place.file).parts[-3:])}:{place.line}"


def _print_json(name: str, table: Table, sources: Sources) -> None:
    from bridge.mapping.language.shown import lines, value_of

    told: list[dict[str, Any]] = [
        {"yaml": line.text, "file": line.place.file, "line": line.place.line}
        for line in lines(table)
    ]
    site = sources.site.name
    print_json({"name": name, "site": site, "value": value_of(table), "lines": told})
