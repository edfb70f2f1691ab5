"""What a service answers of its state, of parts that only hold theirs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.notices import Notice, NoticeKind
from bridge.service.status import ServiceStatus
from bridge.settings import Settings

PINNED = Notice(NoticeKind.MAPPINGS_PINNED, name="abc")
ENDS = Notice(NoticeKind.CERTIFICATE_ENDS, name="his", number=3)
NOT_OFFERED = Notice(NoticeKind.NOT_OFFERED, name="read patients")


class Zauto:
    """ZautoAI as it is set up."""

    def notices(self) -> list[Notice]:
        return [NOT_OFFERED]

    def contract(self) -> list[Any]:
        return []

    async def ask(self, question: Any) -> Any:
        return {"answered": question["what"]}


def status(zauto: Zauto | None = None, **store: Any) -> ServiceStatus:
    """Of a service whose translation has stopped."""
    pipeline: Any = SimpleNamespace(
        store=SimpleNamespace(**{"has_room": True, "failing_since": None} | store),
        settings=Settings(),
        destinations=SimpleNamespace(zauto=zauto, rows=list),
        acknowledge=SimpleNamespace(stalled=dict),
        reload=SimpleNamespace(notices=lambda: [PINNED]),
    )
    mllp: Any = SimpleNamespace(notices=lambda: [ENDS])
    background: Any = SimpleNamespace(ended=lambda: ["translation"])
    return ServiceStatus(pipeline, mllp, background)


@pytest.mark.parametrize(
    ("store", "first"),
    [
        ({}, []),
        ({"failing_since": 1.0}, [NoticeKind.CANNOT_WRITE]),
        ({"has_room": False, "failing_since": 1.0}, [NoticeKind.DISK_FULL]),
    ],
)
def test_the_worst_notice_comes_first(store: dict[str, Any], first: list[NoticeKind]) -> None:
    assert [each.kind for each in status(**store).notices()] == [
        *first,
        NoticeKind.WORK_ENDED,
        NoticeKind.ZAUTO_NOT_SET_UP,
        NoticeKind.MAPPINGS_PINNED,
        NoticeKind.CERTIFICATE_ENDS,
        NoticeKind.HOSPITAL_NOT_SET_UP,
    ]


def test_zautoai_tells_its_own_notices() -> None:
    kinds = [each.kind for each in status(Zauto()).notices()]
    assert NoticeKind.NOT_OFFERED in kinds
    assert NoticeKind.ZAUTO_NOT_SET_UP not in kinds


async def test_only_zautoai_that_is_set_up_can_be_asked() -> None:
    assert await status(Zauto()).ask_zauto({"what": "ping"}) == {"answered": "ping"}
    with pytest.raises(BridgeError, match="not set up"):
        await status().ask_zauto({"what": "ping"})
    assert status().contract() == []
