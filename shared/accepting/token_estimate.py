"""How many tokens a message will probably cost, before anybody has read it."""

from __future__ import annotations

from typing import Final

DEFAULT_OUTPUT_TOKENS: Final = 512
"""What an answer is taken to cost until the tenant's own answers have taught better."""


def reserved_tokens(
    input_tokens: int, *, p90_output_tokens: int, max_output_tokens: int | None = None
) -> int:
    """Estimated input plus the tenant's learned p90 of output; at least 1.

    A `max_output_tokens` below the p90 lowers the estimate; one above it never raises it, for
    callers name huge ones as a matter of course.
    """
    output = p90_output_tokens
    if max_output_tokens is not None:
        output = min(output, max_output_tokens)
    return max(1, input_tokens + output)
