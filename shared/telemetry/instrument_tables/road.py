"""The metrics of the road: the door, the ledger, the queue; and the buckets of all histograms."""

from __future__ import annotations

from typing import Final

from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.telemetry.instrument import Label, counter, gauge, histogram, one_of

LANE: Final = one_of("lane", *Lane)
PROVIDER: Final = Label("provider", 10, "the provider's name in the settings")
BATCH_OUTCOME: Final = one_of(
    "outcome", "submitted", "refused", "ended", "failed", "pulled", "lost", "given_up"
)
BATCH_ITEM_END: Final = one_of("end", "settled", "failed", "unrun", "lost", "repeated", "unknown")
SURFACE: Final = one_of(
    "surface", "responses", "chat_completions", "messages", "intake", "producer"
)
REFUSAL: Final = Label("reason", 24, "the code of the refusal, such as requests_per_minute")
VERDICT: Final = one_of("verdict", "admitted", "existing", "refused")
LOCAL_VERDICT: Final = one_of("verdict", "admitted", "refused")
INTAKE_OUTCOME: Final = one_of(
    "outcome", "accepted", "existing", "refused", "dead_lettered", "redelivered"
)
ROUTE: Final = Label(
    "route", 40, "the route's template, such as /v1/responses/{id}; unmatched, preflight"
)
METHOD: Final = Label("method", 8, "GET, POST, …; other")
STATUS: Final = Label("status", 30, "the HTTP status, such as 200")
LEDGER_OPERATION: Final = one_of("operation", "accept", "claim", "settle")
ERROR_CODE: Final = Label("code", 24, "the code of the error class, such as broker_unavailable")
CLAIM_OUTCOME: Final = one_of("outcome", "claimed", "nothing_to_claim", "closed")
DEAD_REASON: Final = one_of(
    "reason", *DeadReason, said="the dead letter's reason, such as deadline_passed"
)

MILLISECONDS: Final = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0
)  # fmt: skip
"""For a round trip to one of our own servers."""
SECONDS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0
)  # fmt: skip
"""For what includes a model's answer."""
HOURS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
"""For waits, which the batch lane allows to be long."""
GROUP_SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
TENTHS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

DOOR: Final = (
    counter("http_requests", "Answered requests.", ROUTE, METHOD, STATUS, unit="requests"),
    histogram(
        "http_request_duration_seconds",
        "From the request's arrival to the start of its answer.",
        ROUTE,
        buckets=SECONDS,
    ),
    gauge("open_waiters", "Requests that wait at the door for their reply.", unit="requests"),
    gauge("open_streams", "Event streams that are open at the door.", unit="requests"),
    counter("accepted_messages", "Messages committed.", LANE, SURFACE, unit="messages"),
    counter("refused_messages", "Messages refused, by why.", REFUSAL, unit="messages"),
    histogram(
        "admission_duration_seconds",
        "From asking for a verdict to having it.",
        VERDICT,
        buckets=MILLISECONDS,
    ),
    histogram(
        "admission_group_messages",
        "Messages that shared one round trip of admission.",
        unit="messages",
        buckets=GROUP_SIZES,
    ),
    histogram("risk_score", "The user's risk, 0 to 1, at admission.", unit="1", buckets=TENTHS),
    counter(
        "local_allowance_decisions",
        "Verdicts given without Redis, from this process's own allowance.",
        LOCAL_VERDICT,
        unit="verdicts",
    ),
    counter("intake_messages", "Read from the intake queue.", INTAKE_OUTCOME, unit="messages"),
)

LEDGER_AND_QUEUE: Final = (
    gauge(
        "waiting_messages",
        "Messages that nobody has claimed, up to 5,000; every door tells all of them.",
        LANE,
        unit="messages",
    ),
    gauge(
        "oldest_waiting_seconds",
        "How long the longest waiting of them has waited; every door tells the same.",
        LANE,
        unit="seconds",
    ),
    histogram(
        "ledger_group_messages",
        "Messages that were written to the ledger, or claimed from it, together.",
        LEDGER_OPERATION,
        unit="messages",
        buckets=GROUP_SIZES,
    ),
    histogram(
        "ledger_group_duration_seconds",
        "One such group, its commit included; failed ones too.",
        LEDGER_OPERATION,
        buckets=MILLISECONDS,
    ),
    histogram(
        "publish_group_messages",
        "Wake-ups that were published together.",
        unit="messages",
        buckets=GROUP_SIZES,
    ),
    histogram(
        "publish_group_duration_seconds",
        "From the first byte of a group to its last confirm.",
        buckets=MILLISECONDS,
    ),
    counter(
        "publish_failures",
        "Wake-ups not confirmed in time; the reconciler publishes them again.",
        ERROR_CODE,
        unit="messages",
    ),
    counter(
        "reconciled_messages",
        "Messages that nobody claimed in time, published again.",
        LANE,
        unit="messages",
    ),
    gauge(
        "held_messages",
        "Messages that wait for the dispatcher; 0 where another process leads.",
        LANE,
        unit="messages",
    ),
    counter("released_messages", "Messages that the dispatcher released.", LANE, unit="messages"),
    counter("given_way", "Batch turns that were taken back for others.", unit="turns"),
    gauge("wasted_share", "Part of the last hour's batch units that gave way.", unit="share"),
    counter("claims", "What a worker's claim found.", CLAIM_OUTCOME, unit="claims"),
    counter("lease_expiries", "Turns whose worker went silent; queued again.", unit="turns"),
    histogram("time_in_queue_seconds", "From accept to first claim.", LANE, buckets=HOURS),
    counter("dead_letters", "Messages that will not be answered.", DEAD_REASON, unit="messages"),
)

PROVIDER_BATCHES: Final = (
    counter(
        "provider_batches",
        "Batches that were handed to a provider, by what became of them.",
        PROVIDER,
        BATCH_OUTCOME,
        unit="batches",
    ),
    counter(
        "provider_batch_items",
        "Results of such batches, by what became of them.",
        PROVIDER,
        BATCH_ITEM_END,
        unit="items",
    ),
    gauge(
        "provider_batch_enqueued_tokens",
        "Estimated tokens that lie at a provider in batches that have not ended.",
        PROVIDER,
        unit="tokens",
    ),
    histogram(
        "provider_batch_duration_seconds",
        "From handing a batch over to its end, where it ended as it should.",
        PROVIDER,
        buckets=HOURS,
    ),
)
