"""The settings under which the same day is lived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tests.benchmarks.day.provider import LARGE, SMALL

PRICES: Final = (
    {"model": SMALL, "input_per_million": 0.4, "output_per_million": 1.6, "flex_share": 0.5},
    {"model": LARGE, "input_per_million": 2.0, "output_per_million": 8.0, "flex_share": 0.5},
)
"""Dollars for a million tokens; the large model costs five times the small one."""
USUAL_THRESHOLD: Final = 0.7
"""Of the semantic cache: an operator would measure one with `forebay cache calibrate`."""

_EXACT: Final = {"FOREBAY_CACHING__EXACT": "true"}
_ROUTED: Final = {"small_model": SMALL, "large_model": LARGE}
_UNROUTED: Final = {"model": LARGE}


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to live the day; `models` are keys of the provider's settings."""

    name: str
    models: dict[str, str]
    caching: dict[str, str] = field(default_factory=dict)
    flex: bool = False
    """Whether what can wait goes in the batch lane, and is asked for at the flex tier."""

    def environment(self, provider_url: str) -> dict[str, str]:
        """What the worker is started with beside the servers."""
        provider: dict[str, Any] = {
            "name": "truthful",
            "kind": "openai_compatible",
            "base_url": provider_url,
            **self.models,
            "flex": self.flex,
        }
        return {
            "FOREBAY_PROVIDERS": msgspec.json.encode([provider]).decode(),
            "FOREBAY_COSTS__PRICES": msgspec.json.encode(PRICES).decode(),
            **self.caching,
        }


def arms(thresholds: Sequence[float]) -> list[Arm]:
    """Nothing, caching, routing, both, and all with the flex tier; each threshold by itself."""
    semantic = {f"semantic from {each:g}": _EXACT | _semantic(each) for each in thresholds}
    caches = {"exact": _EXACT, **{f"exact + {name}": env for name, env in semantic.items()}}
    return [
        Arm("nothing", _UNROUTED),
        *(Arm(f"caching: {name}", _UNROUTED, caching) for name, caching in caches.items()),
        Arm("routing", _ROUTED),
        *(Arm(f"routing + caching: {name}", _ROUTED, env) for name, env in caches.items()),
        Arm("flex", _UNROUTED, flex=True),
        *(
            Arm(f"flex + routing + caching: {name}", _ROUTED, env, flex=True)
            for name, env in caches.items()
        ),
    ]


def one_more_each(threshold: float) -> list[Arm]:
    """Nothing, then with caching, with routing as well, and with the flex tier as well: what each
    adds to those before it."""
    wanted = ("nothing", "caching: ", "routing + caching: ", "flex + routing + caching: ")
    every = arms([threshold])
    return [[arm for arm in every if arm.name.startswith(name)][-1] for name in wanted]


def _semantic(threshold: float) -> dict[str, str]:
    return {
        "FOREBAY_CACHING__SEMANTIC__ENABLED": "true",
        "FOREBAY_CACHING__SEMANTIC__THRESHOLD": str(threshold),
    }
