from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from msgspec.structs import replace

from shared.costs.price import FREE, Price, TokenCount, nano_dollars
from shared.costs.prices import Prices, total_cost
from shared.settings.costs import PriceSettings
from shared.settings.providers import ProviderKind, ProviderSettings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MILLION_EACH = TokenCount(1_000_000, 1_000_000)
OPENAI = ProviderSettings(
    name="big",
    kind=ProviderKind.OPENAI_COMPATIBLE,
    base_url="https://api.openai.com/v1",
    model="gpt-4o",
    models=("gpt-4o-mini",),
)
OWN = ProviderSettings(
    name="own",
    kind=ProviderKind.OPENAI_COMPATIBLE,
    base_url="http://10.0.0.7:8000/v1",
    model="gpt-4o",
)
RULES = ProviderSettings(name="rules", kind=ProviderKind.RULES, rules_file="r.toml")


def entry(model: str, price_in: str, price_out: str, cached: str | None = None) -> PriceSettings:
    return PriceSettings(
        model=model,
        input_per_million=Decimal(price_in),
        output_per_million=Decimal(price_out),
        cached_per_million=None if cached is None else Decimal(cached),
    )


def test_tokens_are_priced_by_kind_and_exactly() -> None:
    price = Price(Decimal("0.15"), Decimal("0.60"), Decimal("0.075"))
    cost = price.cost(TokenCount(input_tokens=1000, cached_tokens=400, output_tokens=50))
    assert cost == Decimal("0.00015")  # 600 x 0.15 + 400 x 0.075 + 50 x 0.60, per million


def test_the_users_own_price_goes_before_the_list() -> None:
    prices = Prices([entry("gpt-4o", "1", "2", "0.5")], [OPENAI])
    assert prices.cost("big", "gpt-4o", MILLION_EACH, at=NOW) == 3
    cached = TokenCount(1_000_000, 0, cached_tokens=1_000_000)
    assert prices.cost("big", "gpt-4o", cached, at=NOW) == Decimal("0.5")


def test_without_a_price_of_its_own_cached_input_costs_what_input_costs() -> None:
    prices = Prices([entry("m", "4", "8")], [OWN])
    assert prices.cost("own", "m", TokenCount(1_000_000, 0, 1_000_000), at=NOW) == 4


def test_a_dated_name_is_the_model_and_a_longer_name_is_another() -> None:
    prices = Prices([entry("m", "1", "1")], [OWN])
    for dated in ("m-2026-01-31", "m-20260131", "m@20260131"):
        assert prices.cost("own", dated, MILLION_EACH, at=NOW) == 2
    assert prices.cost("own", "m-mini", MILLION_EACH, at=NOW) is None


def test_a_listed_model_is_priced_by_its_providers_address() -> None:
    tokens = TokenCount(1000, 500, cached_tokens=200)
    usage = Usage(input_tokens=1000, cache_read_tokens=200, output_tokens=500)
    for model in ("gpt-4o", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"):
        listed = calc_price(usage, model, provider_id="openai", genai_request_timestamp=NOW)
        assert Prices([], [OPENAI]).cost("big", model, tokens, at=NOW) == listed.total_price


def test_a_price_with_tiers_depends_on_the_length() -> None:
    google = ProviderSettings(
        name="g",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        model="gemini-2.5-pro",
    )
    prices = Prices([], [google])
    short = prices.cost("g", "gemini-2.5-pro", TokenCount(100_000, 0), at=NOW)
    long = prices.cost("g", "gemini-2.5-pro", TokenCount(300_000, 0), at=NOW)
    assert short is not None
    assert long is not None
    assert long > 3 * short


def test_an_unknown_price_is_unknown_and_not_zero() -> None:
    prices = Prices([], [OPENAI, OWN])
    assert prices.cost("own", "gpt-4o", MILLION_EACH, at=NOW) is None
    assert prices.cost("big", "no-such-model", MILLION_EACH, at=NOW) is None
    assert prices.cost("nobody", "gpt-4o", MILLION_EACH, at=NOW) is None
    assert prices.unknown_models(at=NOW) == [("own", "gpt-4o")]


def test_rules_and_people_cost_nothing() -> None:
    prices = Prices([], [RULES, OPENAI])
    assert prices.cost("rules", "rules", MILLION_EACH, at=NOW) == 0
    assert prices.is_free("rules")
    assert not prices.is_free("big")
    assert Prices([], []).is_free("handoff")
    assert FREE.cost(MILLION_EACH) == 0


def _dearest(prices: Prices, *, size_bytes: int, max_output_tokens: int | None) -> Decimal:
    return prices.dearest(
        size_bytes=size_bytes, messages=1, max_output_tokens=max_output_tokens, at=NOW
    )


def test_a_message_is_reserved_by_the_dearest_call_of_the_chain() -> None:
    prices = Prices([entry("gpt-4o", "1", "9"), entry("gpt-4o-mini", "3", "2")], [OPENAI, RULES])
    # A token for each byte, and 144 around them.
    wrote = _dearest(prices, size_bytes=856, max_output_tokens=1_000)
    assert wrote == Decimal("0.010")
    read = _dearest(prices, size_bytes=999_856, max_output_tokens=1_000)
    assert read == Decimal("3.002")


def test_without_a_limit_of_the_callers_the_providers_own_counts() -> None:
    prices = Prices([entry("gpt-4o", "0", "1")], [OPENAI])
    dollars = Decimal(OPENAI.max_output_tokens) / 1_000_000
    assert _dearest(prices, size_bytes=10, max_output_tokens=None) == dollars


def test_a_chain_of_unknown_prices_reserves_nothing() -> None:
    assert _dearest(Prices([], [OWN]), size_bytes=10, max_output_tokens=10) == 0


@pytest.mark.parametrize(
    ("amount", "nano"), [("0", 0), ("0.000000001", 1), ("1.5", 1_500_000_000), ("1e-10", 1)]
)
def test_billionths_are_rounded_up(amount: str, nano: int) -> None:
    assert nano_dollars(Decimal(amount)) == nano


PERPLEXITY = ProviderSettings(
    name="search",
    kind=ProviderKind.OPENAI_COMPATIBLE,
    base_url="https://api.perplexity.ai",
    model="sonar",
    models=("sonar-deep-research",),
)
CLAUDE = ProviderSettings(
    name="claude",
    kind=ProviderKind.ANTHROPIC,
    base_url="https://api.anthropic.com",
    model="claude-3-5-haiku-latest",
    models=("claude-sonnet-4-5",),
)


def test_a_fee_for_each_call_is_counted_and_reserved_for() -> None:
    prices, tokens = Prices([], [PERPLEXITY]), TokenCount(10, 500)
    listed = calc_price(
        Usage(input_tokens=10, output_tokens=500),
        "sonar",
        provider_id="perplexity",
        genai_request_timestamp=NOW,
    )

    cost = prices.cost("search", "sonar", tokens, at=NOW)
    assert cost == listed.total_price
    assert cost > Decimal("0.005"), "the fee is most of it"
    assert prices.most("search", "sonar", tokens, at=NOW) >= cost


def test_what_has_parts_that_nobody_counts_for_us_is_unknown() -> None:
    prices = Prices([], [PERPLEXITY])

    assert prices.cost("search", "sonar-deep-research", MILLION_EACH, at=NOW) is None


@pytest.mark.parametrize("model", ["claude-3-5-haiku-latest", "claude-sonnet-4-5"])
@pytest.mark.parametrize("size", [1_000, 300_000])
def test_what_goes_into_a_cache_has_its_own_price(model: str, size: int) -> None:
    tokens = TokenCount(size, 10, cached_tokens=size // 4, cache_write_tokens=size // 2)
    listed = calc_price(
        Usage(
            input_tokens=size,
            output_tokens=10,
            cache_read_tokens=size // 4,
            cache_write_tokens=size // 2,
        ),
        model,
        provider_id="anthropic",
        genai_request_timestamp=NOW,
    )
    prices = Prices([], [CLAUDE])

    assert prices.cost("claude", model, tokens, at=NOW) == listed.total_price
    assert prices.most("claude", model, TokenCount(size, 10), at=NOW) >= listed.total_price


def test_a_price_of_ones_own_may_have_a_fee_and_a_price_of_cache_writes() -> None:
    own = PriceSettings(
        model="m",
        input_per_million=Decimal(4),
        output_per_million=Decimal(8),
        cache_write_per_million=Decimal(5),
        per_call=Decimal("0.01"),
    )

    tokens = TokenCount(1_000_000, 0, cache_write_tokens=500_000)
    assert Prices([own], [OWN]).cost("own", "m", tokens, at=NOW) == Decimal("4.51")


def test_thoughts_may_have_a_price_of_their_own_and_are_counted_once() -> None:
    own = PriceSettings(model="m", input_per_million=Decimal(0), output_per_million=Decimal(8))
    thought = TokenCount(0, 1_000_000, reasoning_tokens=250_000)
    assert Prices([own], [OWN]).cost("own", "m", thought, at=NOW) == 8
    dear = Prices([replace(own, reasoning_per_million=Decimal(20))], [OWN])
    assert dear.cost("own", "m", thought, at=NOW) == 11
    assert dear.most("own", "m", TokenCount(0, 1_000_000), at=NOW) == 20


def test_what_the_provider_asks_goes_before_the_list_and_behind_a_price_of_ones_own() -> None:
    tokens = TokenCount(1_000, 500, named_cost=Decimal("0.07"))
    own = entry("gpt-4o", "1", "2")

    assert Prices([], [OPENAI]).cost("big", "gpt-4o", tokens, at=NOW) == Decimal("0.07")
    assert Prices([], [OWN]).cost("own", "gpt-4o", tokens, at=NOW) == Decimal("0.07")
    assert Prices([own], [OPENAI]).cost("big", "gpt-4o", tokens, at=NOW) == Decimal("0.002")


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert total_cost([Decimal("0.1"), Decimal("0.2")]) == Decimal("0.3")
    assert total_cost([Decimal("0.1"), None]) is None
    assert total_cost([]) == 0
