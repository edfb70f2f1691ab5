"""A hospital that sends whole HL7 messages through the shipped mappings to a ZautoAI in memory."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from bridge.delivery import Payload
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.language.load import load
from bridge.message import Message, Protocol, Status
from bridge.pipeline.planning.plan import plan
from bridge.pipeline.planning.translate import translate
from bridge.settings import Channel, Settings, Site
from bridge.shipped import mappings_folder
from bridge.store.contract import Transaction
from tests.unit.pipeline.bench import CATALOGUE, Bench

#: MSH-3 and MSH-4 of what it sends
APPLICATION, FACILITY = "HIS", "CITY"


@cache
def mappings(site: Site) -> Mappings:
    """The shipped mappings with these settings of `site:`."""
    return load([mappings_folder()], CATALOGUE, site)


class Hospital:
    """Sends messages and looks at what ZautoAI holds."""

    def __init__(self, bench: Bench, authority: str = "", **site: Any) -> None:
        """`authority` is the channel's; all else are settings of `site:`."""
        self.bench = bench
        self._channel = Channel(name="default", authority=authority)
        self._site = Site(**site)
        self._sent = 0

    async def send(self, event: str, *segments: str) -> int:
        """Send one ADT message of these segments behind EVN and let all of it be delivered;
        returns its number."""
        self._sent += 1
        lines = [
            rf"MSH|^~\&|{APPLICATION}|{FACILITY}|ZAUTO|ZAUTOAI|20260115110000+0530||ADT^{event}"
            f"|C{self._sent}|P|2.5.1",
            f"EVN|{event}|20260115110000+0530",
            *segments,
        ]
        body = "".join(f"{line}\r" for line in lines).encode()
        kept_id = await self.bench.store.run(lambda tx: self._plan(tx, event, body))
        await self.bench.finish()
        return kept_id

    def _plan(self, tx: Transaction, event: str, body: bytes) -> int:
        at = self.bench.clock()
        message = Message(
            "default",
            Protocol.HL7V2,
            f"ADT^{event}",
            f"C{self._sent}",
            APPLICATION,
            FACILITY,
            at,
            body,
        )
        kept_id = tx.keep(
            message, status=Status.WAITING, answer_code="AA", acknowledgment=b"", identity=None
        ).id
        kept = tx.message(kept_id)
        assert kept is not None
        used = mappings(self._site)
        settings = Settings(site=self._site, channels=(self._channel,))
        translation = translate(message, used, settings, tx)
        plan(tx, kept, translation, CATALOGUE, at, self._site.same_authorities)
        return kept_id

    @property
    def records(self) -> dict[tuple[str, str], Payload]:
        """All that ZautoAI holds."""
        return copy.deepcopy(self.bench.remote.records)

    @property
    def calls(self) -> int:
        """How often ZautoAI was asked anything."""
        return len(self.bench.remote.requests)


def pid(*numbers: str, name: str = "Nair^Anjali", born: str = "19900412", account: str = "") -> str:
    """PID with these repetitions of PID-3, `601^^^CITY^MR`."""
    fields = {3: "~".join(numbers), 5: name, 7: born, 8: "F", 13: "+919876500123", 18: account}
    return segment("PID", fields)


def pv1(visit: str, alternate: str = "") -> str:
    """PV1 of an outpatient with this visit number and alternate one."""
    fields = {2: "O", 7: "D17^Rao^Meera^^^Dr.", 19: visit, 44: "20260115103000+0530"}
    return segment("PV1", {**fields, 50: alternate})


def mrg(patient: str = "", *, account: str = "", visit: str = "", alternate: str = "") -> str:
    """MRG with these numbers of before."""
    return segment("MRG", {1: patient, 3: account, 5: visit, 6: alternate})


def segment(name: str, fields: dict[int, str]) -> str:
    """One segment; fields by their number."""
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])
