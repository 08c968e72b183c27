"""What a batch will take, told before anything of it is read but its beginning."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from ingress.api.batches.pace import BatchPace, Expected
from ingress.api.batches.sample import Sample, sample_of
from ingress.patience import Patience
from shared.batches.batch import BatchEstimate, EtaBasis, NewBatch
from shared.batches.state import BatchEndpoint
from shared.clock import Clock
from shared.costs.price import ServedTier, TokenCount
from shared.costs.prices import Prices
from shared.errors import InvalidRequest
from shared.files.content_store import ContentStore
from shared.settings import Settings

_SMALLEST: Final = Decimal("0.000001")


class Forecasts:
    """Estimates from the first lines of a batch, and refuses what cannot be met.

    A line that cannot be read is one all the same: the batch itself says what is wrong with it.
    """

    def __init__(
        self,
        store: ContentStore,
        pace: BatchPace,
        prices: Prices,
        settings: Settings,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._store = store
        self._pace = pace
        self._prices = prices
        self._settings = settings
        self._clock = clock
        self._patience = patience

    async def of(self, new: NewBatch) -> BatchEstimate:
        """What it will take.

        Raises InvalidRequest where the lane is known to need longer than its window,
        LedgerUnavailable.
        """
        beginning = await self._patience.wait(self._store.read(new.content_id, 0)) or b""
        sample = sample_of(beginning, new.input_bytes)
        if new.endpoint is BatchEndpoint.EMBEDDINGS:
            return _of_texts(sample)
        lines, window = round(sample.lines), new.window_seconds
        expected = await self._pace.expected(new.tenant_id, lines, window)
        is_measured = expected is not None and expected.basis is EtaBasis.LANE
        if expected is not None and is_measured and expected.seconds > window:
            raise InvalidRequest(
                f"It would be answered in about {expected.seconds:.0f} s as the batch lane "
                "stands, and its window is shorter. Ask for a longer one, or ask later.",
                param="completion_window",
            )
        return self._estimate(sample, expected)

    def _estimate(self, sample: Sample, expected: Expected | None) -> BatchEstimate:
        scale, tokens = sample.scale, [each for _, each in sample.requests]
        return BatchEstimate(
            round(sample.lines),
            round(sum(each.input_tokens for each in tokens) * scale),
            round(sum(each.output_tokens for each in tokens) * scale),
            cost=self._all(sample, ServedTier.BATCH),
            standard_cost=self._all(sample, ServedTier.STANDARD),
            eta_seconds=None if expected is None else expected.seconds,
            eta_basis=None if expected is None else expected.basis,
        )

    def _all(self, sample: Sample, tier: ServedTier) -> Decimal | None:
        """US dollars for all of it at that tier; None where a price of it is unknown."""
        total = Decimal(0)
        for model, tokens in sample.requests:
            cost = self._cost(model, replace(tokens, tier=tier))
            if cost is None:
                return None
            total += cost
        return (total * Decimal(sample.scale)).quantize(_SMALLEST)

    def _cost(self, model: str | None, tokens: TokenCount) -> Decimal | None:
        """Of the first provider that has the model; of the first that is asked, where none has."""
        chain = self._settings.providers
        named = [each for each in chain if model in each.named_models] or list(chain[:1])
        if not named:
            return None
        asked = model if model in named[0].named_models else next(iter(named[0].named_models), "")
        return self._prices.cost(named[0].name, asked or "", tokens, at=self._clock.now())


def _of_texts(sample: Sample) -> BatchEstimate:
    """Encoders cost no money, and no lane is told of them."""
    tokens = sum(each.input_tokens for _, each in sample.requests)
    nothing = Decimal(0)
    return BatchEstimate(round(sample.lines), round(tokens * sample.scale), 0, nothing, nothing)
