"""The metrics of searches in the index."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Label, counter, histogram
from shared.telemetry.instrument_tables.road import MILLISECONDS

_SEARCH_ROUTE: Final = Label("route", 5, "keyword, semantic, code, symbol, mixed")
_LEG: Final = Label("leg", 5, "text, code, words, keyword, symbols")
_DROPPED: Final = Label(
    "reason", 12, "timeout, other_models, or the code of an error, such as store_unavailable"
)

SEARCH: Final = (
    histogram(
        "search_duration_seconds",
        "One search: vectors of the question, legs, ledger.",
        _SEARCH_ROUTE,
        buckets=MILLISECONDS,
    ),
    counter(
        "search_legs_dropped",
        "Legs of searches that did not answer.",
        _LEG,
        _DROPPED,
        unit="legs",
    ),
)
