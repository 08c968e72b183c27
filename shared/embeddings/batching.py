"""Many texts in batches of like length, each of them bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from shared.embeddings.encoder import EncodedMany
from shared.resilience.kept_running import end_tasks
from shared.storable_text import storable

LONGEST_TOKEN: Final = 100
"""Characters; no word piece is longer, so more of a text than the limit times this is not read."""
CHARACTERS_A_TOKEN: Final = 3
"""Fewer than most texts have, so that an estimate is rather too high."""
LARGEST_BATCH: Final = 256


def batches(
    sizes: Sequence[int], *, budget: int, largest: int = LARGEST_BATCH
) -> Iterator[list[int]]:
    """Places of `sizes`, those of like size together, the largest ones first.

    Each batch is at most `budget` when all of it is as long as its longest, and at most `largest`
    texts; one that is longer alone is a batch of its own.
    """
    batch: list[int] = []
    longest = 0
    for place in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        if batch and (longest * (len(batch) + 1) > budget or len(batch) == largest):
            yield batch
            batch = []
        longest = longest if batch else sizes[place]
        batch.append(place)
    if batch:
        yield batch


def readable(text: str, token_limit: int) -> tuple[str, bool]:
    """What of a text may be read at all, without what no tokenizer takes; whether it was cut."""
    most = token_limit * LONGEST_TOKEN
    return storable(text[:most]), len(text) > most


def estimated_tokens(text: str, token_limit: int) -> int:
    """At most the limit; of one that is not tokenized here."""
    return min(token_limit, len(text) // CHARACTERS_A_TOKEN + 2)


async def encode_in_batches(
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], Awaitable[EncodedMany]],
    *,
    dimensions: int,
    token_limit: int,
    budget: int,
    at_once: int,
) -> EncodedMany:
    """All of them, at most `at_once` batches under way; the first error ends the others."""
    sizes = [estimated_tokens(text, token_limit) for text in texts]
    cut = list(batches(sizes, budget=budget))
    if len(cut) <= 1:
        return await encode(texts)
    import numpy

    vectors = numpy.empty((len(texts), dimensions), numpy.float32)
    truncated = [False] * len(texts)
    tokens = 0
    waiting = iter(cut)

    async def work() -> None:
        nonlocal tokens
        for places in waiting:
            encoded = await encode([texts[place] for place in places])
            vectors[places] = encoded.vectors
            tokens += encoded.tokens
            for place, is_cut in zip(places, encoded.truncated, strict=True):
                truncated[place] = is_cut

    await _all_of([asyncio.create_task(work()) for _ in range(min(at_once, len(cut)))])
    return EncodedMany(vectors, tuple(truncated), tokens)


async def _all_of(tasks: list[asyncio.Task[None]]) -> None:
    try:
        await asyncio.gather(*tasks)
    finally:
        await end_tasks(*tasks)
