"""The servers under a worker, and the settings that make its clocks run fast."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from shared.settings import Settings, load_settings
from tests.integration.patience import PATIENCE_SECONDS

SHORT_LEASE_SECONDS = 2.0
SHORT_LEASE = {"FOREBAY_LEDGER__LEASE_SECONDS": str(SHORT_LEASE_SECONDS)}
"""Where a worker dies or freezes: elsewhere one that is late must not lose its turns."""
QUICK = {
    "FOREBAY_LEDGER__WAKE_AFTER_SECONDS": "1",
    "FOREBAY_LEDGER__WAKE_AFTER_MAX_SECONDS": "2",
    "FOREBAY_LEDGER__SWEEP_SECONDS": "0.2",
    "FOREBAY_WORKER__SOFT_SHUTDOWN_SECONDS": "2",
    # Some open a worker's runtime in the process of the tests, which is not to be bound to a core.
    "FOREBAY_WORKER__ONE_CORE": "false",
}
PATIENT = {
    "FOREBAY_LEDGER__LEASE_SECONDS": "60",
    "FOREBAY_LEDGER__TIMEOUT_SECONDS": "30",
    "FOREBAY_INGRESS__LEDGER_TIMEOUT_SECONDS": "30",
    "FOREBAY_REDIS__TIMEOUT_SECONDS": "1",
    "FOREBAY_SEARCH__ENCODER_TIMEOUT_SECONDS": "30",
    "FOREBAY_SEARCH__STORE_TIMEOUT_SECONDS": "30",
    "FOREBAY_SEARCH__KEYWORD_TIMEOUT_SECONDS": "30",
    "FOREBAY_SEARCH__SYMBOLS_TIMEOUT_SECONDS": "30",
    "FOREBAY_CONTEXT__SEARCH_SECONDS": "60",
}
"""Servers that are there all the time are waited for as long as a busy machine may stand still."""


def openai_link(url: str, name: str = "first", **settings: Any) -> dict[str, Any]:
    """A link of the chain that calls a scripted provider once and goes on."""
    return {
        "name": name,
        "kind": "openai_compatible",
        "base_url": url,
        "model": "scripted",
        "max_tries": 1,
        **settings,
    }


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where everything is. `environment` is what a worker's process is started with."""

    broker_url: str
    redis_url: str
    ledger_url: str
    providers: list[dict[str, Any]]
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **QUICK,
            **PATIENT,
            "FOREBAY_BROKER__URL": self.broker_url,
            "FOREBAY_REDIS__URL": self.redis_url,
            "FOREBAY_LEDGER__URL": self.ledger_url,
            "FOREBAY_PROVIDERS": json.dumps(self.providers),
            **self.extra,
        }

    @property
    def settings(self) -> Settings:
        """The same, for what runs inside a test."""
        told = load_settings(self.environment)
        return replace(told, redis=replace(told.redis, timeout_seconds=PATIENCE_SECONDS))
