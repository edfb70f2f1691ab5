"""The sandbox in a browser: its records, the last requests, limits used, and orders to push.

Made on the server, without scripts. No page is in the journal: that is the API's.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bridge.sandbox.answers import ApiError
from bridge.sandbox.frame import Filled, PageFrame
from bridge.sandbox.journal import Effect, JournalEntry
from bridge.sandbox.orderpage import OrderPage
from bridge.sandbox.parts import SandboxParts
from bridge.sandbox.records import Query
from bridge.sandbox.render import style_sheet
from bridge.zauto.catalogue import Resource

#: entries on the overview, and on a page of their own
FEW, MANY = 10, 50
#: records on a page
PAGE_SIZE = 25


def pages(parts: SandboxParts, form_token: str) -> list[Route]:
    """Every page of the sandbox; `form_token` is what their forms are known by."""
    frame = PageFrame(parts, form_token)
    return [*Pages(frame).routes(), *OrderPage(frame).routes()]


class Pages:
    """Overview, records and requests."""

    def __init__(self, frame: PageFrame) -> None:
        self._frame = frame
        self._parts = frame.parts

    def routes(self) -> list[Route]:
        """The pages, their style sheet and the form to reset with."""
        return [
            Route("/", self.overview, methods=["GET"]),
            Route("/records", self.records, methods=["GET"]),
            Route("/requests", self.requests, methods=["GET"]),
            Route("/reset", self._frame.form(self.reset), methods=["POST"]),
            Route("/sandbox/page.css", self.style, methods=["GET"]),
        ]

    async def overview(self, request: Request) -> Response:
        """Everything at a glance."""
        now, limiter = self._frame.now(), self._parts.limiter
        counts = self._counts()
        return self._frame.page(
            "overview",
            "/",
            base_url=str(request.base_url).rstrip("/"),
            was_reset="reset" in request.query_params,
            counts=counts,
            total=sum(count for _, count in counts),
            limits=None if limiter is None else limiter.counted(now),
            entries=self._parts.state.journal.last(FEW),
            found=self._parts.outbox.newest(FEW),
        )

    async def records(self, request: Request) -> Response:
        """A page of a resource's records, or with `?id=` one of them."""
        query = request.query_params
        name = query.get("of", next(iter(self._parts.collections)))
        if name not in self._parts.collections:
            advice = f"There are {', '.join(self._parts.collections)}."
            return self._frame.refused(404, "There is no such resource", advice)
        self._frame.now()
        try:
            return self._record(name, query["id"]) if "id" in query else self._list(name, query)
        except ApiError as refusal:
            advice = "; ".join(f"{error.field} {error.message}" for error in refusal.errors)
            return self._frame.refused(refusal.status, refusal.message, advice)

    async def requests(self, request: Request) -> Response:
        """The API's requests, newest first; with `?before=` those before a sequence number."""
        self._frame.now()
        before = _number(request.query_params.get("before", ""))
        entries = self._parts.state.journal.last(MANY, before=before)
        oldest = entries[-1][0] if entries else 0
        return self._frame.page(
            "requests",
            "/requests",
            entries=entries,
            newer=before,
            older=oldest if oldest > 1 else 0,
        )

    async def reset(self, _: Filled) -> Response:
        """Back to the test records."""
        now = self._frame.now()
        entry = JournalEntry(now, "", "POST", "/reset", 303, "", "", Effect.RESET)
        self._parts.resets.reset(now, entry)
        return RedirectResponse("/?reset", 303)

    async def style(self, _: Request) -> Response:
        """The style sheet."""
        return style_sheet()

    def _list(self, name: str, query: Mapping[str, str]) -> Response:
        collection, search = self._parts.collections[name], query.get("search", "").strip()
        asked = {"page": query.get("page", "1"), "limit": str(PAGE_SIZE), "search": search}
        body = collection.list(asked).body
        return self._frame.page(
            "records",
            "/records",
            resource=collection.resource,
            counts=self._counts(),
            referents=collection.resource.referents(),
            search=search,
            columns=_columns(collection.resource),
            records=body["data"],
            pagination=body["pagination"],
            address="/records?" + urlencode({"of": name, "search": search}),
        )

    def _record(self, name: str, external_id: str) -> Response:
        collection = self._parts.collections[name]
        return self._frame.page(
            "record",
            "/records",
            resource=collection.resource,
            referents=collection.resource.referents(),
            record=collection.read(external_id).body["data"],
        )

    def _counts(self) -> list[tuple[Resource, int]]:
        return [
            (one.resource, self._parts.state.records.count(Query(name)))
            for name, one in self._parts.collections.items()
        ]


def _number(text: str) -> int | None:
    """A sequence number, or None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _columns(resource: Resource) -> list[str]:
    """What a list shows of a record: what is required, and what it is ordered by."""
    required = [name for name in resource.fields if name in resource.required() - {"id"}]
    order = [resource.order.removeprefix("-")] if resource.order else []
    return list(dict.fromkeys(["externalId", *required, *order, "updatedAt"]))
