"""`bridge fixture`: a real message without its people, as a test."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.confine import users_umask
from bridge.cli.mapping.trial import with_site, write_anew
from bridge.cli.options import Config, settings_of
from bridge.cli.tables import say
from bridge.errors import BridgeError
from bridge.message import shown_type

if TYPE_CHECKING:
    from bridge.message import Message
    from bridge.pipeline.planning.translate import Known
    from bridge.service.parts import CheckedParts
    from bridge.settings import Settings


KeptId = Annotated[
    int | None,
    typer.Argument(metavar="[ID]", help="A kept message, by its number.", show_default=False),
]
File = Annotated[
    Path | None,
    typer.Option("--file", help="The message in this file instead.", show_default=False),
]
Name = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="What the test is called.", show_default=False),
]
To = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="DIR",
        help="The site's folder it is written to; without it that of the message's channel.",
        show_default=False,
    ),
]


def fixture(
    message_id: KeptId = None,
    file: File = None,
    name: Name = None,
    to: To = None,
    config: Config = None,
) -> None:
    """Make a test of a real message, without its people.

    Names, numbers, dates, free text and whatever is not known to be harmless are replaced, by
    others of the same shape; the calls it becomes are frozen as what the test expects. The store is
    only read. Read what was written before you share it.

    Example: bridge fixture 42 --as "a patient with two phones" --to conf/sites/lakeside
    """
    settings = settings_of(config)
    if (message_id is None) == (file is None):
        raise BridgeError("name one message: its number, or a file with --file")
    from bridge.service.parts import read_parts
    from bridge.study.fixtures import make_fixture

    if to is not None:
        with users_umask():
            to.mkdir(parents=True, exist_ok=True)
        settings = with_site(settings, str(to))
    parts = read_parts(settings)
    message, known = _of_file(file, parts, settings) if file else _kept(message_id, settings)
    made = make_fixture(
        message,
        known,
        parts,
        settings,
        folder=to or _folder(parts, message),
        name=name or _unused(message.message_type, message_id),
        seed=lambda: secrets.randbits(128),
    )
    write_anew(made.file, made.text)
    say(f"{made.file}: '{made.trial.case.name}' is written; read it before you share it")
    if not made.same:
        say("remark: the mappings make calls of another shape of it than of the message")


def _folder(parts: CheckedParts, message: Message) -> Path:
    """The folder of the site whose mappings took the message."""
    folders = parts.sets.of(message.channel).folders
    if len(folders) < 2:
        raise BridgeError("name a site's folder with --to, such as conf/sites/<hospital>")
    return Path(folders[-1].label)


def _unused(message_type: str, message_id: int | None) -> str:
    """A name that says nothing of the message but its type; a file's name may be a person's."""
    named = shown_type(message_type)
    return f"{named}, message {message_id}" if message_id else f"{named}, from a file"


def _kept(message_id: int | None, settings: Settings) -> tuple[Message, Known]:
    from bridge.store.open import open_view, place_of
    from bridge.study.lessons import Lessons

    assert message_id is not None
    if not place_of(settings.store.url).exists():
        raise BridgeError(f"there is no store at {place_of(settings.store.url)}")
    view = open_view(settings.store.url)
    kept = view.message(message_id)
    if kept is None:
        raise BridgeError(f"there is no message {message_id}; 'bridge messages' lists them")
    return kept.message, Lessons(view)


def _of_file(file: Path, parts: CheckedParts, settings: Settings) -> tuple[Message, Known]:
    from bridge.message import Message
    from bridge.pipeline.planning.translate import Rehearsal
    from bridge.study.traffic import from_files

    taken = [one for _, one in from_files([file], parts.sets.takes, settings, time.time)]
    found = [one for one in taken if isinstance(one, Message)]
    if len(taken) != 1:
        raise BridgeError(f"{file}: holds {len(taken)} messages; give a file of one")
    if not found:
        raise BridgeError(f"{file}: holds nothing that the bridge would take")
    return found[0], Rehearsal()
