"""The numbers the bridge tells of itself, in the form Prometheus reads.

Every name begins with `bridge_`. A label only ever takes a value of a closed set: channels and
resources are named by the operator and the catalogue, a message type that no mapping knows is
counted as `other`, and nothing of a patient is a label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.delivery import Reason, Target
from bridge.message import Status

#: content type of what `Metrics.render` returns
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_KEPT_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
_CALL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 40)
#: standing numbers: a status that is reached and left for good is counted instead
_STANDING = (Status.WAITING, Status.HELD, Status.PARKED)


class StoreCounts(Protocol):
    """What is in the store now, as far as it is shown here."""

    @property
    def messages(self) -> Mapping[Status, int]: ...

    @property
    def deliveries(self) -> Mapping[Status, int]: ...

    @property
    def oldest_waiting(self) -> float | None:
        """When the oldest waiting message came, seconds since the epoch."""
        ...

    @property
    def acknowledgments(self) -> Mapping[Any, int]:
        """Application acknowledgments by state."""
        ...


class Odd(Protocol):
    """Something about answers that the document does not say; both words are of few."""

    what: Any
    where: str
    count: int


class Metrics:
    """The counters of one running bridge."""

    def __init__(self, message_types: Collection[str] = ()) -> None:
        """`message_types` are those counted by name; any other is `other`."""
        self.message_types = frozenset(message_types)
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._received = Counter(
            "bridge_messages_received_total",
            "Messages answered, by channel, message type and MSA-1 or HTTP status",
            ("channel", "type", "answer"),
            registry=registry,
        )
        self._counters: dict[tuple[str, str, str], Counter] = {}
        self._kept = Histogram(
            "bridge_message_kept_seconds",
            "From the arrival of a message to its durable commit",
            buckets=_KEPT_SECONDS,
            registry=registry,
        )
        self._settled = Counter(
            "bridge_deliveries_settled_total",
            "Deliveries that ended, by far end and status",
            ("target", "status"),
            registry=registry,
        )
        self._calls = Histogram(
            "bridge_call_seconds",
            "Requests to a far end, by method, resource and how they went",
            ("method", "resource", "reason"),
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self._reloads = _reloads(registry)
        self._quarantined = Counter(
            "bridge_quarantined_total",
            "Times something came that was not a message, or one too large",
            ("channel",),
            registry=registry,
        )

    def received(self, channel: str, message_type: str, answer: str) -> None:
        """A message was answered with MSA-1 or the HTTP status `answer`."""
        known = message_type if message_type in self.message_types else "other"
        key = (channel, known, answer)
        # `labels` checks and locks; this is in the path of every acknowledgment
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._received.labels(*key)
        counter.inc()

    def kept(self, seconds: float) -> None:
        """A message was committed this long after it came."""
        self._kept.observe(seconds)

    def settled(self, target: Target, status: Status) -> None:
        """A delivery ended."""
        self._settled.labels(target.value, status.value).inc()

    def called(self, method: str, resource: str, reason: Reason, seconds: float) -> None:
        """A request was made and ended; `method` is SEND for the hospital."""
        self._calls.labels(method, resource, reason.value).observe(seconds)

    def reloaded(self, result: str) -> None:
        """Mappings were read again, and `taken`, `unchanged` or `refused`."""
        self._reloads.labels(result).inc()

    def quarantined(self, channel: str) -> None:
        """Something that was no message was put aside."""
        self._quarantined.labels(channel).inc()

    def watch_store(self, read: Callable[[], StoreCounts], clock: Callable[[], float]) -> None:
        """Show what waits, is held or parked, read at each scrape."""
        self.registry.register(_Watch(lambda: _standing(read(), clock())))

    def watch_parked(self, read: Callable[[], Mapping[str, int]]) -> None:
        """Show how many messages are parked for each cause."""
        self.registry.register(_Watch(lambda: _parked(read())))

    def watch_remarks(self, read: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        """Show how often each remark was met, by path and code: paths are of the mappings."""
        self.registry.register(_Watch(lambda: _remarks(read())))

    def watch_budget(self, read: Callable[[], tuple[int, int | None]]) -> None:
        """Show the calls used in this hour and their limit (None: there is none)."""
        self.registry.register(_Watch(lambda: _budget(*read())))

    def watch_contract(self, read: Callable[[], Sequence[Odd]]) -> None:
        """Show what ZautoAI answered that its document does not say, as often as it did."""
        self.registry.register(_Watch(lambda: _contract(read())))

    def watch_certificates(self, read: Callable[[], Mapping[str, float]]) -> None:
        """Show the days that the certificate of each listener still holds."""
        self.registry.register(_Watch(lambda: _certificates(read())))

    def render(self) -> bytes:
        """All numbers in Prometheus's text format."""
        return generate_latest(self.registry)


def _reloads(registry: CollectorRegistry) -> Counter:
    return Counter(
        "bridge_mapping_reloads_total",
        "Reloads of mappings, by how they ended: taken, unchanged, refused",
        ("result",),
        registry=registry,
    )


class _Watch(Collector):
    """Gauges that are read when they are asked for."""

    def __init__(self, read: Callable[[], Iterator[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        return self._read()

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not read."""
        return []


def _standing(now: StoreCounts, clock: float) -> Iterator[Metric]:
    yield _by_status("bridge_messages", "Messages in the store", now.messages)
    yield _by_status("bridge_deliveries", "Deliveries in the store", now.deliveries)
    age = 0.0 if now.oldest_waiting is None else max(0.0, clock - now.oldest_waiting)
    yield GaugeMetricFamily(
        "bridge_oldest_waiting_seconds", "Age of the oldest waiting message, 0 for none", age
    )
    later = GaugeMetricFamily(
        "bridge_application_acknowledgments",
        "Application acknowledgments that wait for their message (owed) or to be sent (due)",
        labels=["state"],
    )
    for state in ("owed", "due"):
        later.add_metric([state], now.acknowledgments.get(state, 0))
    yield later


def _parked(causes: Mapping[str, int]) -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "bridge_parked_messages", "Messages that need a person, by cause", labels=["cause"]
    )
    for cause, count in causes.items():
        gauge.add_metric([cause], count)
    yield gauge


def _remarks(counts: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    counter = CounterMetricFamily(
        "bridge_remarks", "Values and calls left out with a remark", labels=("path", "code")
    )
    for labels, count in counts.items():
        counter.add_metric(labels, count)
    yield counter


def _by_status(name: str, about: str, counts: Mapping[Status, int]) -> Metric:
    gauge = GaugeMetricFamily(name, f"{about} that wait, are held or are parked", labels=["status"])
    for status in _STANDING:
        gauge.add_metric([status.value], counts.get(status, 0))
    return gauge


def _budget(used: int, limit: int | None) -> Iterator[Metric]:
    yield GaugeMetricFamily("bridge_budget_used", "Calls to ZautoAI in this hour", used)
    if limit is not None:
        yield GaugeMetricFamily("bridge_budget_limit", "Calls ZautoAI allows an hour", limit)


def _contract(seen: Sequence[Odd]) -> Iterator[Metric]:
    counter = CounterMetricFamily(
        "bridge_contract_oddities",
        "Answers of ZautoAI that its document does not say, by what and where",
        labels=("what", "where"),
    )
    for each in seen:
        counter.add_metric((str(each.what), each.where), each.count)
    yield counter


def _certificates(days_left: Mapping[str, float]) -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "bridge_certificate_days_left",
        "Days until the certificate of an MLLP listener ends, negative when it has",
        labels=["listener"],
    )
    for listener, days in days_left.items():
        gauge.add_metric([listener], days)
    yield gauge
