"""The list of prices that comes with the `genai-prices` package: on disk, never fetched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from shared.costs.price import NANO, Price, ServedTier, TokenCount

_THOUSAND: Final = Decimal(1_000)
_CONTEXTS: Final = {
    ServedTier.BATCH: {"processing": "batch"},
    ServedTier.FLEX: {"service_tier": "flex"},
    ServedTier.PRIORITY: {"service_tier": "priority"},
}
"""The list's own words. One that it does not know is silently the full price: a test holds each."""
_NOT_COUNTED: Final = ("output_citation_mtok",)

Tariff = Callable[[TokenCount, datetime], Decimal | None]
"""What tokens cost on a day; None where that is not known."""


def listed_tariff(model: str, *, base_url: str | None) -> Tariff | None:
    """The tariff of a model at the provider behind `base_url`; None if either is not listed.

    Prices change with the day and, for some models, with the length of the input. A tier that is
    not listed for the model costs what the model costs.
    """
    if base_url is not None and _is_nearby(base_url):
        return None
    # Not at the top: loading it takes half a second and 14 MiB, and a chain may need no list.
    from genai_prices.data_snapshot import get_snapshot

    try:
        provider, found = get_snapshot().find_provider_model(model, None, None, base_url)
    except LookupError:
        return None
    flat: dict[int, Price | None] = {}

    def cost(tokens: TokenCount, at: datetime) -> Decimal | None:
        if (context := _CONTEXTS.get(tokens.tier)) is not None:
            # Made anew each time, so it has no address to be known by.
            price = _flat(found.get_prices(at, context))
            return _by_tiers(found, provider, tokens, at) if price is None else price.cost(tokens)
        listed = found.get_prices(at)
        # The list lives as long as the process, so its entries are told apart by their address.
        if (price := flat.get(id(listed))) is None and id(listed) not in flat:
            price = flat[id(listed)] = _flat(listed)
        if price is not None:
            return price.cost(tokens)
        return _by_tiers(found, provider, tokens, at)

    return cost


def _is_nearby(base_url: str) -> bool:
    """Whether it is on this machine or in its network, by its address or a name without a dot:
    nobody lists what is asked for there."""
    host = urlsplit(base_url).hostname or ""
    return "." not in host or host.replace(".", "").isdigit()


def _flat(listed: Any) -> Price | None:
    """The price that holds whatever the length; None where there are tiers or gaps."""
    read, written = listed.input_mtok, listed.output_mtok
    cached = read if listed.cache_read_mtok is None else listed.cache_read_mtok
    cache_write = read if listed.cache_write_mtok is None else listed.cache_write_mtok
    calls = listed.requests_kcount or Decimal(0)
    thought = written if listed.output_reasoning_mtok is None else listed.output_reasoning_mtok
    parts = (read, written, cached, cache_write, calls, thought)
    if _asks_for_more(listed) or not all(isinstance(part, Decimal) for part in parts):
        return None
    return Price(read, written, cached, cache_write, calls / _THOUSAND, thought)


def _asks_for_more(listed: Any) -> bool:
    """Whether a part of every call has a price of its own that nobody tells us the number of."""
    return any(getattr(listed, name) is not None for name in _NOT_COUNTED)


def _by_tiers(found: Any, provider: Any, tokens: TokenCount, at: datetime) -> Decimal | None:
    from genai_prices import Usage

    context = _CONTEXTS.get(tokens.tier)
    listed = found.get_prices(at, context)
    if listed.input_mtok is None or listed.output_mtok is None or _asks_for_more(listed):
        return None
    cached = min(tokens.cached_tokens, tokens.input_tokens)
    usage = Usage(
        input_tokens=tokens.input_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=min(tokens.cache_write_tokens, tokens.input_tokens - cached),
        output_tokens=tokens.output_tokens,
        output_reasoning_tokens=min(tokens.reasoning_tokens, tokens.output_tokens),
    )
    total: Decimal = found.calc_price(
        usage, provider, genai_request_timestamp=at, price_context=context
    ).total_price
    return total.quantize(NANO, ROUND_HALF_EVEN)
