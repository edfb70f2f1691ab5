"""What all pages have in common: head and foot, refusals, and forms that only they can send."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from bridge.sandbox.parts import SandboxParts
from bridge.sandbox.render import render
from bridge.zauto.contract import API_VERSION

#: bytes of a form
FORM_LIMIT = 256 * 1024

#: what a form was filled with, by the names of its inputs
Filled: TypeAlias = Mapping[str, str]


class PageFrame:
    """Pages over the parts of one sandbox."""

    def __init__(self, parts: SandboxParts, form_token: str) -> None:
        """`form_token` is what the pages' own forms are known by."""
        self.parts = parts
        self._form_token = form_token

    def page(self, page: str, here: str, *, status: int = 200, **shown: Any) -> Response:
        """The page of that name; `here` is its entry among the pages."""
        whole = {"here": here, "version": API_VERSION, "now": self.now()}
        return render(page, status=status, form_token=self._form_token, **whole, **shown)

    def refused(self, status: int, what: str, advice: str) -> Response:
        """A page that says why there is none, and what to do."""
        return self.page("refused", "", status=status, what=what, advice=advice)

    def form(
        self, act: Callable[[Filled], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for a form that one of the pages gave out.

        Another site can send a form here, too, but does not know the token.
        """

        async def endpoint(request: Request) -> Response:
            filled = await _filled(request)
            token = filled.get("form_token", "").encode()
            if secrets.compare_digest(token, self._form_token.encode()):
                return await act(filled)
            advice = "It is from before the sandbox was started, or from elsewhere: reload it."
            return self.refused(403, "The form was not taken", advice)

        return endpoint

    def now(self) -> float:
        """The clock; a nightly reset that is due has been made."""
        now = self.parts.options.clock()
        self.parts.resets.keep_up(now)
        return now


async def _filled(request: Request) -> Filled:
    """What a form was filled with; empty where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
