"""The table of all metrics. Dashboards and alerts are built on it: a change here is a break."""

from __future__ import annotations

from typing import Final

from shared.messages.state import ResponseState
from shared.telemetry.instrument import (
    Instrument,
    Label,
    counter,
    gauge,
    histogram,
    one_of,
)
from shared.telemetry.instrument_tables.batches import BATCHES
from shared.telemetry.instrument_tables.caching import CACHING
from shared.telemetry.instrument_tables.indexing import INDEXING
from shared.telemetry.instrument_tables.judged import JUDGED
from shared.telemetry.instrument_tables.road import (
    DOOR,
    LANE,
    LEDGER_AND_QUEUE,
    MILLISECONDS,
    PROVIDER,
    PROVIDER_BATCHES,
    SECONDS,
    TENTHS,
)
from shared.telemetry.instrument_tables.searches import SEARCH

STATE: Final = one_of("state", *ResponseState, said="the response's state, such as completed")
STEP: Final = Label("step", 12, "the step's name, such as recall")
DEPLOYMENT: Final = Label("deployment", 8, "its name in the provider's settings")
MODEL: Final = Label("model", 4, "the provider's configured models, never a name a caller sent")
ERROR_CLASS: Final = Label(
    "error", 24, "none, or the class of the attempt's error, such as timeout"
)
ODDITY: Final = one_of(
    "oddity", "unreadable_chunk", "no_reason", "odd_field", "no_stream", "odd_figures"
)
TOKEN_KIND: Final = one_of(
    "kind", "input", "cached_input", "cache_write_input", "output", "reasoning_output"
)
BREAKER_STATE: Final = one_of(
    "state", "closed", "open", "half-open", said="the state it went into: closed, open, half-open"
)
INJECTION: Final = one_of("kind", "latency", "fault", "outcome")
HEDGE_END: Final = one_of(
    "outcome", "won", "lost", "failed", said="what came of the second call: won, lost, failed"
)
TIER: Final = one_of("tier", "small", "large")
SUMMARY_END: Final = one_of(
    "outcome",
    "written",
    "failed",
    "busy",
    said="written, failed, busy: another worker was at the same conversation",
)
ITEM_FATE: Final = one_of("fate", "kept", "summarised", "dropped")
VALIDATOR: Final = Label("validator", 13, "the validator's name, such as facts")
GUARD_VERDICT: Final = one_of("verdict", "pass", "fix", "re_ask", "next_provider", "handoff")
FACT_SOURCE: Final = Label("source", 10, "the fact source's name in the settings")
FACT_OUTCOME: Final = one_of("outcome", "found", "nothing", "not_asked", "failed")
HANDOFF_OUTCOME: Final = one_of("outcome", "opened", "answered", "expired")
WEBHOOK_OUTCOME: Final = one_of("outcome", "delivered", "failed", "given_up")
REPLY_OUTCOME: Final = one_of("outcome", "published", "repeated", "failed")
VERSION: Final = Label("version", 1, "the installed version of forebay")

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
        "context_summaries",
        "Calls of the small model for a summary of what is old in a conversation.",
        SUMMARY_END,
        unit="summaries",
    ),
    counter(
        "provider_attempts",
        "Calls of a provider, failed ones too.",
        PROVIDER,
        MODEL,
        ERROR_CLASS,
        unit="attempts",
    ),
    counter(
        "provider_oddities",
        "Answers that could be read although something about them was odd.",
        PROVIDER,
        ODDITY,
        unit="answers",
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
        "deployment_attempts",
        "Calls of one deployment, of providers with several; failed ones too.",
        PROVIDER,
        DEPLOYMENT,
        ERROR_CLASS,
        unit="attempts",
    ),
    counter(
        "deployment_tokens",
        "As a deployment reported them: its cached ratio is cached_input / all kinds of input.",
        PROVIDER,
        DEPLOYMENT,
        TOKEN_KIND,
        unit="tokens",
    ),
    gauge(
        "deployment_tokens_in_flight",
        "What this process has under way there: prompts, and the most that may be written.",
        PROVIDER,
        DEPLOYMENT,
        unit="tokens",
    ),
    counter(
        "cost",
        "What attempts cost, where the price is known; failed ones too.",
        PROVIDER,
        MODEL,
        unit="dollars",
    ),
    counter(
        "unknown_costs",
        "Attempts whose cost is unknown: no price for the model.",
        PROVIDER,
        MODEL,
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
    counter("fact_lookups", "What fact sources knew.", FACT_SOURCE, FACT_OUTCOME, unit="lookups"),
    histogram(
        "fact_lookup_duration_seconds",
        "From asking a fact source to its answer or its failure.",
        FACT_SOURCE,
        buckets=MILLISECONDS,
    ),
    counter("handoffs", "Messages given to a human.", HANDOFF_OUTCOME, unit="messages"),
    counter("replies", "Final states given to the producer.", REPLY_OUTCOME, unit="replies"),
    counter("webhook_tries", "Webhooks sent, by what came of it.", WEBHOOK_OUTCOME, unit="tries"),
    histogram(
        "webhook_duration_seconds",
        "One try: resolving, connecting, sending, and the status of the answer.",
        WEBHOOK_OUTCOME,
        buckets=SECONDS,
    ),
)

PROCESS: Final = (
    counter(
        "loop_blocks",
        "Times that code held the event loop for longer than telemetry.blocked_loop_seconds.",
        unit="times",
    ),
    gauge("build_info", "Always 1; the label says what runs here.", VERSION, unit="1"),
)

INSTRUMENTS: Final[tuple[Instrument, ...]] = (
    *DOOR,
    *LEDGER_AND_QUEUE,
    *TURN,
    *CACHING,
    *JUDGED,
    *BATCHES,
    *PROVIDER_BATCHES,
    *INDEXING,
    *SEARCH,
    *PROCESS,
)
