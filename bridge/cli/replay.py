"""`bridge replay`: send files in at the door, as a hospital would."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.progress import Progress

from bridge.cli.options import AsJson, Config, settings_of
from bridge.cli.tables import console, lines, print_json, table
from bridge.errors import BridgeError
from bridge.settings import Key, Settings

if TYPE_CHECKING:  # the doors take half a second to load: only for who replays
    from bridge.senders.replay import HttpDoor, Replayed


#: what `senders.replay` says of a batch file in place of an answer
_MISCOUNTED = "wrong count"


def replay(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    mllp: Annotated[
        str | None, typer.Option("--mllp", metavar="HOST:PORT", help="The MLLP door.")
    ] = None,
    fhir: Annotated[
        str | None,
        typer.Option("--fhir", metavar="URL", help="The FHIR door, http://127.0.0.1:8080/fhir."),
    ] = None,
    orders: Annotated[
        str | None,
        typer.Option(
            "--orders", metavar="URL", help="The orders door, http://127.0.0.1:8080/orders."
        ),
    ] = None,
    new_ids: Annotated[
        bool,
        typer.Option("--new-ids", help="A fresh MSH-10 for each message: nothing is a duplicate."),
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send files in at the doors and report each answer.

    HL7 files, batches, FHIR JSON and orders are sent in the order of their paths.
    Without --mllp, --fhir and --orders, all go to the addresses of the settings; with one of them,
    only what is for it is sent. Keys for the HTTP doors come from the settings
    (BRIDGE_FHIR__API_KEY, BRIDGE_ORDERS__API_KEY). Of a batch, all messages are sent; where its
    trailers count others, that is told. Exits 1 then, and when something had no answer.

    Example: bridge replay samples --mllp 127.0.0.1:2575 --fhir http://127.0.0.1:8080/fhir
    """
    settings = settings_of(config)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise BridgeError(f"no such file or folder: {', '.join(missing)}")
    if mllp is None and fhir is None and orders is None:
        mllp = f"{settings.mllp.host}:{settings.mllp.port}"
        web = f"http://{settings.http.host}:{settings.http.port}"
        fhir, orders = f"{web}/fhir", f"{web}/orders"
    answers = asyncio.run(_replayed(paths, mllp, fhir, orders, new_ids, settings, not as_json))
    _print(answers, as_json)
    if any(answer.answer in ("no answer", _MISCOUNTED) for answer in answers):
        raise typer.Exit(1)


async def _replayed(
    paths: list[Path],
    mllp: str | None,
    fhir: str | None,
    orders: str | None,
    new_ids: bool,
    settings: Settings,
    show: bool,
) -> list[Replayed]:
    from bridge.senders.replay import replay as send
    from bridge.service.ids import ids
    from bridge.service.reactor import start_reactor, stop_reactor

    reactor = start_reactor(asyncio.get_running_loop())
    try:
        sent = send(
            paths,
            mllp=_address(mllp) if mllp else None,
            fhir=_door("--fhir", fhir, settings.fhir),
            orders=_door("--orders", orders, settings.orders),
            new_id=ids(time.time) if new_ids else None,
            reactor=reactor,
            clock=reactor,
        )
        return await _watched(sent, paths, show and sys.stderr.isatty())
    finally:
        stop_reactor(reactor)


async def _watched(sent: AsyncIterator[Replayed], paths: list[Path], bar: bool) -> list[Replayed]:
    if not bar:
        return [answer async for answer in sent]
    from rich.console import Console

    answers = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        advance = _bar(progress, paths)
        async for answer in sent:
            answers.append(answer)
            advance()
    return answers


def _bar(progress: Progress, paths: list[Path]) -> Callable[[], None]:
    from bridge.senders.files import read, recognise, walk

    total = sum(len(recognise(file, read(file))) for file in walk(paths))
    task = progress.add_task("replaying", total=total)
    return lambda: progress.advance(task)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise typer.BadParameter("must be HOST:PORT", param_hint="--mllp")
    return host.strip("[]"), int(port)


def _door(option: str, url: str | None, key: Key) -> HttpDoor | None:
    from bridge.senders.replay import HttpDoor

    if url is None:
        return None
    if not _is_http(url):
        raise typer.BadParameter("must be a URL, http://HOST:PORT/PATH", param_hint=option)
    return HttpDoor(url, key.api_key.get_secret_value() if key.api_key else None)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number, a bracket too many
        return False


def row(answer: Replayed) -> dict[str, Any]:
    """One answer as plain values."""
    return {
        "file": str(answer.path),
        "index": answer.index,
        "kind": str(answer.kind),
        "message_type": answer.message_type,
        "control_id": answer.control_id,
        "answer": answer.answer,
        "duplicate": answer.duplicate,
        "text": answer.text,
        "seconds": round(answer.seconds, 6),
    }


def _print(answers: list[Replayed], as_json: bool) -> None:
    if as_json:
        print_json([row(answer) for answer in answers])
        return
    out = console()
    columns = ("file", "type", "answer", "", "text")
    rows = [
        (
            f"{each.path} [{each.index}]" if each.index else each.path,
            each.message_type,
            each.answer,
            "duplicate" if each.duplicate else "",
            each.text,
        )
        for each in answers
    ]
    out.print(table("", columns, rows))
    counted = Counter("duplicate" if each.duplicate else each.answer for each in answers)
    told = ", ".join(f"{count} {answer}" for answer, count in counted.most_common())
    sent = sum(each.answer not in ("not sent", _MISCOUNTED) for each in answers)
    lines(out, f"{sent} sent: {told}")
