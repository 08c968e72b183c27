"""The metrics of stored answers."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Label, counter, gauge, histogram, one_of
from shared.telemetry.instrument_tables.road import MILLISECONDS

_KIND: Final = one_of("kind", "exact", "semantic", "single_flight")
_REFUSAL: Final = Label("reason", 32, "why it was not used or not kept, such as personal")

CACHING: Final = (
    counter("cache_hits", "Messages answered without a call.", _KIND, unit="messages"),
    counter("cache_misses", "Looks into the cache that found nothing.", unit="messages"),
    counter(
        "cache_refusals",
        "Messages and answers that the cache was not used for, by why.",
        _REFUSAL,
        unit="messages",
    ),
    counter("cache_stores", "Answers kept to be given again.", unit="answers"),
    counter(
        "saved_cost",
        "What the calls would have cost that the cache spared, where it is known.",
        _KIND,
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
)
