"""The tables inside a provider's: its deployments, and how its batches are made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from shared.settings.secret import Secret
from shared.settings.units import Positive, PositiveInt

MOST_DEPLOYMENTS: Final = 31
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROUNDS_SECONDS: Final = 5.0
_Weight = Annotated[float, msgspec.Meta(ge=0)]


class DeploymentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One place or key of a provider's models: whichever has the least to do is asked.

    What it does not name it has of its provider.
    """

    name: str
    """What attempts, metrics and logs call it, behind the provider's name and an `@`."""
    base_url: str | None = None
    """Where its server is."""
    api_key_env: str | None = None
    """The variable that holds its key."""
    api_key_file: str | None = None
    """The file that holds its key."""
    api_key: Secret | None = None
    """Filled by `with_secrets`; refused in the file."""
    weight: _Weight = 1.0
    """How much it is given beside the others; 0 gives it nothing."""
    requests_per_minute: PositiveInt | None = None
    """Calls a minute by all workers together, of each model; a tenth of it may go at once."""
    tokens_per_minute: PositiveInt | None = None
    """Tokens a minute by all workers together, of each model, in and out."""
    max_concurrency: PositiveInt | None = None
    """Calls under way at once by all workers together, of each model."""

    @property
    def names_a_key(self) -> bool:
        """Whether it says where its own key is."""
        return self.api_key_env is not None or self.api_key_file is not None


class ProviderBatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a provider's batches are made and looked at, of what the batch lane can let wait for
    about half the price; an empty table takes what is usual.
    """

    most_requests: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 5_000
    """Messages of one batch."""
    most_bytes: Annotated[int, msgspec.Meta(ge=1_024, le=200_000_000)] = 33_554_432
    """Size of one batch, which a worker holds in memory while it hands it over."""
    enqueued_tokens: PositiveInt | None = None
    """Tokens that may lie at the provider at once, estimated: the limit of its account."""
    fill_seconds: Positive = 30.0
    """How long messages wait for company before a batch is made that is not full."""
    expected_seconds: Positive = 3_600.0
    """How long nineteen of twenty batches take, until five of their size were seen."""
    poll_seconds: Positive = 15.0
    """From handing a batch over to the first look at it; each further pause is half as long again.
    """
    longest_poll_seconds: Positive = 300.0
    """The longest pause between two looks."""

    @property
    def first_seconds(self) -> float:
        """How long a message that can wait is left to be handed over, before a worker has it."""
        return self.fill_seconds + _ROUNDS_SECONDS


def deployment_name(provider: str, deployment: str | None) -> str:
    """How one deployment of a provider is called; the provider itself where it has none."""
    return f"{provider}@{deployment}" if deployment else provider


def provider_of(name: str) -> str:
    """The provider of what is called so, be it one itself or a deployment."""
    return name.partition("@")[0]


def deployment_faults(
    provider: str, deployments: tuple[DeploymentSettings, ...], *, has_key: bool
) -> Iterator[str]:
    """One sentence for each fault of a provider's deployments, with its fix.

    `has_key` says whether the provider names a key for those that name none.
    """
    at = f"providers: '{provider}'"
    names = [each.name for each in deployments]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{at} has two deployments named '{name}'. Give each its own name."
    for name in names:
        if not _NAME.fullmatch(name):
            yield (
                f"{at} has a deployment named {name!r}. Use up to 64 letters, digits, dots, "
                "dashes and underscores."
            )
    if len(deployments) > MOST_DEPLOYMENTS:
        yield f"{at} has {len(deployments)} deployments. Keep {MOST_DEPLOYMENTS} at the most."
    if not sum(each.weight for each in deployments):
        yield (
            f"{at} has no deployment with a weight above 0, so none would be asked. Give one a "
            "weight."
        )
    if not has_key and any(each.names_a_key for each in deployments):
        for each in deployments:
            if not each.names_a_key:
                yield (
                    f"{at} has the deployment '{each.name}' without a key, and others with one. "
                    "Add api_key_env to it, or to the provider for all that name none."
                )
