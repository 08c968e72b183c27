"""Small days for the virtual fleet, and settings for them."""

from __future__ import annotations

from typing import Any

from deploy.replay.day.recorded_day import RecordedAttempt, RecordedDay, RecordedMessage
from shared.messages.lane import Lane
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.turn.caching import CachingSettings

BEGAN = 1_000_000.0


def call(
    seconds: float = 1.0, *, provider: str = "one", error: str | None = None, cost: int = 1_000
) -> RecordedAttempt:
    """A call of 100 tokens in and 10 out."""
    return RecordedAttempt(provider, f"model of {provider}", 0.0, seconds, error, 100, 0, 10, cost)


def asked(name: str, at: float, *calls: RecordedAttempt, **more: Any) -> RecordedMessage:
    """A message that came `at` seconds after the day began."""
    fields: dict[str, Any] = {
        "tenant": "acme",
        "lane": Lane.STANDARD,
        "estimated_tokens": 140,
        "digest": name.encode().ljust(16),
        "deadline": BEGAN + at + 600.0,
        "waited": 0.0,
        "took": sum(each.latency for each in calls),
        "may_be_kept": True,
    }
    return RecordedMessage(id=name, at=BEGAN + at, attempts=calls, **{**fields, **more})


def day_of(*messages: RecordedMessage, slots: int = 100, seconds: float = 3_600.0) -> RecordedDay:
    ordered = sorted(messages, key=lambda each: each.at)
    return RecordedDay(began=BEGAN, ended=BEGAN + seconds, messages=ordered, slots=slots, plans={})


def chain_of(*names: str, cached: bool = False, **sections: Any) -> Settings:
    """Providers of these names, each with its model, and stored answers where `cached`."""
    providers = tuple(
        ProviderSettings(
            name=name,
            kind=ProviderKind.OPENAI_COMPATIBLE,
            base_url="http://127.0.0.1:1",
            model=f"model of {name}",
        )
        for name in names
    )
    return Settings(providers=providers, caching=CachingSettings(exact=cached), **sections)
