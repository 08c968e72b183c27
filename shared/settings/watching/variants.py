"""Variants: other settings for a share of the conversations, to be compared with the usual ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
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


def variant_faults(
    variants: Mapping[str, VariantSettings], *, models: Collection[str]
) -> Iterator[str]:
    """One sentence for each fault, with its fix; `models` are those of all providers."""
    for name, each in variants.items():
        if not _NAME.fullmatch(name) or name == CONTROL:
            yield (
                f"variants: '{name[:48]}' is no name of a variant. Use up to 48 of a-z, 0-9, _ "
                f"and -, beginning with a letter; {CONTROL} is what all others get."
            )
        if (each.model, each.system_prefix, each.large_from) == (None, None, None):
            yield (
                f"variants.{name} changes nothing. Give it a model, a system_prefix or large_from."
            )
        if each.model is not None and each.model not in (*_TIERS, *models):
            known = use_one_of((*_TIERS, *sorted(models)))
            yield f"variants.{name}.model = '{each.model}' is no model of any provider. {known}."
    if (shares := sum(each.share for each in variants.values())) > 1:
        yield f"variants: their shares come to {shares:g}. Lower them to 1 together."
    if len(variants) > MOST_VARIANTS:
        count = len(variants)
        yield f"variants: there are {count}. Keep {MOST_VARIANTS}: each is a label of metrics."
