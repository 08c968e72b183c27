"""Days that a real stack lived, as the ledger had them; `tests/trials/test_replay.py` lives such.

Door, worker, Postgres, Redis and a scripted provider, 2026-11-30, each 160 s of the same messages:
through eight slots with stored answers, through ten without, and with 40 requests a minute and
user. Names and texts are numbers, and of the second only what became of each message is kept.
"""

from __future__ import annotations

import gzip
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import msgspec

from deploy.replay.day.recorded_day import RecordedDay
from shared.settings import Settings
from shared.settings.costs import CostSettings, PriceSettings
from shared.settings.door import LimitSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings
from shared.settings.turn.caching import CachingSettings

_FOLDER = Path(__file__).parent / "lived"


class Lived(StrEnum):
    EIGHT_SLOTS = "eight_slots"
    TEN_SLOTS = "ten_slots"
    FORTY_A_MINUTE = "forty_a_minute"


def lived(name: Lived) -> RecordedDay:
    """The day, with the limits that its doors went by."""
    packed = (_FOLDER / f"{name}.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(packed), type=RecordedDay)


def settings_of(day: RecordedDay, *, stores_answers: bool) -> Settings:
    """Those that the day was lived through."""
    provider = ProviderSettings(
        name="scripted",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="http://127.0.0.1:1",
        model="scripted",
    )
    price = PriceSettings(
        model="scripted", input_per_million=Decimal(1), output_per_million=Decimal(5)
    )
    return Settings(
        broker=BrokerSettings(url=ServerUrl("redis://127.0.0.1:1")),
        providers=(provider,),
        costs=CostSettings(prices=(price,)),
        caching=CachingSettings(exact=stores_answers),
        limits=day.limits or LimitSettings(),
    )
