"""Priority: which requests go first when not all can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.delivery import Call, Delivery, Interaction, Request, Step, Target
from bridge.message import Status
from bridge.pipeline.delivery.priority import Priorities
from bridge.zauto.budget import Priority
from tests.unit.pipeline.bench import CATALOGUE, a_patient, a_provider, a_visit

PRIORITIES = Priorities(CATALOGUE)
NAMED_BY_NONE = Call(Target.ZAUTO, Interaction.CREATE, "specialities", "SUR", {"id": "SUR"})
DESCRIBED = replace(a_provider("D2"), interaction=Interaction.UPSERT)


@pytest.mark.parametrize(
    ("call", "method", "priority"),
    [
        (a_patient(), "POST", Priority.CREATE),
        (a_visit(), "POST", Priority.CREATE),
        # a visit waits for it
        (a_provider(), "POST", Priority.CREATE),
        (DESCRIBED, "POST", Priority.REFERENCE),
        (NAMED_BY_NONE, "POST", Priority.REFERENCE),
        (a_patient("P2"), "PUT", Priority.UPDATE),
        (DESCRIBED, "GET", Priority.VERIFY),
    ],
)
def test_a_master_record_yields_to_a_visit_unless_one_names_it(
    call: Call, method: str, priority: Priority
) -> None:
    delivery = Delivery(1, 1, 0, call.key, call, Status.WAITING, Step.APPLY, 0, 0.0)
    request = Request(method, call.resource, call.external_id, {})
    assert PRIORITIES.of(delivery, request) is priority
