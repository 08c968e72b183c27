"""What can be rehearsed: injections of chaos that hold for a stated time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from shared.errors import InvalidRequest
from shared.settings.providers import ProviderSettings
from shared.settings.turn.chaos import InjectedError, InjectionKind, InjectionSettings

SLOW_SECONDS: Final = 5.0


class Drill(StrEnum):
    """A bad day that can be rehearsed."""

    PRIMARY_DOWN = "primary-down"
    """Every call of the chain's first model fails, without being made."""
    PRIMARY_SLOW = "primary-slow"
    """Every call of it waits five seconds before it is made."""
    PRIMARY_LIMITED = "primary-limited"
    """Every call of it is refused with a 429."""
    MODELS_DOWN = "models-down"
    """Every call of any model fails: rules and people are left."""


class RunningDrill(msgspec.Struct, frozen=True):
    """One that runs. `number` is its entry's in the audit log."""

    drill: Drill
    number: int
    injections: tuple[InjectionSettings, ...]


_FAULT: Final = InjectionSettings(
    kind=InjectionKind.FAULT, rate=1.0, error=InjectedError.SERVER_ERROR
)
_INJECTIONS: Final[Mapping[Drill, InjectionSettings]] = {
    Drill.PRIMARY_DOWN: _FAULT,
    Drill.MODELS_DOWN: _FAULT,
    Drill.PRIMARY_LIMITED: replace(
        _FAULT, error=InjectedError.RATE_LIMITED, retry_after_seconds=SLOW_SECONDS
    ),
    Drill.PRIMARY_SLOW: InjectionSettings(
        kind=InjectionKind.LATENCY, rate=1.0, seconds=SLOW_SECONDS
    ),
}


def injections_of(
    drill: Drill, providers: Sequence[ProviderSettings], *, share: float, tenants: tuple[str, ...]
) -> tuple[InjectionSettings, ...]:
    """What is to strike this chain; `tenants` are ids, of all when empty.

    Raises InvalidRequest where the chain has no model: there is nothing that could fail.
    """
    models = [each.name for each in providers if each.kind.is_model]
    if not models:
        raise InvalidRequest(
            "No provider of the settings is a model, so none can be rehearsed to be away. Add one "
            "under [[providers]]."
        )
    struck = models if drill is Drill.MODELS_DOWN else models[:1]
    injection = replace(_INJECTIONS[drill], rate=share, providers=tuple(struck), tenants=tenants)
    return (injection,)
