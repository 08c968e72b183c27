"""The chain of a stack whose settings name no provider."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shared.settings.providers import ProviderKind
from workers.providers.rules import BUILT_IN_RULES


def chain_behind(model: Mapping[str, object]) -> dict[str, str]:
    """The variable that asks `model` first, then built-in rules, then people."""
    rules = {"name": "rules", "kind": ProviderKind.RULES, "rules_file": str(BUILT_IN_RULES)}
    people = {"name": "handoff", "kind": ProviderKind.HANDOFF}
    return {"FOREBAY_PROVIDERS": msgspec.json.encode([model, rules, people]).decode()}
