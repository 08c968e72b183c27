"""POST /v1/embeddings, asked by OpenAI's own client and by hand."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

import aiohttp
import msgspec
import openai
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.embeddings.onnx import OnnxEncoder
from shared.messages.tenant import Plan
from shared.settings import Settings
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings
from shared.settings.secret import ServerUrl
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.contract import Contract
from tests.integration.ingress.running_door import RunningDoor

TEXTS = ["How do I reset my password?", "def total(prices): ..."]


async def test_openais_client_gets_the_vectors_of_the_encoder(client: openai.AsyncOpenAI) -> None:
    made = await client.embeddings.create(model="text", input=TEXTS)
    encoder = OnnxEncoder()
    vectors = await encoder.encode(TEXTS)
    await encoder.close()
    assert [each.index for each in made.data] == [0, 1]
    for each, vector in zip(made.data, vectors, strict=True):
        assert each.embedding == pytest.approx(vector.tolist(), abs=1e-7)
        assert math.isclose(sum(number * number for number in each.embedding), 1, abs_tol=1e-5)
    assert made.model == encoder.name
    assert made.usage.prompt_tokens == made.usage.total_tokens > 10


async def test_its_shape_is_openais_in_both_formats(
    contract: Contract, http: aiohttp.ClientSession
) -> None:
    told = []
    for encoding in ("float", "base64"):
        asked = {"model": "code", "input": TEXTS[1], "encoding_format": encoding}
        async with http.post("/v1/embeddings", json=asked) as answer:
            assert answer.status == 200, await answer.text()
            assert "x-ratelimit-remaining-tokens" in answer.headers
            told.append(await answer.json())
    contract.check("CreateEmbeddingResponse", told[0])
    packed = base64.b64decode(told[1]["data"][0]["embedding"])
    assert list(struct.unpack("<384f", packed)) == pytest.approx(told[0]["data"][0]["embedding"])


async def test_texts_that_were_cut_are_numbered(http: aiohttp.ClientSession) -> None:
    asked = {"model": "text", "input": ["short", "word " * 400, "short", "word " * 500]}
    async with http.post("/v1/embeddings", json=asked) as answer:
        assert answer.headers["x-forebay-truncated-inputs"] == "1, 3"


@pytest.mark.parametrize(
    ("asked", "status", "param"),
    [
        ({"model": "text"}, 400, "input"),
        ({"model": "text", "input": []}, 400, "input"),
        ({"model": "text", "input": ""}, 400, "input[0]"),
        ({"model": "text", "input": ["a", ""]}, 400, "input[1]"),
        ({"model": "text", "input": [1, 2]}, 400, "input[0]"),
        ({"model": "text", "input": [[1, 2]]}, 400, "input[0]"),
        ({"model": "text", "input": ["x"] * 2049}, 400, "input"),
        ({"model": "text", "input": "x" * 1_100_000}, 413, "input"),
        ({"model": "text-embedding-3-small", "input": "x"}, 404, "model"),
        ({"model": "text", "input": "x", "dimensions": 100}, 400, "dimensions"),
        ({"model": "text", "input": "x", "encoding_format": "int8"}, 400, "encoding_format"),
        ({"model": "text", "input": "x", "colour": "red"}, 400, "colour"),
    ],
)
async def test_what_cannot_be_embedded_is_refused_by_name(
    http: aiohttp.ClientSession, asked: dict[str, Any], status: int, param: str
) -> None:
    async with http.post("/v1/embeddings", json=asked) as answer:
        error = (await answer.json())["error"]
        assert (answer.status, error["param"]) == (status, param), error


async def test_tokens_are_refused_with_the_fix(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/embeddings", json={"model": "text", "input": [[1, 2]]}) as answer:
        error = (await answer.json())["error"]
    assert "arrays of tokens are not taken" in error["message"]


async def test_a_right_number_of_dimensions_is_taken(client: openai.AsyncOpenAI) -> None:
    made = await client.embeddings.create(model="text", input="x", dimensions=384)
    assert len(made.data[0].embedding) == 384


async def test_its_models_are_listed(client: openai.AsyncOpenAI) -> None:
    listed = {model.id for model in (await client.models.list()).data}
    assert {"text", "code", "all-MiniLM-L6-v2/int8-1"} <= listed


async def test_nobody_without_a_key_is_served(door: RunningDoor) -> None:
    async with openai.AsyncOpenAI(api_key="no", base_url=f"{door.url}/v1", max_retries=0) as nobody:
        with pytest.raises(openai.AuthenticationError):
            await nobody.embeddings.create(model="text", input="x")


async def test_it_counts_against_the_limits_of_its_tenant(
    door: RunningDoor, make_key: MakeKey
) -> None:
    plan = Plan(
        requests_per_minute=1,
        tokens_per_minute=100_000,
        user_requests_per_minute=100,
        user_tokens_per_minute=100_000,
        max_in_flight=10,
    )
    key = await make_key("small", plan=plan)
    async with openai.AsyncOpenAI(api_key=key, base_url=f"{door.url}/v1", max_retries=0) as client:
        await client.embeddings.create(model="text", input="x")
        with pytest.raises(openai.RateLimitError) as refused:
            await client.embeddings.create(model="text", input="x")
    assert refused.value.code == "rate_limited_requests"


async def test_a_server_that_is_away_is_a_503_that_tells_nothing_of_it(
    settings: Settings, make_key: MakeKey
) -> None:
    key = await make_key()
    async with ScriptedProvider() as provider:
        provider.script(Behaviour(kind=Kind.UNAUTHORISED))
        text = EncoderSettings(
            kind=EncoderKind.OPENAI, model="m", dimensions=8, url=ServerUrl(provider.openai_url)
        )
        changed = msgspec.structs.replace(settings, embeddings=EmbeddingSettings(text=text))
        with RunningDoor(changed) as door:
            url = f"{door.url}/v1"
            async with openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=0) as client:
                with pytest.raises(openai.InternalServerError) as away:
                    await client.embeddings.create(model="text", input="x")
    assert away.value.status_code == 503
    assert away.value.code == "encoder_unavailable"
    assert "Incorrect" not in away.value.message


async def test_an_encoder_that_is_not_installed_is_a_501_with_the_fix(
    settings: Settings, make_key: MakeKey
) -> None:
    key = await make_key()
    code = EncoderSettings(
        kind=EncoderKind.SENTENCE_TRANSFORMERS, model="m", revision="r", dimensions=8
    )
    changed = msgspec.structs.replace(settings, embeddings=EmbeddingSettings(code=code))
    with RunningDoor(changed) as door:
        url = f"{door.url}/v1"
        async with openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=0) as client:
            with pytest.raises(openai.InternalServerError, match=r"forebay\[torch\]") as refused:
                await client.embeddings.create(model="m", input="x")
    assert refused.value.status_code == 501
