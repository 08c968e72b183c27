"""Faults on purpose: how providers misbehave in a staging system."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from shared.settings.units import Positive, Share

Wait = Annotated[float, msgspec.Meta(gt=0, le=3600)]


class InjectionKind(StrEnum):
    """What is done to a call."""

    LATENCY = "latency"
    FAULT = "fault"
    OUTCOME = "outcome"


class InjectedError(StrEnum):
    """The classes of error that can be had for the asking; named as they are stored."""

    CONNECTION = "connection"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    CUT_STREAM = "cut_stream"
    MALFORMED_ANSWER = "malformed_answer"
    UNAUTHORISED = "unauthorised"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_TOO_LONG = "context_too_long"


class InjectionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way in which some calls of models go wrong. A call may be struck by several."""

    kind: InjectionKind
    """What is done to a call."""
    rate: Share
    """The share of the calls that are struck."""
    providers: tuple[str, ...] = ()
    """Providers whose calls may be struck, or deployments of theirs as `provider@deployment`; all
    models of the chain when not given.
    """
    models: tuple[str, ...] = ()
    """Models, as their provider is asked for them; all when not given."""
    tenants: tuple[str, ...] = ()
    """Ids of tenants; all when not given."""
    seconds: Wait | None = None
    """For `latency`: how long a call waits before it is made."""
    error: InjectedError | None = None
    """For `fault`: how a call fails instead of being made. A stream that is cut is made, and cut
    after its first piece.
    """
    retry_after_seconds: Positive | None = None
    """For `rate_limited`: what the provider seems to ask for."""
    text: str | None = None
    """For `outcome`: what a model seems to answer instead of being asked; may be empty."""


class ChaosSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Faults on purpose, to see in a staging system what a bad day would be like."""

    enabled: bool = False
    """Whether anything is injected; never where real callers are."""
    rehearsals: bool = True
    """Whether `forebay rehearse` may strike this system for a stated time."""
    injections: tuple[InjectionSettings, ...] = ()
    """What is injected, one `[[chaos.injections]]` for each; the first is the outermost."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.enabled and not self.injections:
            yield (
                "chaos.enabled = true, and there is nothing to inject. Add a [[chaos.injections]], "
                "or leave chaos off."
            )
        for number, injection in enumerate(self.injections):
            needed, what = _NEEDED[injection.kind]
            at = f"chaos.injections[{number}]"
            for key in ("seconds", "error", "text", "retry_after_seconds"):
                yield from _wrong_key(injection, key, at=at, needed=needed, what=what)

    def strangers(self, models: Collection[str]) -> Iterator[str]:
        """One sentence for each provider that is named and is none of `models`, those of the chain
        that are models."""
        for number, injection in enumerate(self.injections):
            for name in injection.providers:
                if name not in models:
                    yield (
                        f"chaos.injections[{number}].providers names '{name}', which is no model "
                        f"of the chain. Models here: {', '.join(models) or 'none'}."
                    )


_NEEDED = {
    InjectionKind.LATENCY: ("seconds", "how long the calls wait, such as 2.5"),
    InjectionKind.FAULT: ("error", "how the calls fail, such as server_error"),
    InjectionKind.OUTCOME: ("text", 'what they answer, such as "" for nothing at all'),
}


def _wrong_key(
    injection: InjectionSettings, key: str, *, at: str, needed: str, what: str
) -> Iterator[str]:
    given = getattr(injection, key)
    if key == needed and given is None:
        yield f"{at}: kind = '{injection.kind}' needs {needed}. Set {what}."
    if key != needed and given is not None and not _is_rate_limit(injection, key):
        yield f"{at}.{key} = {given!r} means nothing for {_named(injection)}. Remove it."


def _is_rate_limit(injection: InjectionSettings, key: str) -> bool:
    return key == "retry_after_seconds" and injection.error is InjectedError.RATE_LIMITED


def _named(injection: InjectionSettings) -> str:
    return f"the {injection.kind} '{injection.error}'" if injection.error else injection.kind
