"""Batches: whole, bounded, and ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.embeddings.batching import batches, encode_in_batches, readable
from shared.embeddings.encoder import EncodedMany, EncoderUnavailable


@given(st.lists(st.integers(1, 300)), st.integers(1, 1000), st.integers(1, 20))
def test_every_text_is_in_one_batch_and_none_is_over_the_budget(
    sizes: list[int], budget: int, largest: int
) -> None:
    cut = list(batches(sizes, budget=budget, largest=largest))
    assert sorted(place for batch in cut for place in batch) == list(range(len(sizes)))
    for batch in cut:
        assert len(batch) <= largest
        assert len(batch) == 1 or len(batch) * max(sizes[place] for place in batch) <= budget


def test_texts_of_like_length_are_together() -> None:
    assert list(batches([1, 9, 2, 8], budget=18)) == [[1, 3], [2, 0]]


def test_no_more_of_a_text_is_read_than_may_count() -> None:
    assert readable("x" * 300, 2) == ("x" * 200, True)
    assert readable("x\0\udfffy", 2) == ("xy", False)


async def test_a_batch_that_fails_ends_the_others() -> None:
    ended = 0

    async def encode(texts: Sequence[str]) -> EncodedMany:
        nonlocal ended
        if len(texts[0]) == 5:
            raise EncoderUnavailable("away")
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1
        raise AssertionError

    with pytest.raises(EncoderUnavailable):
        await encode_in_batches(
            ["123456789", "12345"], encode, dimensions=1, token_limit=9, budget=1, at_once=2
        )
    assert ended == 1


async def test_no_more_batches_are_under_way_than_allowed() -> None:
    running = most = 0

    async def encode(texts: Sequence[str]) -> EncodedMany:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        vectors = numpy.array([[float(text)] for text in texts], numpy.float32)
        return EncodedMany(vectors, (False,) * len(texts), len(texts))

    texts = [str(number) for number in range(100)]
    many = await encode_in_batches(texts, encode, dimensions=1, token_limit=9, budget=4, at_once=3)
    assert most == 3
    assert many.tokens == 100
    assert many.vectors[:, 0].tolist() == list(range(100))
