"""The page to push orders from, with what became of those that were."""

from __future__ import annotations

import secrets
from contextlib import suppress
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bridge.errors import DoorError
from bridge.sandbox.frame import Filled, PageFrame
from bridge.sandbox.orderform import VISIT, OrderForm, empty_form, read_form
from bridge.sandbox.outbox import Progress, Push
from bridge.sandbox.records import Query
from bridge.zauto.contract import ORDERS

#: orders listed
MANY = 50
#: ids that an input of the form proposes
PROPOSED = 100


class OrderPage:
    """`/orders`."""

    def __init__(self, frame: PageFrame) -> None:
        self._frame = frame
        self._parts = frame.parts

    def routes(self) -> list[Route]:
        """The page, and its form."""
        return [
            Route("/orders", self.orders, methods=["GET"]),
            Route("/orders", self._frame.form(self.push), methods=["POST"]),
        ]

    async def orders(self, request: Request) -> Response:
        """An empty form; after a push, with what became of it."""
        query = request.query_params
        kind = query.get("kind", next(iter(ORDERS)))
        if kind not in ORDERS:
            return self._no_such_order(404)
        told = [_told(one) for one in self._pushes() if str(one.id) == query.get("pushed")]
        return self._page(empty_form(kind, secrets.token_hex(8)), "".join(told))

    async def push(self, filled: Filled) -> Response:
        """Push the order, or show the form again: with its errors, or with one more line."""
        if filled.get("kind") not in ORDERS:
            return self._no_such_order(400)
        more = filled.get("do") == "more"
        form = read_form(filled, secrets.token_hex(8), more=more)
        if more:
            return self._page(form)
        if form.errors or self._parts.options.partner is None:
            return self._page(form, status=400)
        with suppress(DoorError):  # it is kept, and the list says why it did not arrive
            order = orjson.dumps(form.payload())
            await self._parts.outbox.push(form.kind, order, form.idempotency_key)
        return self._pushed(form)

    def _pushed(self, form: OrderForm) -> Response:
        """Away from the form, so that a reload pushes nothing."""
        key = form.idempotency_key
        pushed = next(one.id for one in self._pushes() if one.idempotency_key == key)
        asked = urlencode({"kind": form.kind, "pushed": pushed})
        return RedirectResponse(f"/orders?{asked}", 303)

    def _page(self, form: OrderForm, told: str = "", *, status: int = 200) -> Response:
        partner = self._parts.options.partner
        return self._frame.page(
            "orders",
            "/orders",
            status=status,
            told=told,
            partner=partner.url if partner else "",
            kinds=list(ORDERS),
            form=form,
            known=self._known([VISIT, *form.order.fields]),
            found=self._pushes(),
        )

    def _no_such_order(self, status: int) -> Response:
        kinds = " or ".join(ORDERS)
        return self._frame.refused(status, "There is no such order", f"It is one of {kinds}.")

    def _known(self, fields: list[str]) -> dict[str, list[str]]:
        """Field to the external ids there are, of fields like `externalMedicineId`."""
        titles = {
            one.resource.title.split()[-1].capitalize(): name
            for name, one in self._parts.collections.items()
        }
        named = {field: field.removeprefix("external").removesuffix("Id") for field in fields}
        return {field: self._ids(titles[word]) for field, word in named.items() if word in titles}

    def _ids(self, name: str) -> list[str]:
        newest = Query(name, descending=True)
        found = self._parts.state.records.select(newest, limit=PROPOSED, offset=0)
        return [record.external_id for record in found]

    def _pushes(self) -> list[Push]:
        return self._parts.outbox.newest(MANY)


def _told(push: Push) -> str:
    """What became of an order, as a sentence."""
    why = f"the partner answered {push.status}" if push.status else push.detail
    match push.progress:
        case Progress.DELIVERED:
            return f"Order {push.id} was delivered: {why}."
        case Progress.WAITING:
            return f"Order {push.id} has not arrived: {why}. It is tried again."
    return f"Order {push.id} was {push.progress}: {why}."
