"""What a worker's chain tells before anybody has asked it."""

from __future__ import annotations

from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.metrics import Metrics
from workers.building.chain import count_from_zero
from workers.providers.error_class import ErrorClass


def test_every_class_of_error_of_every_model_is_counted_from_zero() -> None:
    metrics = Metrics()
    one = ProviderSettings(
        name="one", kind=ProviderKind.OPENAI_COMPATIBLE, model="m", small_model="s"
    )

    count_from_zero([one], metrics)

    page = metrics.render().decode()
    for model in ("m", "s"):
        for error in ErrorClass:
            labels = f'error="{error}",model="{model}",provider="one"'
            assert f"forebay_provider_attempts_total{{{labels}}} 0.0" in page
