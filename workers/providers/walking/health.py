"""What a failed call says of the provider's health: the breaker counts only what is its fault."""

from __future__ import annotations

from typing import Final, assert_never

from shared.breakers.reading import CallOutcome
from workers.providers.error_class import Blame
from workers.providers.failures import ProviderError

SHORTEST_FAIR_CALL_SECONDS: Final = 2.0
"""A call that was given less says nothing by running out of time: else messages with hardly any
time left would take a healthy provider away from everybody."""


def health_shown_by(error: ProviderError, *, seconds_given: float) -> CallOutcome:
    """Failure when the provider could not be reached, broke, hung, talked nonsense, or is not
    what the settings say."""
    is_failure = _is_to_blame(error, seconds_given=seconds_given)
    return CallOutcome.FAILURE if is_failure else CallOutcome.NEUTRAL


def _is_to_blame(error: ProviderError, *, seconds_given: float) -> bool:
    match error.error_class.blame:
        case Blame.ALWAYS:
            return True
        case Blame.BEFORE_FIRST_TOKEN:
            return not error.after_first_token
        case Blame.WITH_TIME_ENOUGH:
            return seconds_given >= SHORTEST_FAIR_CALL_SECONDS
        case Blame.NEVER:
            return False
        case _:
            assert_never(error.error_class.blame)
