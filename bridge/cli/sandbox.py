"""`bridge sandbox`: a stand-in for ZautoAI's API, and what can be asked of a running one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import urllib.error
import urllib.request
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.tables import say
from bridge.errors import DoorError
from bridge.visible import visible_json

if TYPE_CHECKING:
    from bridge.sandbox.accounts import ClientCredentials
    from bridge.sandbox.faults import Plan
    from bridge.sandbox.push import Partner
    from bridge.sandbox.serve import Sandbox

#: the secret orders are pushed with: the same variable that the bridge takes it from
PUSH_SECRET = "BRIDGE_ORDERS__API_KEY"
#: seconds a running sandbox has to answer; a push waits for the partner
_ANSWER_SECONDS = 15.0
_HTTP_URL = re.compile(r"https?://[^/\s]+")

sandbox_app = typer.Typer(
    name="sandbox", invoke_without_command=True, rich_markup_mode=None, add_completion=False
)

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
StateFile = Annotated[
    Path | None,
    typer.Option("--state", help="File that keeps its records; without it they are lost."),
]
Client = Annotated[
    str | None,
    typer.Option("--client", metavar="ID:SECRET", help="Let this client in (tests only)."),
]
NewClient = Annotated[
    str | None,
    typer.Option(
        "--new-client",
        metavar="NAME",
        help="Make a client, print its id and, once, its secret, and end. It is made in the "
        "--state file, or without one by the sandbox that runs at --host and --port.",
    ),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="The --new-client may not write: 403.")]
NoLimits = Annotated[
    bool, typer.Option("--no-limits", help="No call limits, and no headers about them.")
]
PushTo = Annotated[
    str | None,
    typer.Option(
        "--push-to",
        metavar="URL",
        help=f"The bridge that orders are pushed to, with the secret in {PUSH_SECRET}.",
    ),
]
PushAuth = Annotated[
    str,
    typer.Option(
        "--push-auth",
        metavar="SCHEME",
        help="How a push proves itself: key (X-API-Key), bearer, basic (the secret is "
        "USER:PASSWORD) or hmac (X-Signature).",
    ),
]
ResetAt = Annotated[
    str | None,
    typer.Option(
        "--reset-at", metavar="HH:MM", help="Back to the test records each day at this time, UTC."
    ),
]
Faults = Annotated[
    bool,
    typer.Option(
        "--faults", help="Play faults by /sandbox/faults or a request's X-Sandbox-Fault (tests)."
    ),
]
FaultPlan = Annotated[
    Path | None,
    typer.Option("--fault-plan", metavar="FILE", help="Play the faults of this YAML file (tests)."),
]
Folder = Annotated[
    Path | None, typer.Option("--mappings", help="Folder of mappings with zauto/ in it.")
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="The running sandbox, http://HOST:PORT; without it the one that 'bridge "
        "sandbox --port PORT …' names, at 8090 as a rule.",
    ),
]


@sandbox_app.callback()
def sandbox(
    context: typer.Context,
    port: Port = 8090,
    host: Host = "127.0.0.1",
    state: StateFile = None,
    client: Client = None,
    new_client: NewClient = None,
    read_only: ReadOnly = False,
    no_limits: NoLimits = False,
    push_to: PushTo = None,
    push_auth: PushAuth = "key",
    reset_at: ResetAt = None,
    faults: Faults = False,
    fault_plan: FaultPlan = None,
    mappings: Folder = None,
) -> None:
    """Run a stand-in for ZautoAI's API, for trials and tests.

    It is made from the catalogue in mappings/zauto/; its address in a browser shows what is in it,
    and /openapi.json describes it to tools. On its first start without --client a client
    is made and its secret printed, once.

    Example: bridge sandbox --port 8090 --push-to http://127.0.0.1:8080
    """
    if context.invoked_subcommand is not None:
        return
    if new_client is not None:
        _tell_client(_made(new_client, read_only, state, f"http://{host}:{port}"))
        return
    from bridge.sandbox.limits import RequestLimits
    from bridge.sandbox.parts import Options
    from bridge.sandbox.serve import Placement, serve
    from bridge.shipped import mappings_folder
    from bridge.zauto.catalogue import load

    catalogue = load((mappings or mappings_folder()) / "zauto")
    limits = None if no_limits else RequestLimits()
    plan = _plan(faults, fault_plan)
    options = Options(limits, _partner(push_to, push_auth), plan, _time_of_day(reset_at))
    place = Placement(host, port, state)
    asyncio.run(serve(catalogue, place, _credentials(client), options, _announce))


@sandbox_app.command()
def reset(context: typer.Context, url: Url = None) -> None:
    """Put a running sandbox back to the test records.

    Example: bridge sandbox reset
    """
    say(_asked(f"{_address(context, url)}/sandbox/reset", b"")["message"])


@sandbox_app.command()
def push(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="prescriptions or services.")],
    order: Annotated[Path, typer.Argument(help="File with the order as JSON; - reads it here.")],
    url: Url = None,
) -> None:
    """Have a running sandbox push an order to its partner, and print his answer.

    Example: bridge sandbox push prescriptions samples/orders/prescription-one-medicine.json
    """
    try:
        body = sys.stdin.buffer.read() if str(order) == "-" else order.read_bytes()
    except OSError as error:
        raise DoorError(f"{order}: cannot be read: {error.strerror}") from error
    answer = json.dumps(_asked(f"{_address(context, url)}/sandbox/push/{kind}", body))
    say(visible_json(answer.encode()).decode())


def _address(context: typer.Context, url: str | None) -> str:
    """`bridge sandbox --port 9000 reset` means the sandbox on that port."""
    given = context.parent.params if context.parent else {}
    return url or f"http://{given['host']}:{given['port']}"


def _announce(made: Sandbox) -> None:
    say(f"ZautoAI's sandbox listens on {made.url}")
    if made.client is not None:
        _tell_client((made.client.client_id, made.client.client_secret))


def _tell_client(made: tuple[str, str]) -> None:
    say(f"client id      {made[0]}")
    say(f"client secret  {made[1]}")


def _made(name: str, read_only: bool, file: Path | None, url: str) -> tuple[str, str]:
    """Id and secret of a new client."""
    if file is None:
        body = json.dumps({"name": name, "read_only": read_only}).encode()
        told = _asked(f"{url}/sandbox/clients", body)
        return told["client_id"], told["client_secret"]
    from bridge.sandbox.accounts import Accounts
    from bridge.sandbox.database import Database

    state = Database(file)
    try:
        made = Accounts(state).make(name, read_only=read_only)
    finally:
        state.close()
    return made.client_id, made.client_secret


def _asked(url: str, body: bytes) -> dict[str, Any]:
    """What a running sandbox answers to a POST; a proxy of the environment is none for this."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body), timeout=_ANSWER_SECONDS) as answer:
            told: dict[str, Any] = json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        raise DoorError(f"{url} answered {error.code}: {error.read().decode()[:500]}") from error
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DoorError(
            f"no sandbox answers at {url}: {why}; start one with 'bridge sandbox'"
        ) from error
    return told


def _credentials(text: str | None) -> ClientCredentials | None:
    from bridge.sandbox.accounts import ClientCredentials

    if text is None:
        return None
    name, colon, secret = text.partition(":")
    if not (name and colon and secret):
        raise typer.BadParameter("must be ID:SECRET", param_hint="--client")
    return ClientCredentials(name, secret)


def _partner(url: str | None, scheme: str) -> Partner | None:
    from bridge.sandbox.push import Partner, Scheme, Signature

    if scheme not in tuple(Scheme):
        known = ", ".join(Scheme)
        raise typer.BadParameter(f"must be one of {known}", param_hint="--push-auth")
    if url is not None and not _HTTP_URL.match(url):
        raise typer.BadParameter("must be a URL, http://HOST:PORT", param_hint="--push-to")
    secret = os.environ.get(PUSH_SECRET)
    return Partner(url, Signature(secret, Scheme(scheme)) if secret else None) if url else None


def _plan(faults: bool, file: Path | None) -> Plan | None:
    from bridge.sandbox.faults import Plan, read_plan

    if not faults and file is None:
        return None
    plan = Plan()
    plan.add(read_plan(file) if file else [])
    return plan


def _time_of_day(text: str | None) -> time | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise typer.BadParameter("must be HH:MM", param_hint="--reset-at") from error
