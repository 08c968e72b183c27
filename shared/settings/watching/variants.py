"""Variants: other settings for a share of the conversations, to be compared with the usual ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from shared.errors import use_one_of
from shared.settings.units import Share

CONTROL: Final = "control"
"""The name of what is answered as usual."""
ASKED_FOR: Final = "forebay_variant"
"""The key of a message's metadata that names a variant, or the usual settings."""
MOST_VARIANTS: Final = 8
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,47}")
_TIERS: Final = ("small", "large")


class VariantSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is otherwise for the conversations that fall to it. What it leaves out is as usual."""

    share: Share = 0.0
    """The share of all conversations. At 0 it is given only to who asks for it by its name."""
    model: str | None = None
    """What a message without a model gets: small, large, or a model of a provider."""
    system_prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=8_000)] | None = None
    """A system message before all others."""
    large_from: Share | None = None
    """In place of routing.large_from, and of a tenant's own."""
    chain: tuple[str, ...] = ()
    """The models that are asked, by the names of their providers, in this order; the others not."""

    @property
    def is_usual(self) -> bool:
        """Whether it changes nothing."""
        changed = (self.model, self.system_prefix, self.large_from)
        return changed == (None, None, None) and not self.chain


def variant_faults(
    variants: Mapping[str, VariantSettings], *, models: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """One sentence for each fault, with its key and its fix; `models` are those of each provider
    that is one, by its name."""
    for name, each in variants.items():
        if not _NAME.fullmatch(name) or name == CONTROL:
            yield (
                f"variants: '{name[:48]}' is no name of a variant. Use up to 48 of a-z, 0-9, _ "
                f"and -, beginning with a letter; {CONTROL} is what all others get."
            )
        if each.is_usual:
            yield (
                f"variants.{name} changes nothing. Give it a model, a system_prefix, large_from "
                "or a chain."
            )
        yield from _chain_faults(f"variants.{name}.chain", each.chain, models)
        yield from _model_faults(f"variants.{name}.model", each, models)
    if (shares := sum(each.share for each in variants.values())) > 1:
        listed = " + ".join(
            f"variants.{name}.share" for name, each in variants.items() if each.share
        )
        yield f"{listed} come to {shares:g}. Lower them to 1 together."
    if len(variants) > MOST_VARIANTS:
        count = len(variants)
        yield f"variants: there are {count}. Keep {MOST_VARIANTS}: each is a label of metrics."


def _chain_faults(
    key: str, chain: Sequence[str], models: Mapping[str, Collection[str]]
) -> Iterator[str]:
    for name in dict.fromkeys(chain):
        if name not in models:
            known = use_one_of((*models,)) if models else "Add a [[providers]]"
            yield f"{key}: '{name[:64]}' is no provider that is a model. {known}."
        if chain.count(name) > 1:
            yield f"{key} names '{name[:64]}' more than once. Name it once."


def _model_faults(
    key: str, variant: VariantSettings, models: Mapping[str, Collection[str]]
) -> Iterator[str]:
    asked = [models.get(name, ()) for name in variant.chain] or [*models.values()]
    named = {one for each in asked for one in each}
    if variant.model is not None and variant.model not in (*_TIERS, *named):
        known = use_one_of((*_TIERS, *sorted(named)))
        whose = "any provider of its chain" if variant.chain else "any provider"
        yield f"{key} = '{variant.model}' is no model of {whose}. {known}."
