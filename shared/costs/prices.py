"""Prices of the chain's models: the user's table, then the built-in list, then unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from shared.costs.ceiling import call_ceiling
from shared.costs.listed_prices import Tariff, listed_tariff
from shared.costs.price import FREE, MILLION, Price, TokenCount
from shared.settings.costs import PriceSettings
from shared.settings.providers import ProviderSettings

_DATED: Final = re.compile(r"[-@:](\d{4}-\d{2}-\d{2}|\d{8})$")
_MEGATOKEN_IN: Final = TokenCount(MILLION, 0)


class Prices:
    """What an attempt cost. An unknown price is None, never zero.

    What nobody bills (rules, a person, a model of our own) costs nothing per token.
    Each pair of provider and model is looked up once.
    """

    def __init__(
        self, table: Iterable[PriceSettings], providers: Iterable[ProviderSettings]
    ) -> None:
        self._table = {each.model: _price(each) for each in table}
        self._providers = {each.name: each for each in providers}
        self._tariffs: dict[tuple[str, str], Tariff | None] = {}

    def cost(
        self, provider: str, model: str, tokens: TokenCount, *, at: datetime
    ) -> Decimal | None:
        """Dollars for a call on that day; None if the model's price is unknown.

        A price of the user's own goes before what the provider itself says that it asks, and that
        before the built-in list.
        """
        if tokens.named_cost is not None and self._own_price(model) is None:
            return Decimal(0) if self.is_free(provider) else tokens.named_cost
        tariff = self._tariff(provider, model)
        return None if tariff is None else tariff(tokens, at)

    def is_free(self, provider: str) -> bool:
        """Whether no call of this provider costs anything."""
        settings = self._providers.get(provider)
        # A chain without settings is made of built-in rules and people.
        return not self._providers or (settings is not None and not settings.kind.is_billed)

    def most(self, provider: str, model: str, tokens: TokenCount, *, at: datetime) -> Decimal:
        """The most that a call of so many tokens may cost; zero where no price is known."""
        read, written = tokens.input_tokens, tokens.output_tokens
        kinds: tuple[TokenCount, ...] = (
            TokenCount(read, written),
            TokenCount(read, written, cached_tokens=read),
            TokenCount(read, written, cache_write_tokens=read),
        )
        kinds += tuple(replace(each, reasoning_tokens=written) for each in kinds)
        costs = (self.cost(provider, model, each, at=at) for each in kinds)
        return max((cost for cost in costs if cost is not None), default=Decimal(0))

    def dearest(
        self, *, size_bytes: int, messages: int, max_output_tokens: int | None, at: datetime
    ) -> Decimal:
        """The most that any one call of the chain may cost: before anybody chose who is asked.

        Where the caller names no limit of output, each provider's own is what it is given.
        """
        largest = Decimal(0)
        for settings, model in self._chain_models():
            tokens = call_ceiling(
                size_bytes=size_bytes,
                messages=messages,
                max_output_tokens=max_output_tokens or settings.max_output_tokens,
            )
            largest = max(largest, self.most(settings.name, model, tokens, at=at))
        return largest

    def unknown_models(self, *, at: datetime) -> list[tuple[str, str]]:
        """Provider and model of everything in the chain that has no known price."""
        return [
            (settings.name, model)
            for settings, model in self._chain_models()
            if self.cost(settings.name, model, _MEGATOKEN_IN, at=at) is None
        ]

    def _chain_models(self) -> Iterable[tuple[ProviderSettings, str]]:
        for provider in self._providers.values():
            if provider.kind.is_billed:
                yield from ((provider, model) for model in provider.named_models)

    def _own_price(self, model: str) -> Price | None:
        return self._table.get(model) or self._table.get(_DATED.sub("", model))

    def _tariff(self, provider: str, model: str) -> Tariff | None:
        key = (provider, model)
        if key not in self._tariffs:
            self._tariffs[key] = self._look_up(provider, model)
        return self._tariffs[key]

    def _look_up(self, provider: str, model: str) -> Tariff | None:
        if self.is_free(provider):
            return _always(FREE)
        price = self._own_price(model)
        if price is not None:
            return _always(price)
        settings = self._providers.get(provider)
        # Without its address, a name alone could be anybody's model of that name.
        return listed_tariff(model, base_url=settings.address) if settings else None


def open_prices(table: Iterable[PriceSettings], providers: Iterable[ProviderSettings]) -> Prices:
    """Prices with the chain's models looked up, so that no turn waits for the list to load."""
    prices = Prices(table, providers)
    prices.unknown_models(at=datetime.now(UTC))
    return prices


def total_cost(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one part is unknown, and zero for no attempts at all."""
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total


def _price(entry: PriceSettings) -> Price:
    cached = entry.cached_per_million
    return Price(
        input_per_million=entry.input_per_million,
        output_per_million=entry.output_per_million,
        cached_per_million=entry.input_per_million if cached is None else cached,
        cache_write_per_million=entry.cache_write_per_million,
        reasoning_per_million=entry.reasoning_per_million,
        per_call=entry.per_call,
        batch_share=entry.batch_share,
        flex_share=entry.flex_share,
    )


def _always(price: Price) -> Tariff:
    return lambda tokens, _at: price.cost(tokens)
