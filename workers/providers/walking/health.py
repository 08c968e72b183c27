"""What a failed call says of the provider's health: the breaker counts only what is its fault."""

from __future__ import annotations

from typing import Final, assert_never

from shared.resilience.breaker_reading import CallOutcome
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError

SHORTEST_FAIR_CALL_SECONDS: Final = 2.0
"""A call that was given less says nothing by running out of time: else messages with hardly any
time left would take a healthy provider away from everybody."""


def health_shown_by(error: ProviderError, *, seconds_given: float) -> CallOutcome:
    """Failure when the provider could not be reached, broke, hung or talked nonsense."""
    match error.error_class:
        case ErrorClass.CONNECTION | ErrorClass.SERVER_ERROR | ErrorClass.MALFORMED_ANSWER:
            return CallOutcome.FAILURE
        case ErrorClass.CUT_STREAM:
            return CallOutcome.NEUTRAL if error.after_first_token else CallOutcome.FAILURE
        case ErrorClass.TIMEOUT:
            is_fair = seconds_given >= SHORTEST_FAIR_CALL_SECONDS
            return CallOutcome.FAILURE if is_fair else CallOutcome.NEUTRAL
        case (
            ErrorClass.RATE_LIMITED
            | ErrorClass.UNAUTHORISED
            | ErrorClass.INVALID_REQUEST
            | ErrorClass.CONTEXT_TOO_LONG
            | ErrorClass.DECLINED
            | ErrorClass.REJECTED
            | ErrorClass.HELD_BACK
            | ErrorClass.HEDGED_AWAY
            | ErrorClass.ABANDONED
        ):
            return CallOutcome.NEUTRAL
        case _:
            assert_never(error.error_class)
