"""The metrics of one process, built from the table in `instruments`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from shared.telemetry.instrument import Instrument, InstrumentType
from shared.telemetry.instruments import INSTRUMENTS


class Metrics:
    """Every instrument as an attribute, in a registry of its own.

    Label values go in the order in which the table names them.
    """

    CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

    http_requests: Counter
    http_request_duration_seconds: Histogram
    open_waiters: Gauge
    open_streams: Gauge
    accepted_messages: Counter
    refused_messages: Counter
    admission_duration_seconds: Histogram
    admission_group_messages: Histogram
    risk_score: Histogram
    local_allowance_decisions: Counter
    intake_messages: Counter

    waiting_messages: Gauge
    oldest_waiting_seconds: Gauge
    ledger_group_messages: Histogram
    ledger_group_duration_seconds: Histogram
    publish_group_messages: Histogram
    publish_group_duration_seconds: Histogram
    publish_failures: Counter
    reconciled_messages: Counter
    held_messages: Gauge
    released_messages: Counter
    given_way: Counter
    wasted_share: Gauge
    claims: Counter
    lease_expiries: Counter
    time_in_queue_seconds: Histogram
    dead_letters: Counter

    turn_duration_seconds: Histogram
    step_duration_seconds: Histogram
    provider_attempts: Counter
    provider_oddities: Counter
    provider_latency_seconds: Histogram
    time_to_first_token_seconds: Histogram
    provider_batches: Counter
    provider_batch_items: Counter
    provider_batch_enqueued_tokens: Gauge
    provider_batch_duration_seconds: Histogram
    tokens: Counter
    deployment_attempts: Counter
    deployment_tokens: Counter
    deployment_tokens_in_flight: Gauge
    cost: Counter
    unknown_costs: Counter
    breaker_state: Gauge
    breaker_transitions: Counter
    hedges: Counter
    context_items: Counter
    chaos_injections: Counter
    context_summaries: Counter
    validator_catches: Counter
    routed_messages: Counter
    routing_score: Histogram
    cache_hits: Counter
    cache_misses: Counter
    cache_refusals: Counter
    cache_stores: Counter
    saved_cost: Counter
    wrong_cache_hits: Counter
    feedback: Counter
    outcomes: Counter
    outcome_cost: Counter
    outcome_turns: Counter
    outcome_task_completion: Gauge
    outcome_hallucination: Gauge
    outcome_satisfaction: Gauge
    outcome_cost_per_success: Gauge
    evaluation_task_completion: Gauge
    evaluation_hallucination: Gauge
    evaluation_satisfaction: Gauge
    evaluation_cost_per_success: Gauge
    semantic_lookup_duration_seconds: Histogram
    semantic_entries: Gauge
    semantic_untold_changes: Counter
    fact_lookups: Counter
    fact_lookup_duration_seconds: Histogram
    handoffs: Counter
    replies: Counter
    webhook_tries: Counter
    webhook_duration_seconds: Histogram

    batches: Counter
    batch_lines: Counter

    indexed_documents: Counter
    indexed_chunks: Counter
    indexing_step_duration_seconds: Histogram

    search_duration_seconds: Histogram
    search_legs_dropped: Counter

    loop_blocks: Counter
    build_info: Gauge

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        for instrument in INSTRUMENTS:
            built = _build(instrument, self.registry)
            # The library looks a child up under a lock, which costs more than counting; there
            # are few, by design, so each is remembered.
            built.labels = cache(built.labels)  # type: ignore[method-assign, assignment]
            setattr(self, instrument.attribute, built)
        self.count_from_zero()
        self.build_info.labels(installed_version()).set(1)
        # Memory, CPU and open files of this process; read when scraped.
        ProcessCollector(registry=self.registry)

    def count_from_zero(self, **given: str) -> None:
        """Let every series of a counter that can be told be there before it first rises, also those
        of these labels: an alert on the increase of one that begins at 1 does not see its first.
        """
        for instrument in INSTRUMENTS:
            counted = getattr(self, instrument.attribute)
            for values in instrument.children(given):
                counted.labels(*values)

    @staticmethod
    def forget(gauge: Gauge) -> None:
        """Let it have no series, until it is set again."""
        gauge.clear()
        gauge.labels.cache_clear()  # type: ignore[attr-defined] # it remembers its children

    def render(self) -> bytes:
        """All metrics in Prometheus' text format; serve it as `CONTENT_TYPE`."""
        return generate_latest(_WithoutCreationTimes(self.registry))


class _WithoutCreationTimes(Collector):
    """Leaves out the `_created` series, which double the count and which the text format
    cannot mark as what they are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            if metric.type in ("counter", "histogram"):
                metric.samples = [one for one in metric.samples if one.name[-8:] != "_created"]
            yield metric


def _build(instrument: Instrument, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    name, help_, labels = instrument.name, instrument.help, instrument.label_names
    match instrument.type:
        case InstrumentType.COUNTER:
            return Counter(name, help_, labels, registry=registry)
        case InstrumentType.GAUGE:
            return Gauge(name, help_, labels, registry=registry)
        case InstrumentType.HISTOGRAM:
            buckets = instrument.buckets
            return Histogram(name, help_, labels, registry=registry, buckets=buckets)


def installed_version() -> str:
    """The version of Forebay that runs."""
    try:
        return version("forebay")
    except PackageNotFoundError:
        return "unknown"
