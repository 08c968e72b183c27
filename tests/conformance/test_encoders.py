"""What every encoder promises, on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import numpy
import pytest
import pytest_asyncio

from deploy.scripted_provider.embeddings import DIMENSIONS
from deploy.scripted_provider.provider import ScriptedProvider
from shared.embeddings.encoder import Encoder, EncoderPrompt, EncoderUnavailable
from shared.embeddings.onnx import OnnxEncoder
from shared.embeddings.opening import open_encoders
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings
from shared.settings.secret import ServerUrl

Opening = Callable[[], AbstractAsyncContextManager[Encoder]]


@asynccontextmanager
async def onnx(token_limit: int) -> AsyncIterator[Encoder]:
    encoder = OnnxEncoder(token_limit=token_limit)
    yield encoder
    await encoder.close()


@asynccontextmanager
async def processes() -> AsyncIterator[Encoder]:
    async with open_encoders(EmbeddingSettings(), processes=2, niceness=1) as encoders:
        yield encoders.text


@asynccontextmanager
async def remote() -> AsyncIterator[Encoder]:
    async with ScriptedProvider() as provider:
        text = EncoderSettings(
            kind=EncoderKind.OPENAI,
            model="small",
            dimensions=DIMENSIONS,
            url=ServerUrl(provider.openai_url),
            token_limit=64,
        )
        async with open_encoders(EmbeddingSettings(text=text)) as encoders:
            yield encoders.text


ENCODERS: dict[str, Opening] = {
    "onnx": partial(onnx, 256),
    "onnx-128": partial(onnx, 128),
    "processes": processes,
    "remote": remote,
}

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSE = [
    ("How do I reset my password?", "I forgot my password, how can I change it?"),
    ("Where is my parcel?", "Can you tell me where my package is?"),
    ("The cat sat on the mat.", "A cat is sitting on a mat."),
]
FAR = "The committee raised interest rates by half a point."


@pytest.fixture(params=sorted(ENCODERS), scope="module")
def opening(request: pytest.FixtureRequest) -> Opening:
    return ENCODERS[request.param]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def encoder(opening: Opening) -> AsyncIterator[Encoder]:
    async with opening() as encoder:
        yield encoder


async def test_a_vector_has_length_1_and_the_stated_dimensions(encoder: Encoder) -> None:
    vectors = await encoder.encode(["one", "", "a longer text, with punctuation… and ünïcode 你好"])
    assert vectors.shape == (3, encoder.dimensions)
    assert vectors.dtype == numpy.float32
    assert vectors.flags.writeable
    assert numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-5)


async def test_no_texts_have_no_vectors(encoder: Encoder) -> None:
    assert (await encoder.encode([])).shape == (0, encoder.dimensions)


async def test_a_text_has_the_same_vector_in_any_company(encoder: Encoder) -> None:
    texts = [text for pair in CLOSE for text in pair] + ["x " * 200, FAR]
    together = await encoder.encode(texts * 5)
    alone = await asyncio.gather(*(encoder.encode([text]) for text in texts))
    for place, vector in enumerate(alone):
        assert numpy.array_equal(together[place], vector[0])
        assert numpy.array_equal(together[place + len(texts)], vector[0])


@pytest.mark.parametrize(("first", "second"), CLOSE)
async def test_texts_of_one_meaning_are_closer_than_others(
    encoder: Encoder, first: str, second: str
) -> None:
    if encoder.name.startswith("small"):
        pytest.skip("a scripted server understands nothing")
    one, other, far = await encoder.encode([first, second, FAR])
    assert one @ other > 0.6
    assert one @ far < 0.3


async def test_what_is_beyond_the_limit_does_not_hurt(encoder: Encoder) -> None:
    (vector,) = await encoder.encode(["word " * 5000])
    assert numpy.isfinite(vector).all()


async def test_the_event_loop_goes_on_while_a_long_text_is_encoded(encoder: Encoder) -> None:
    if encoder.name.startswith("small"):
        pytest.skip("a scripted server turns on the same loop")
    await encoder.warm_up()
    encoding = asyncio.create_task(encoder.encode(["word " * 300] * 40))
    turns = 0
    while not encoding.done():
        await asyncio.sleep(0)
        turns += 1
    whole = await encoding
    assert len(whole) == 40
    assert turns > 100, "it did not even turn three times for each text"


async def test_many_texts_have_the_vectors_that_each_has_alone(encoder: Encoder) -> None:
    texts = [f"{'word ' * (place * 7 % 90)}number {place}" for place in range(60)]
    many = await encoder.encode_many(texts)
    assert many.vectors.shape == (60, encoder.dimensions)
    for place in (0, 13, 31, 59):
        assert numpy.array_equal(many.vectors[place], (await encoder.encode([texts[place]]))[0])


async def test_many_texts_say_what_was_cut_and_what_was_read(encoder: Encoder) -> None:
    long = "word " * encoder.token_limit
    many = await encoder.encode_many([long, "short", "", "word " * 100_000])
    assert many.truncated == (True, False, False, True)
    # A server counts by itself; what is sent is estimated at no less than half of the limit.
    assert encoder.token_limit < many.tokens < 2 * encoder.token_limit + 20
    vectors = await encoder.encode([long, f"{long} and what nobody sees"])
    assert numpy.array_equal(*vectors)


async def test_many_of_no_texts_are_none(encoder: Encoder) -> None:
    many = await encoder.encode_many([])
    assert many.vectors.shape == (0, encoder.dimensions)
    assert many.truncated == ()
    assert many.tokens == 0


async def test_characters_that_are_none_are_left_out(encoder: Encoder) -> None:
    broken, whole = await encoder.encode(["a lone \ud800surrogate\0", "a lone surrogate"])
    assert numpy.array_equal(broken, whole)


async def test_words_of_the_tokenizer_are_words_in_a_text(encoder: Encoder) -> None:
    if encoder.name.startswith("small"):
        pytest.skip("a server has a tokenizer of its own")
    said, spelt, without = await encoder.encode(
        ["one [SEP] two [CLS]", "one [ SEP ] two [ CLS ]", "one two"]
    )
    assert numpy.allclose(said, spelt, atol=1e-6)
    assert said @ without < 0.95


@pytest.mark.parametrize("prompt", EncoderPrompt)
async def test_a_prompt_is_taken(encoder: Encoder, prompt: EncoderPrompt) -> None:
    assert (await encoder.encode(["how so"], prompt=prompt)).shape == (1, encoder.dimensions)


async def test_a_closed_encoder_refuses(opening: Opening) -> None:
    async with opening() as encoder:
        assert (await encoder.encode(["in time"])).shape == (1, encoder.dimensions)
    with pytest.raises(EncoderUnavailable):
        await encoder.warm_up()
    with pytest.raises(EncoderUnavailable):
        await encoder.encode_many(["late"])
