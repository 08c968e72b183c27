"""The money of one call: reserved before it is made, billed when it has ended."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.costs.ceiling import call_ceiling
from shared.costs.purse import Purse, Stake
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.outcome import Usage
from workers.providers.provider import Prompt

DEFAULT_OUTPUT_TOKENS: Final = 4096


class Funding:
    """Nothing where the tenant has no cap; `most_output_tokens` is the limit of an answer where
    the caller named none and there is one."""

    def __init__(self, purse: Purse, *, most_output_tokens: int) -> None:
        self._purse = purse
        self._most_output_tokens = most_output_tokens
        self._stake: Stake | None = None

    async def fund(self, prompt: Prompt, *, provider: str, model: str) -> Prompt:
        """The prompt as it can be paid for: with a ceiling on what is written.

        Raises ProviderError of the class `held_back` where the cap leaves no room for the call.
        """
        if not await self._purse.is_capped():
            return prompt
        most = prompt.max_output_tokens or self._most_output_tokens
        ceiling = call_ceiling(
            size_bytes=_size_bytes(prompt), messages=len(prompt.items), max_output_tokens=most
        )
        self._stake = await self._purse.stake(provider, model, ceiling)
        if self._stake is None:
            raise ProviderError(
                f"what a call of {provider} may cost passes the tenant's daily budget",
                error_class=ErrorClass.HELD_BACK,
            )
        return msgspec.structs.replace(prompt, max_output_tokens=most)

    def bill(self, usage: Usage | None) -> None:
        """The call has ended and came to this; None: to nothing."""
        if self._stake is not None:
            self._stake.bill(None if usage is None else usage.tokens)


def _size_bytes(prompt: Prompt) -> int:
    extra = len(msgspec.json.encode(prompt.extra)) if prompt.extra else 0
    return extra + prompt.size_bytes()
