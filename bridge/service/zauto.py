"""ZautoAI as the service has it: the sender, the far end, the watch, and who asks by hand."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.delivery import Target
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.delivery.call_limit import CallLimit, call_limit
from bridge.pipeline.delivery.zauto import CONTRACT_NOTE, ToZauto
from bridge.reports.status import BudgetReport, budget_report
from bridge.senders.exchange import uncounted
from bridge.senders.zauto import ZautoSender
from bridge.service.inquiry import Clocks, Inquiry, fingerprint
from bridge.settings import Settings, Zauto
from bridge.shipped import mappings_folder
from bridge.store.contract import Store, Transaction, View
from bridge.store.open import open_store, place_of
from bridge.zauto.catalogue import Catalogue, load
from bridge.zauto.watch import ContractWatch, Seen

Question = Mapping[str, Any]
#: characters of the fingerprint that are kept in the store: enough to see a change
_CLIENT = 16


def contract_watch(settings: Zauto, catalogue: Catalogue) -> ContractWatch:
    """The watch on answers, which knows the limits that ZautoAI should tell."""
    limits = settings.call_limits()
    return ContractWatch(catalogue, (limits.hour, limits.minute) if limits else ())


async def answer(inquiry: Inquiry, question: Question) -> dict[str, Any]:
    """What is asked, of a running service's ZautoAI or of one's own."""
    match question["what"]:
        case "ping":
            return await inquiry.ping()
        case "get":
            reveal = bool(question.get("reveal"))
            return await inquiry.get(question["resource"], question["id"], reveal=reveal)
        case "list":
            return await inquiry.list(
                question["resource"],
                search=question.get("search") or "",
                page=int(question.get("page") or 1),
                limit=int(question.get("limit") or 10),
                reveal=bool(question.get("reveal")),
            )
    raise BridgeError(f"nothing is known of '{question['what']}'")


def refuse_other(settings: Zauto, question: Question) -> None:
    """Raise BridgeError where who asks means another address or other credentials."""
    if question.get("fingerprint") != fingerprint(settings):
        raise BridgeError(
            "the running service has another address or other credentials of ZautoAI than this "
            "command: restart the service, or give the command the same --config and variables"
        )


@dataclass(eq=False)
class ZautoEnd:
    """ZautoAI of a running service."""

    settings: Settings
    catalogue: Catalogue
    store: Store
    clock: Callable[[], float]
    jitter: Callable[[], float]
    settled: Callable[[Target, Status], None]

    def __post_init__(self) -> None:
        """Raises SettingsError where address or credentials are not set."""
        zauto, clock = self.settings.zauto, self.clock
        self._calls = calls = call_limit(zauto)
        self._watch = watch = contract_watch(zauto, self.catalogue)
        self._sender = ZautoSender(
            zauto,
            self.catalogue,
            monotonic=time.monotonic,
            clock=clock,
            spent=lambda headers: calls.spent(clock(), headers),
            leaving=self._count_leaving,
            watch=lambda resource, answer: watch.show(resource, answer, clock()),
        )
        self.far_end = ToZauto(
            self._sender.send,
            self.catalogue,
            calls,
            same_authorities=self.settings.site.same_authorities,
            quiet_seconds=zauto.quiet_seconds,
            jitter=self.jitter,
            settled=self.settled,
            not_offered=zauto.not_offered,
            watch=watch,
            client=fingerprint(zauto)[:_CLIENT],
        )
        clocks = Clocks(clock, time.monotonic)
        self._inquiry = Inquiry(zauto, self._sender, calls, self.catalogue, clocks)

    def take_up(self, view: View) -> None:
        """Take up what was counted before the last stop."""
        odd = view.note(CONTRACT_NOTE)
        if odd is not None:
            self._watch.restore(odd)
        self.far_end.take_up(view, self.clock())

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()

    async def ask(self, question: Question) -> dict[str, Any]:
        """Answer a person; what that cost is kept. A ping that is answered closes the breakers."""
        refuse_other(self.settings.zauto, question)
        try:
            told = await answer(self._inquiry, question)
        finally:
            await self.store.run(lambda tx: self.far_end.note(tx, self.clock()))
        if question["what"] == "ping":
            await self.store.run(self._open)
        return told

    async def _count_leaving(self) -> None:
        """Count a request before it leaves, where the claim of its delivery did not."""
        if not self._calls.use_reserved():
            await self.store.run(lambda tx: self._calls.ledger.count(tx, self.clock()))

    def _open(self, tx: Transaction) -> None:
        """Calls are answered: no breaker need stay open."""
        self.far_end.breakers.close(limited=True)
        self.far_end.breakers.keep(tx)

    def notices(self) -> list[Notice]:
        """What ZautoAI does not offer, for people."""
        return [
            Notice(NoticeKind.NOT_OFFERED, name=missing)
            for missing in self.far_end.endpoints.found_missing(self.clock())
        ]

    def contract(self) -> list[Seen]:
        """What was odd in answers."""
        return self._watch.seen()

    def budget(self, waiting: int, *, moving: bool) -> BudgetReport:
        """The budget for people, with `waiting` calls to go; none is foreseen unless `moving`."""
        now = self.clock()
        drained_in = self.far_end.drained_in(now, waiting) if moving else None
        state = self._calls.state(now)
        return budget_report(state, waiting=waiting, drained_in=drained_in)

    def gauge(self) -> tuple[int, int | None]:
        """Calls used in the last hour, and how many are allowed."""
        state = self._calls.state(self.clock())
        return state.used, state.limit


async def ask_alone(settings: Settings, question: Question) -> dict[str, Any]:
    """Answer a question where no service runs, with the count of calls that its store keeps.

    Where there is no store yet nothing was counted, and none is made for it.
    """
    calls = call_limit(settings.zauto)
    if not place_of(settings.store.url).exists():
        return await _ask(settings, question, calls, uncounted)
    store = open_store(settings.store.url, free_bytes=0, clock=time.time)

    async def count_leaving() -> None:
        await store.run(lambda tx: calls.ledger.count(tx, time.time()))

    try:
        store.read(lambda view: calls.take_up(view, time.time()))
        return await _ask(settings, question, calls, count_leaving)
    finally:
        await store.run(calls.reconcile)
        await store.close()


async def _ask(
    settings: Settings,
    question: Question,
    calls: CallLimit,
    leaving: Callable[[], Awaitable[None]],
) -> dict[str, Any]:
    catalogue = load((settings.mappings.folder or mappings_folder()) / "zauto")
    sender = ZautoSender(
        settings.zauto,
        catalogue,
        monotonic=time.monotonic,
        clock=time.time,
        spent=lambda headers: calls.spent(time.time(), headers),
        leaving=leaving,
    )
    clocks = Clocks(time.time, time.monotonic)
    try:
        return await answer(Inquiry(settings.zauto, sender, calls, catalogue, clocks), question)
    finally:
        await sender.close()
