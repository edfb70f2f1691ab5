"""Numbers have fixed names and bounded labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from bridge.delivery import Reason, Target
from bridge.message import Status
from bridge.metrics import Metrics


@dataclass(frozen=True)
class Standing:
    messages: Mapping[Status, int] = field(default_factory=dict)
    deliveries: Mapping[Status, int] = field(default_factory=dict)
    oldest_waiting: float | None = None
    acknowledgments: Mapping[str, int] = field(default_factory=dict)


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels in the labels' alphabetical order."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_messages_are_counted_by_channel_type_and_answer() -> None:
    metrics = Metrics(["ADT^A04"])
    metrics.received("default", "ADT^A04", "AA")
    metrics.received("default", "ADT^A04", "AA")
    name = "bridge_messages_received_total"
    assert values(metrics)[name, "AA", "default", "ADT^A04"] == 2


def test_an_unknown_message_type_is_counted_as_other() -> None:
    metrics = Metrics(["ADT^A04"])
    for number in range(100):
        metrics.received("default", f"Z{number}", "AA")
    found = {k: v for k, v in values(metrics).items() if k[0] == "bridge_messages_received_total"}
    assert found == {("bridge_messages_received_total", "AA", "default", "other"): 100}


def test_calls_are_timed_by_method_resource_and_reason() -> None:
    metrics = Metrics()
    metrics.called("POST", "patients", Reason.ACCEPTED, 0.12)
    labels = ("POST", "accepted", "patients")
    assert values(metrics)["bridge_call_seconds_count", *labels] == 1
    assert values(metrics)["bridge_call_seconds_sum", *labels] == 0.12


def test_settled_kept_and_quarantined_are_counted() -> None:
    metrics = Metrics()
    metrics.settled(Target.ZAUTO, Status.DELIVERED)
    metrics.kept(0.003)
    metrics.quarantined("default")
    found = values(metrics)
    assert found["bridge_deliveries_settled_total", "delivered", "zauto"] == 1
    assert found[("bridge_message_kept_seconds_count",)] == 1
    assert found["bridge_quarantined_total", "default"] == 1


def test_parked_messages_are_counted_by_cause() -> None:
    metrics = Metrics()
    metrics.watch_parked(lambda: {"incomplete": 3, "two_records": 0})
    found = values(metrics)
    assert found["bridge_parked_messages", "incomplete"] == 3
    assert found["bridge_parked_messages", "two_records"] == 0


def test_remarks_are_counted_by_code_and_path() -> None:
    metrics = Metrics()
    metrics.watch_remarks(lambda: {("PID-7", "not_a_date"): 12})
    assert values(metrics)["bridge_remarks_total", "not_a_date", "PID-7"] == 12


def test_what_stands_in_the_store_is_read_at_each_scrape() -> None:
    metrics = Metrics()
    now = Standing(
        {Status.HELD: 2}, {Status.WAITING: 5, Status.DELIVERED: 9}, 100.0, {"due": 3, "sent": 9}
    )
    metrics.watch_store(lambda: now, lambda: 130.0)
    found = values(metrics)
    assert found["bridge_messages", "held"] == 2
    assert found["bridge_messages", "parked"] == 0
    assert found["bridge_deliveries", "waiting"] == 5
    assert ("bridge_deliveries", "delivered") not in found
    assert found[("bridge_oldest_waiting_seconds",)] == 30
    later = {key[1]: value for key, value in found.items() if "acknowledgments" in key[0]}
    assert later == {"owed": 0, "due": 3}
    now = Standing()
    assert values(metrics)[("bridge_oldest_waiting_seconds",)] == 0


def test_the_budget_shows_its_limit_where_there_is_one() -> None:
    limited, unlimited = Metrics(), Metrics()
    limited.watch_budget(lambda: (12, 1000))
    unlimited.watch_budget(lambda: (12, None))
    assert values(limited)[("bridge_budget_limit",)] == 1000
    assert values(unlimited)[("bridge_budget_used",)] == 12
    assert ("bridge_budget_limit",) not in values(unlimited)


def test_two_bridges_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.quarantined("default")
    assert ("bridge_quarantined_total", "default") not in values(second)
