"""`bridge check`: are the settings and mappings right, before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import Config, settings_of
from bridge.cli.tables import say
from bridge.delivery import Interaction
from bridge.errors import MappingError
from bridge.settings import Settings

if TYPE_CHECKING:
    from bridge.service.parts import CheckedParts


def check(
    config: Config = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print a JSON Schema of mapping files, for editors.")
    ] = False,
) -> None:
    """Check settings and mappings before anything starts.

    Every fault is told with its place, and the exit is 1; a test beside a mapping that fails is
    one. What is allowed but keeps a door shut or
    an end unconnected is told as a remark.

    Example: bridge check --config conf/bridge.yaml
    """
    settings = settings_of(config)
    if schema:
        _print_schema(settings)
        return
    from bridge.mapping.language.sites import site_names
    from bridge.service.parts import read_parts
    from bridge.store.open import place_of

    place_of(settings.store.url)

    idle = [name for name in site_names(settings.mappings.sites) if name not in settings.sites()]
    parts = read_parts(settings, idle)
    unused = [f"{settings.mappings.sites / name} is the site of no channel" for name in idle]
    for remark in remarks(settings) + unused + unfilled(parts):
        say(f"remark: {remark}")
    tested = tests_hold(parts, settings)
    counted = f"{len(parts.mappings.all)} mappings, {len(parts.catalogue.resources)} resources"
    say(f"settings and mappings are right ({counted}, {tested} tests)")


def tests_hold(parts: CheckedParts, settings: Settings) -> int:
    """How many tests stand beside the mappings; raises MappingError where one fails."""
    from bridge.study.benches import benches, run_all

    trials = run_all(benches(parts, settings))
    faults = [fault for trial in trials for fault in trial.faults]
    if faults:
        raise MappingError(faults)
    return len(trials)


def _print_schema(settings: Settings) -> None:
    from bridge.cli.tables import print_json
    from bridge.mapping.language.schema import schema_of
    from bridge.service.parts import read_parts

    parts = read_parts(settings)
    print_json(schema_of(parts.catalogue, parts.mappings.folders))


#: what makes a record that is not there yet
_MAKES = (Interaction.UPSERT, Interaction.CREATE)


def unfilled(parts: CheckedParts) -> list[str]:
    """Fields that ZautoAI requires and a mapping never fills: its records can not be made."""
    return [
        f"{f'site {site}, ' if site else ''}{mapping.name}: no rule fills {call.resource}.{name}, "
        "which ZautoAI requires"
        for site, mappings in parts.sets.by_site.items()
        for mapping in mappings.all
        for call in mapping.calls
        if call.interaction in _MAKES
        for name in sorted(
            parts.catalogue[call.resource].required() - {"id"} - {each.name for each in call.fields}
        )
    ]


def remarks(settings: Settings) -> list[str]:
    """What an operator should know of settings that are right but leave something out."""
    told = []
    for section, door in (("fhir", "/fhir"), ("orders", "/orders")):
        if getattr(settings, section).api_key is None:
            name = f"BRIDGE_{section.upper()}__API_KEY"
            told.append(f"{section}.api_key is not set: {door} answers 401 to all; set {name}")
    zauto = settings.zauto
    for key in ("base_url", "client_id", "client_secret"):
        if getattr(zauto, key) is None:
            name = f"BRIDGE_ZAUTO__{key.upper()}"
            told.append(f"zauto.{key} is not set: messages are kept, none delivered; set {name}")
    if settings.hospital.port is None:
        told.append("hospital.port is not set: orders are kept, none sent")
    for section in ("mllp", "http"):
        host = getattr(settings, section).host
        if host not in ("127.0.0.1", "::1", "localhost"):
            told.append(f"{section}.host is {host}: open to the network without encryption")
    return told
