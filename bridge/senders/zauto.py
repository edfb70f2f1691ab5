"""The sender to ZautoAI: one request, its token, its deadline, its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlencode

import orjson

from bridge.delivery import Outcome, Reason, Request
from bridge.errors import SettingsError
from bridge.senders.exchange import ConnectionPool, Headers, uncounted
from bridge.settings import Zauto
from bridge.zauto.answers import TOO_MANY, Answer, Failure, judge, judge_page, refused
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.contract import MAX_PAGE_SIZE, TOKEN_PATH
from bridge.zauto.token import NO_TOKEN, Credentials, Token, grants, judge_token, postponed

#: pages of a list in which one record is looked for
MOST_PAGES = 10

Clock = Callable[[], float]
#: an answer, why there is none, or why there was no token to ask with
Answered = Answer | Failure | Outcome


class ZautoSender:
    """Makes requests to ZautoAI; safe for many tasks of one event loop at once."""

    def __init__(
        self,
        settings: Zauto,
        catalogue: Catalogue,
        *,
        monotonic: Clock,
        clock: Clock,
        spent: Callable[[Headers], None],
        leaving: Callable[[], Awaitable[None]] = uncounted,
        watch: Callable[[str, Answer], None] = lambda _resource, _answer: None,
    ) -> None:
        """`spent` is told of every HTTP request that left, tokens included, with the headers of
        its answer (none: empty); `leaving` is awaited before its first byte leaves; `watch` is
        told of every answer with its resource, "" for the token endpoint's. Raises SettingsError
        when address or credentials are not set.
        """
        self._credentials = _credentials(settings)
        self._origin = ConnectionPool(
            settings.base_url or "",
            connect_seconds=settings.connect_seconds,
            spent=spent,
            leaving=leaving,
        )
        self._deadline = settings.deadline_seconds
        self._catalogue = catalogue
        self._monotonic = monotonic
        self._clock = clock
        self._watch = watch
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token | Outcome] | None = None

    async def send(self, request: Request) -> Outcome:
        """Make one request; never raises, and takes no longer than the deadline."""
        if request.by_list:
            return await self._look_up(request)
        body = None if request.body is None else orjson.dumps(request.body)
        answered = await self._ask(request.method, self._target(request), body, self._ends())
        if isinstance(answered, Outcome):
            return answered
        self._show(request.resource, answered)
        return judge(request, answered, now=self._clock())

    async def list(self, resource: str, query: Mapping[str, str | int]) -> Answered:
        """A page of a list, for a person."""
        path = self._catalogue[resource].path
        answered = await self._ask("GET", f"{path}?{urlencode(query)}", None, self._ends())
        if not isinstance(answered, Outcome):
            self._show(resource, answered)
        return answered

    async def renew(self) -> Token | Outcome:
        """A new token by the client's credentials, for a person who checks them."""
        self._renewal = self._renewal or asyncio.create_task(self._renew(None))
        return await asyncio.shield(self._renewal)

    async def close(self) -> None:
        """Close all connections; sends under way end with an outcome of their own."""
        if self._renewal is not None:
            self._renewal.cancel()
        await self._origin.close()

    async def _look_up(self, request: Request) -> Outcome:
        """Look for a record in the list, where it cannot be read by its id."""
        path, ends = self._catalogue[request.resource].path, self._ends()
        query = f"limit={MAX_PAGE_SIZE}&search={quote(request.external_id, safe='')}"
        for page in range(1, MOST_PAGES + 1):
            answered = await self._ask("GET", f"{path}?page={page}&{query}", None, ends)
            if isinstance(answered, Outcome):
                return answered
            self._show(request.resource, answered)
            outcome = judge_page(request, answered, now=self._clock())
            if outcome is not None:
                return outcome
        return TOO_MANY

    async def _ask(self, method: str, target: str, body: bytes | None, ends: float) -> Answered:
        """Ask with a token; one that is refused is renewed once for all, and asked again with."""
        token = await self._valid_token(ends)
        if isinstance(token, Outcome):
            return token
        answer = await self._exchange(method, target, body, token, ends)
        if not _is_unauthorized(answer):
            return answer
        self._forget(token)
        token = await self._valid_token(ends)
        if isinstance(token, Outcome):
            return token
        return await self._exchange(method, target, body, token, ends)

    async def _exchange(
        self, method: str, target: str, body: bytes | None, token: Token, ends: float
    ) -> Answer | Failure:
        authorization = b"Bearer " + token.access.encode("ascii")
        return await self._origin.exchange(method, target, body, authorization, ends)

    def _show(self, resource: str, answered: Answer | Failure) -> None:
        if isinstance(answered, Answer):
            self._watch(resource, answered)

    def _target(self, request: Request) -> str:
        path = self._catalogue[request.resource].path
        return path if request.method == "POST" else f"{path}/{segment(request.external_id)}"

    def _ends(self) -> float:
        return asyncio.get_running_loop().time() + self._deadline

    async def _valid_token(self, ends: float) -> Token | Outcome:
        token, now = self._token, self._monotonic()
        if token is not None and now < token.renew_at:
            return token
        renewal = self._renewal = self._renewal or asyncio.create_task(self._renew(token))
        if token is not None and now < token.ends_at:
            return token
        remaining = ends - asyncio.get_running_loop().time()
        await asyncio.wait({renewal}, timeout=max(remaining, 0.0))
        return renewal.result() if renewal.done() and not renewal.cancelled() else NO_TOKEN

    def _forget(self, token: Token) -> None:
        """Drop a refused token, unless another task has replaced it already."""
        if self._token is not None and self._token.access == token.access:
            self._token = None

    async def _renew(self, token: Token | None) -> Token | Outcome:
        try:
            granted = await self._ask_for_token(token)
            if isinstance(granted, Token):
                self._token = granted
            elif token is not None and self._token is token:
                self._token = postponed(token, self._monotonic())
            return granted
        finally:
            self._renewal = None

    async def _ask_for_token(self, token: Token | None) -> Token | Outcome:
        ends = self._ends()
        for grant in grants(token, self._credentials):
            asked_at, body = self._monotonic(), orjson.dumps(grant)
            answer = await self._origin.exchange("POST", TOKEN_PATH, body, b"", ends)
            self._show("", answer)
            granted = judge_token(answer, asked_at=asked_at, now=self._clock())
            if isinstance(granted, Token):
                break
        return granted


def segment(external_id: str) -> str:
    """An external id as one segment of a path.

    A dot segment would be resolved away, here or by the server (RFC 3986, 5.2.4).
    """
    return quote(external_id, safe="").replace(".", "%2E")


def _is_unauthorized(answer: Answer | Failure) -> bool:
    if isinstance(answer, Failure) or 200 <= answer.status < 400:
        return False
    return refused("GET", answer, 0.0).reason is Reason.UNAUTHORIZED


def _credentials(settings: Zauto) -> Credentials:
    if not (settings.base_url and settings.client_id and settings.client_secret):
        raise SettingsError(
            "ZautoAI cannot be called: set BRIDGE_ZAUTO__BASE_URL, BRIDGE_ZAUTO__CLIENT_ID and "
            "BRIDGE_ZAUTO__CLIENT_SECRET"
        )
    return Credentials(settings.client_id, settings.client_secret.get_secret_value())
