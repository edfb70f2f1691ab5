"""Which endpoints are there: as the settings say, and as answers show."""

from __future__ import annotations

import pytest

from bridge.delivery import Kind, Outcome, Reason, Request, Target
from bridge.pipeline.delivery.endpoints import AGAIN, Endpoints
from bridge.store.contract import Transaction
from bridge.zauto.catalogue import Operation
from tests.unit.pipeline.bench import Bench

NOW = 1_000.0
READ = Request("GET", "patients", "P1", None)
BY_LIST = Request("GET", "patients", "P1", None, by_list=True)
STRANGER = Outcome(Kind.TRANSIENT, Reason.NOT_THE_API)


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints()


async def note(bench: Bench, endpoints: Endpoints, request: Request, outcome: Outcome) -> None:
    await bench.store.run(lambda tx: endpoints.note(tx, request, outcome, NOW))


class TestTold:
    @pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.DELETE])
    def test_an_operation_of_the_settings_is_lacking(self, operation: Operation) -> None:
        endpoints = Endpoints([f"{operation} patients"])
        request = Request(operation.method, "patients", "P1", {})
        assert endpoints.lacking(request, NOW) is operation
        assert Endpoints().lacking(request, NOW) is None

    def test_a_read_goes_by_the_list_instead(self) -> None:
        assert Endpoints(["read patients"]).adapted(READ, NOW) == BY_LIST
        assert Endpoints(["read providers"]).adapted(READ, NOW) is READ

    def test_what_the_settings_say_is_not_found_missing(self) -> None:
        assert Endpoints(["read patients"]).found_missing(NOW) == []


class TestFound:
    async def test_a_strangers_answer_lets_reads_go_by_the_list(
        self, bench: Bench, endpoints: Endpoints
    ) -> None:
        await note(bench, endpoints, READ, STRANGER)
        assert endpoints.adapted(READ, NOW) == BY_LIST
        assert endpoints.found_missing(NOW) == ["read patients"]

    async def test_it_is_tried_again_after_a_while(
        self, bench: Bench, endpoints: Endpoints
    ) -> None:
        await note(bench, endpoints, READ, STRANGER)
        assert endpoints.adapted(READ, NOW + AGAIN) is READ
        # the clock was set back
        assert endpoints.adapted(READ, NOW - 1) is READ

    async def test_where_the_list_is_missing_too_reads_go_by_id_again(
        self, bench: Bench, endpoints: Endpoints
    ) -> None:
        await note(bench, endpoints, READ, STRANGER)
        await note(bench, endpoints, BY_LIST, STRANGER)
        assert endpoints.adapted(READ, NOW) is READ
        assert bench.store.read(lambda view: view.missing_endpoints(Target.ZAUTO)) == []

    @pytest.mark.parametrize(
        ("request_", "outcome"),
        [
            (READ, Outcome(Kind.DELIVERED, Reason.ABSENT)),
            (READ, Outcome(Kind.UNKNOWN, Reason.NO_ANSWER)),
            # a write that a stranger answered is judged by how often
            (Request("PUT", "patients", "P1", {}), STRANGER),
        ],
    )
    async def test_other_outcomes_say_nothing(
        self, bench: Bench, endpoints: Endpoints, request_: Request, outcome: Outcome
    ) -> None:
        await note(bench, endpoints, request_, outcome)
        assert endpoints.found_missing(NOW) == []

    async def test_a_restart_remembers(self, bench: Bench, endpoints: Endpoints) -> None:
        def lacks(tx: Transaction) -> None:
            endpoints.lacks(tx, Operation.UPDATE, "patients", NOW)

        await bench.store.run(lacks)
        again = Endpoints()
        again.take_up(bench.store.read(lambda view: view.missing_endpoints(Target.ZAUTO)))
        update = Request("PUT", "patients", "P1", {})
        assert again.lacking(update, NOW) is Operation.UPDATE
        assert again.lacking(update, NOW + AGAIN) is None
