"""The table of all metrics. Dashboards and alerts are built on it: a change here is a break."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Instrument, Label, counter, gauge, histogram

LANE: Final = Label("lane", 3, "interactive, standard, batch")
SURFACE: Final = Label("surface", 4, "responses, chat_completions, intake, producer")
REFUSAL: Final = Label("reason", 24, "the code of the refusal, such as requests_per_minute")
VERDICT: Final = Label("verdict", 3, "admitted, existing, refused")
LOCAL_VERDICT: Final = Label("verdict", 2, "admitted, refused")
INTAKE_OUTCOME: Final = Label(
    "outcome", 5, "accepted, existing, refused, dead_lettered, redelivered"
)
ROUTE: Final = Label("route", 40, "the route's template, such as /v1/responses/{id}; unmatched")
METHOD: Final = Label("method", 8, "GET, POST, …; other")
STATUS: Final = Label("status", 30, "the HTTP status, such as 200")
LEDGER_OPERATION: Final = Label("operation", 8, "accept, claim, renew, settle, …")
ERROR_CODE: Final = Label("code", 24, "the code of the error class, such as broker_unavailable")
CLAIM_OUTCOME: Final = Label("outcome", 3, "claimed, nothing_to_claim, closed")
STATE: Final = Label("state", 7, "the response's state, such as completed")
STEP: Final = Label("step", 12, "the step's name, such as recall")
PROVIDER: Final = Label("provider", 10, "the provider's name in the settings")
MODEL: Final = Label("model", 4, "the provider's configured models, never a name a caller sent")
ERROR_CLASS: Final = Label(
    "error", 16, "none, or the class of the attempt's error, such as timeout"
)
TOKEN_KIND: Final = Label("kind", 4, "input, cached_input, output, reasoning_output")
UNKNOWN: Final = Label("reason", 2, "price, tokens")
BREAKER_STATE: Final = Label("state", 3, "the state it went into: closed, open, half-open")
INJECTION: Final = Label("kind", 3, "latency, fault, outcome")
HEDGE_END: Final = Label("outcome", 3, "what came of the second call: won, lost, failed")
TIER: Final = Label("tier", 2, "small, large")
ITEM_FATE: Final = Label("fate", 3, "kept, summarised, dropped")
VALIDATOR: Final = Label("validator", 10, "the validator's name, such as facts")
GUARD_VERDICT: Final = Label("verdict", 4, "fix, re_ask, next_provider, handoff")
CACHE_KIND: Final = Label("kind", 3, "exact, semantic, single_flight")
CACHE_REFUSAL: Final = Label("reason", 24, "why it was not used or not kept, such as personal")
HANDOFF_OUTCOME: Final = Label("outcome", 3, "opened, answered, expired")
DEAD_REASON: Final = Label("reason", 24, "the dead letter's reason, such as deadline_passed")
REPLY_OUTCOME: Final = Label("outcome", 3, "published, repeated, failed")
VERSION: Final = Label("version", 1, "the installed version of forebay")

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
    histogram(
        "ledger_group_messages",
        "Messages that shared one transaction of the ledger.",
        LEDGER_OPERATION,
        unit="messages",
        buckets=GROUP_SIZES,
    ),
    histogram(
        "ledger_group_duration_seconds",
        "One transaction of the ledger, its commit included.",
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
    counter("claims", "What a worker's claim found.", CLAIM_OUTCOME, unit="claims"),
    counter("lease_expiries", "Turns whose worker went silent; queued again.", unit="turns"),
    histogram("time_in_queue_seconds", "From accept to first claim.", LANE, buckets=HOURS),
    counter("dead_letters", "Messages that will not be answered.", DEAD_REASON, unit="messages"),
)

TURN: Final = (
    histogram("turn_duration_seconds", "From claim to settlement.", LANE, STATE, buckets=SECONDS),
    histogram("step_duration_seconds", "One step of a turn.", STEP, buckets=SECONDS),
    counter(
        "context_items",
        "Items of conversations, by whether the model was given them whole.",
        ITEM_FATE,
        unit="items",
    ),
    counter(
        "provider_attempts",
        "Calls of a provider, failed ones too.",
        PROVIDER,
        MODEL,
        ERROR_CLASS,
        unit="attempts",
    ),
    histogram(
        "provider_latency_seconds",
        "From calling a provider to its last byte or its error.",
        PROVIDER,
        MODEL,
        buckets=SECONDS,
    ),
    histogram(
        "time_to_first_token_seconds",
        "From calling a provider to its first token.",
        PROVIDER,
        MODEL,
        buckets=SECONDS,
    ),
    counter("tokens", "As the provider reported them.", PROVIDER, MODEL, TOKEN_KIND, unit="tokens"),
    counter(
        "cost",
        "What attempts cost, where the price is known; failed ones too.",
        PROVIDER,
        MODEL,
        unit="dollars",
    ),
    counter(
        "unknown_costs",
        "Attempts whose cost is unknown: no price for the model, or no tokens reported.",
        PROVIDER,
        MODEL,
        UNKNOWN,
        unit="attempts",
    ),
    counter("routed_messages", "Messages by the tier they were given.", TIER, unit="messages"),
    histogram("routing_score", "How hard `auto` took a message for.", unit="1", buckets=TENTHS),
    gauge(
        "breaker_state",
        "How this process treats the provider: 0 closed, 1 half-open, 2 open.",
        PROVIDER,
        MODEL,
        unit="1",
    ),
    counter(
        "breaker_transitions",
        "Changes of a breaker, each counted by one process of the fleet.",
        PROVIDER,
        MODEL,
        BREAKER_STATE,
        unit="transitions",
    ),
    counter(
        "hedges",
        "Second calls beside a late one, under the provider that was asked as well.",
        PROVIDER,
        HEDGE_END,
        unit="calls",
    ),
    counter(
        "chaos_injections",
        "Calls that were made to go wrong on purpose.",
        PROVIDER,
        INJECTION,
        unit="calls",
    ),
    counter(
        "validator_catches",
        "Answers that a validator of the guardrail caught.",
        VALIDATOR,
        GUARD_VERDICT,
        unit="answers",
    ),
    counter("cache_hits", "Messages answered without a call.", CACHE_KIND, unit="messages"),
    counter("cache_misses", "Looks into the cache that found nothing.", unit="messages"),
    counter(
        "cache_refusals",
        "Messages and answers that the cache was not used for, by why.",
        CACHE_REFUSAL,
        unit="messages",
    ),
    counter("cache_stores", "Answers kept to be given again.", unit="answers"),
    counter(
        "saved_cost",
        "What the calls would have cost that the cache spared, where it is known.",
        CACHE_KIND,
        unit="dollars",
    ),
    counter("wrong_cache_hits", "Stored answers that a caller reported.", unit="answers"),
    histogram(
        "semantic_lookup_duration_seconds",
        "One look into the semantic cache, its embedding included.",
        buckets=MILLISECONDS,
    ),
    gauge("semantic_entries", "Questions this worker process can search.", unit="questions"),
    counter(
        "semantic_untold_changes",
        "Additions and removals that Redis did not take.",
        unit="changes",
    ),
    counter("handoffs", "Messages given to a human.", HANDOFF_OUTCOME, unit="messages"),
    counter("replies", "Final states given to the producer.", REPLY_OUTCOME, unit="replies"),
)

PROCESS: Final = (
    gauge("build_info", "Always 1; the label says what runs here.", VERSION, unit="1"),
)

INSTRUMENTS: Final[tuple[Instrument, ...]] = (*DOOR, *LEDGER_AND_QUEUE, *TURN, *PROCESS)
