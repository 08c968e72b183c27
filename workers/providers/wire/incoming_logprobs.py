"""How likely tokens were, as servers of chat completions tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from shared.messages.output import LikelyToken, Logprobs, TokenLogprob
from shared.storable_text import storable
from workers.providers.wire.loose_json import LARGEST_NUMBER, elements, mapping

_UNLIKELY: Final = -9999.0
"""OpenAI's word for a token that is far from likely; others write what no JSON has a number for."""
_LARGEST_BYTE: Final = 255
_MOST_BESIDE: Final = 20
"""As many as can be asked for beside a token: nobody can read more of them."""
MOST_LIKELY_TOKENS: Final = 50_000
"""Of so many an answer tells how likely they were; more would be larger than all else that is sent
of answers. They are 50,000 tokens, or 2,380 with twenty more beside each."""


class IncomingLogprobs:
    """Put together from what each event tells of the tokens of its text."""

    def __init__(self) -> None:
        self._tokens: list[TokenLogprob] = []
        self._likely_tokens = 0
        self._passed_on = 0

    def take(self, tokens: Sequence[TokenLogprob]) -> None:
        """Beyond what is kept they are counted and nothing else."""
        self._likely_tokens += sum([1 + len(token.top_logprobs) for token in tokens])
        if self._likely_tokens <= MOST_LIKELY_TOKENS:
            self._tokens += tokens

    def new(self) -> Logprobs | None:
        """What came since this was asked."""
        new, self._passed_on = self._tokens[self._passed_on :], len(self._tokens)
        return Logprobs(tuple(new)) if new else None

    def item(self) -> Logprobs | None:
        """All of it; nothing where more was told than is kept."""
        is_whole = self._likely_tokens <= MOST_LIKELY_TOKENS
        return Logprobs(tuple(self._tokens)) if self._tokens and is_whole else None


def token_logprobs(told: object) -> tuple[TokenLogprob, ...]:
    """Of the text and of a refusal; what cannot be read as a token is left out."""
    lists = (mapping(told).get(name) for name in ("content", "refusal"))
    tokens = (mapping(one) for each in lists for one in elements(each))
    return tuple([_written(token) for token in tokens if isinstance(token.get("token"), str)])


def _written(token: Mapping[str, object]) -> TokenLogprob:
    others = [mapping(one) for one in elements(token.get("top_logprobs"))[:_MOST_BESIDE]]
    likely = [_likely(one) for one in others if isinstance(one.get("token"), str)]
    told = _likely(token)
    return TokenLogprob(told.token, told.logprob, told.bytes, likely)


def _likely(token: Mapping[str, object]) -> LikelyToken:
    """Its bytes are those of its text where the server tells none."""
    text = storable(str(token["token"]))
    told = _bytes(token.get("bytes")) or list(text.encode())
    return LikelyToken(text, _logprob(token.get("logprob")), told)


def _logprob(told: object) -> float:
    if isinstance(told, int):
        return float(told) if abs(told) < LARGEST_NUMBER else _UNLIKELY
    return told if isinstance(told, float) and math.isfinite(told) else _UNLIKELY


def _bytes(told: object) -> list[int]:
    numbers = [number for number in elements(told) if isinstance(number, int)]
    return numbers if all(0 <= number <= _LARGEST_BYTE for number in numbers) else []
