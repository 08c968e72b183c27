"""Which messages `auto` gives to the small model, and which to the large one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.identifiers import TENANT
from shared.settings.units import Share


class TenantRouting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `auto` means for one tenant; `tier` goes before `large_from`."""

    tier: Literal["small", "large"] | None = None
    """The one tier it always gets."""
    large_from: Share | None = None
    """A threshold of its own."""


class RoutingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The model for a message that names none. At work where a provider has two models.

    Each weight is what its signal alone can make of the score, 0 to 1; 0 switches it off.
    """

    large_from: Share = 0.25
    """Messages of this score or more get the large model: 0 sends all of them there."""
    weight_length: Share = 0.35
    """Of a long text."""
    weight_code: Share = 0.5
    """Of code, identifiers and stack traces."""
    weight_maths: Share = 0.55
    """Of formulas, mathematical terms and reckoning."""
    weight_demand: Share = 0.6
    """Of what is asked for: to compare, design, prove, explain why."""
    weight_constraints: Share = 0.5
    """Of conditions, and of several questions or steps in one."""
    weight_history: Share = 0.2
    """Of a long conversation before it."""
    weight_output: Share = 0.35
    """Of a long or structured answer that is asked for."""
    weight_language: Share = 0.2
    """Of languages other than English, which small models know less well."""
    weight_routine: Share = 0.6
    """How far plain work (who, when, define, translate, classify) lowers the score."""
    tenants: dict[str, TenantRouting] = {}
    """Tenants by id for whom it is otherwise."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        for tenant in self.tenants:
            if not tenant.startswith(f"{TENANT}_"):
                yield (
                    f"routing.tenants: '{tenant}' is no tenant's id, which begins with {TENANT}_. "
                    "See: forebay keys list --json."
                )
