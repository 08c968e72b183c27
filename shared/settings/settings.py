"""The tree itself."""

from __future__ import annotations

import msgspec

from shared.settings.agents import DispatchSettings, WorkerSettings
from shared.settings.costs import CostSettings
from shared.settings.door import IngressSettings, LaneSettings, LimitSettings
from shared.settings.embedded import EmbeddedSettings
from shared.settings.files import BatchSettings, FileSettings
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.index import IndexSettings
from shared.settings.indexing.search import SearchSettings
from shared.settings.providers import ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.servers import BrokerSettings, LedgerSettings, RedisSettings
from shared.settings.telemetry import TelemetrySettings
from shared.settings.turn.caching import CachingSettings
from shared.settings.turn.chaos import ChaosSettings
from shared.settings.turn.context import ContextSettings
from shared.settings.turn.facts import FactSettings
from shared.settings.turn.hedging import HedgingSettings
from shared.settings.turn.local_model import LocalModelSettings
from shared.settings.turn.routing import RoutingSettings
from shared.settings.validation import ValidationSettings
from shared.settings.watching.alerts import AlertSettings
from shared.settings.watching.console import ConsoleSettings
from shared.settings.watching.evaluation import EvaluationSettings
from shared.settings.watching.rollups import RollupSettings
from shared.settings.watching.variants import VariantSettings
from shared.settings.webhooks import WebhookSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that can be set. Read once at an entry point, then handed down in parts."""

    broker: BrokerSettings = BrokerSettings()
    redis: RedisSettings = RedisSettings()
    ledger: LedgerSettings = LedgerSettings()
    ingress: IngressSettings = IngressSettings()
    files: FileSettings = FileSettings()
    batches: BatchSettings = BatchSettings()
    lanes: LaneSettings = LaneSettings()
    limits: LimitSettings = LimitSettings()
    worker: WorkerSettings = WorkerSettings()
    dispatch: DispatchSettings = DispatchSettings()
    context: ContextSettings = ContextSettings()
    routing: RoutingSettings = RoutingSettings()
    costs: CostSettings = CostSettings()
    validation: ValidationSettings = ValidationSettings()
    caching: CachingSettings = CachingSettings()
    facts: FactSettings = FactSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    breakers: BreakerSettings = BreakerSettings()
    hedging: HedgingSettings = HedgingSettings()
    local_model: LocalModelSettings = LocalModelSettings()
    chaos: ChaosSettings = ChaosSettings()
    index: IndexSettings = IndexSettings()
    search: SearchSettings = SearchSettings()
    webhooks: WebhookSettings = WebhookSettings()
    alerts: AlertSettings = AlertSettings()
    rollups: RollupSettings = RollupSettings()
    console: ConsoleSettings = ConsoleSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    variants: dict[str, VariantSettings] = {}
    providers: tuple[ProviderSettings, ...] = ()

    @property
    def batches_first_seconds(self) -> float:
        """How long a message that can wait is left to those who hand it over in a batch."""
        takers = (each.batch for each in self.providers if each.batch is not None)
        return max((each.first_seconds for each in takers), default=0.0)
