"""ZautoAI as the service has it: the sender, the far end, the watch, and who asks by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bridge.delivery import Target
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.closings import CLOSINGS_NOTE
from bridge.pipeline.report import budget_report
from bridge.pipeline.to_zauto import BUDGET_NOTE, CONTRACT_NOTE, ToZauto
from bridge.senders.zauto import ZautoSender
from bridge.service.inquiry import Clocks, Inquiry, fingerprint
from bridge.settings import Settings, Zauto
from bridge.shipped import mappings_folder
from bridge.store.contract import Store, Transaction
from bridge.store.notes import NotesView
from bridge.store.open import open_store, place_of
from bridge.zauto.budget import Budget, Priority
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


class ZautoEnd:
    """ZautoAI of a running service."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        settled: Callable[[Target, Status], None],
    ) -> None:
        """Raises SettingsError where address or credentials are not set."""
        self._settings = zauto = settings.zauto
        self._clock = clock
        self._budget = Budget(zauto.call_limits())
        self._watch = contract_watch(zauto, catalogue)
        self._sender = ZautoSender(
            zauto,
            catalogue,
            monotonic=time.monotonic,
            clock=clock,
            spent=lambda headers: self.far_end.spent(clock(), headers),
            watch=lambda resource, answer: self._watch.show(resource, answer, clock()),
        )
        self.far_end = ToZauto(
            self._sender.send,
            catalogue,
            self._budget,
            same_authorities=settings.site.same_authorities,
            quiet_seconds=zauto.quiet_seconds,
            limited=zauto.call_limits() is not None,
            jitter=jitter,
            settled=settled,
            not_offered=zauto.not_offered,
            watch=self._watch,
            client=fingerprint(zauto)[:_CLIENT],
        )
        clocks = Clocks(clock, time.monotonic)
        self._inquiry = Inquiry(zauto, self._sender, self.far_end, catalogue, clocks)

    def take_up(self, view: NotesView) -> None:
        """Take up what was counted before the last stop."""
        budget, odd = view.note(BUDGET_NOTE), view.note(CONTRACT_NOTE)
        if budget is not None:
            self._budget.restore(budget)
        if odd is not None:
            self._watch.restore(odd)
        self.far_end.closings.take_up(view.note(CLOSINGS_NOTE) or "")

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()

    async def ask(self, store: Store, question: Question) -> dict[str, Any]:
        """Answer a person; what that cost is kept. A ping that is answered ends what rests."""
        refuse_other(self._settings, question)
        try:
            told = await answer(self._inquiry, question)
        finally:
            await store.run(lambda tx: self.far_end.note(tx, self._clock()))
        if question["what"] == "ping":
            await store.run(self._open)
        return told

    def _open(self, tx: Transaction) -> None:
        """Calls are answered: what rests need not rest any longer."""
        self.far_end.closings.end(limited=True)
        self.far_end.closings.note_in(tx)

    def notices(self) -> list[Notice]:
        """What ZautoAI does not offer, for people."""
        return [
            Notice(NoticeKind.NOT_OFFERED, name=missing)
            for missing in self.far_end.endpoints.found_missing(self._clock())
        ]

    def contract(self) -> list[Seen]:
        """What was odd in answers."""
        return self._watch.seen()

    def budget(self, waiting: int, *, moving: bool) -> dict[str, Any]:
        """The budget for people, with `waiting` calls to go; none is foreseen unless `moving`."""
        now = self._clock()
        drained_in = self.far_end.drained_in(now, waiting) if moving else None
        state = self.far_end.budget_state(now)
        return budget_report(state, waiting=waiting, drained_in=drained_in)

    def gauge(self) -> tuple[int, int | None]:
        """Calls used in the last hour, and how many are allowed."""
        state = self.far_end.budget_state(self._clock())
        return state.used, state.limit


class _Own:
    """The budget of a process that is alone."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def take(self, now: float) -> float:
        return self._budget.take(now, Priority.CREATE)

    def give_back(self) -> None:
        self._budget.give_back()


async def ask_alone(settings: Settings, question: Question) -> dict[str, Any]:
    """Answer a question where no service runs, with the count of calls that its store keeps.

    Where there is no store yet nothing was counted, and none is made for it.
    """
    if not place_of(settings.store.url).exists():
        return await _ask(settings, question, Budget(settings.zauto.call_limits()))
    store = open_store(settings.store.url, free_bytes=0, clock=time.time)
    try:
        return await _ask_with(store, settings, question)
    finally:
        await store.close()


async def _ask_with(store: Store, settings: Settings, question: Question) -> dict[str, Any]:
    budget = Budget(settings.zauto.call_limits())
    noted = store.read(lambda view: view.note(BUDGET_NOTE))
    if noted is not None:
        budget.restore(noted)
    try:
        return await _ask(settings, question, budget)
    finally:
        await store.run(lambda tx: tx.put_note(BUDGET_NOTE, budget.dump(time.time())))


async def _ask(settings: Settings, question: Question, budget: Budget) -> dict[str, Any]:
    catalogue = load((settings.mappings.folder or mappings_folder()) / "zauto")
    sender = ZautoSender(
        settings.zauto,
        catalogue,
        monotonic=time.monotonic,
        clock=time.time,
        spent=lambda headers: budget.spent(headers, time.time()),
    )
    clocks = Clocks(time.time, time.monotonic)
    try:
        return await answer(
            Inquiry(settings.zauto, sender, _Own(budget), catalogue, clocks), question
        )
    finally:
        await sender.close()
