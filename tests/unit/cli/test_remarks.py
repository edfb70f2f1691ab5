"""`bridge remarks`, and remarks in `bridge status`, `messages` and `messages show`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.cli.remarks import most_frequent
from bridge.service.service import Service
from bridge.settings import load
from tests.unit.cli.conftest import Run
from tests.unit.pipeline.hl7 import adt
from tests.unit.service.test_service import PARTS

ODD_BIRTH = adt(control_id="C2", patient="4712").replace(b"19840712", b"12/07/1984")
ODD_BOTH = adt(control_id="C3", patient="4713", name="").replace(b"19840712", b"13/07/1984")
ODD_BOTH = ODD_BOTH.replace(b"9845000001", b"ask Meera")
SENDER = "HIS|LOTUS"


@pytest.fixture
async def service(run: Run, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service that has translated three messages, one without remarks."""
    monkeypatch.setenv("BRIDGE_MLLP__PORT", "0")
    monkeypatch.setenv("BRIDGE_HTTP__PORT", "0")
    made = Service(load(None), PARTS)
    await made.start()
    planned = asyncio.Event()

    def counted() -> None:
        if made.store.read(lambda view: view.message(3) and not view.untranslated(9)):
            planned.set()

    made.pipeline.work._planned = counted
    for body in (adt(), ODD_BIRTH, ODD_BOTH):
        await made.pipeline.intake.take_hl7(made.settings.channels[0], body, "a peer")
    await asyncio.wait_for(planned.wait(), 60)
    yield made
    await made.stop()


async def said(run: Run, *words: str) -> str:
    result = await asyncio.to_thread(run, *words)
    # of `status` the code says whether a person is needed
    assert result.exit_code == 0 or words[0] == "status", result.output
    return result.stdout


async def data(run: Run, *words: str) -> Any:
    return json.loads(await said(run, *words, "--json"))


@pytest.mark.usefixtures("reached")
async def test_remarks_are_listed_by_sender_path_and_code(run: Run) -> None:
    first, *rest = await data(run, "remarks")
    assert (first["sender"], first["path"], first["code"]) == (SENDER, "PID-7", "no_whole_date")
    assert (first["count"], first["message"]) == (2, 3)
    assert first["text"] == "holds no whole date; left out"
    assert ("PID-13", "not_a_phone", 1) in [(r["path"], r["code"], r["count"]) for r in rest]
    assert len(await data(run, "remarks", "--limit", "1")) == 1
    printed = await said(run, "remarks", "--sender", SENDER)
    assert "holds no whole date; left out" in printed
    nobody = await said(run, "remarks", "--sender", "LAB")
    assert nobody == "No message of LAB has a remark.\n"


@pytest.mark.usefixtures("reached")
async def test_the_status_names_what_is_thrown_away_most(run: Run) -> None:
    report = await data(run, "status")
    assert report["remarks"][0]["path"] == "PID-7"
    printed = await said(run, "status")
    assert f"2x PID-7: holds no whole date; left out ({SENDER})" in printed


@pytest.mark.usefixtures("reached")
async def test_a_message_shows_its_remarks_and_what_stood_there_only_if_asked(run: Run) -> None:
    hidden = await said(run, "messages", "show", "3")
    assert "holds no whole date; left out" in hidden
    assert "not_a_phone" in hidden
    assert "13/07/1984" not in hidden
    assert "ask Meera" not in hidden
    shown = await said(run, "messages", "show", "3", "--reveal")
    assert "what stood there" in shown
    assert "13/07/1984" in shown
    rows = await data(run, "messages")
    assert [len(row["remarks"]) for row in rows] == [2, 1, 0]
    listed = await said(run, "messages")
    assert "2 remarks" in listed
    assert "1 remark" in listed


async def test_the_metric_counts_them_by_path_and_code(service: Service) -> None:
    text = service._metrics.render().decode()
    assert 'bridge_remarks_total{code="no_whole_date",path="PID-7"} 2.0' in text
    assert 'bridge_remarks_total{code="not_a_phone",path="PID-13"} 1.0' in text


def test_without_remarks_the_status_says_nothing_of_them() -> None:
    assert most_frequent([]) == []
