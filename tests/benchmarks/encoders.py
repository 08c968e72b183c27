"""Functions of Python's own library into vectors, by processes of the shipped model.

Beside it, the way one begins with: the same model in this process, one text a call.
"""

from __future__ import annotations

import ast
import asyncio
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncodedMany, Encoder
from shared.embeddings.onnx import OnnxEncoder
from shared.embeddings.opening import open_encoders
from shared.settings.indexing.embeddings import EmbeddingSettings
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Better, Progress, Row

TEXTS: Final = 400
TOKENS_A_SECOND: Final = 5_000.0
_ROUNDS: Final = 2


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Tokens a second of one process and of two, of code and of text."""
    texts = _functions()
    stock = asyncio.run(_one_a_call(texts[: TEXTS // 4]))
    for role in EncoderRole:
        for processes in (1, 2):
            say(f"encoding {TEXTS:,} functions as {role} in {processes} processes")
            yield Row(
                what=f"encoding functions as {role}, {processes} processes of one thread",
                on="onnxruntime",
                unit="tokens/s",
                ours=asyncio.run(_in_processes(texts, role, processes)),
                stock=stock,
                better=Better.HIGHER,
                limit=TOKENS_A_SECOND if processes == 2 else None,
            )


async def _in_processes(texts: list[str], role: EncoderRole, processes: int) -> float:
    async with open_encoders(EmbeddingSettings(), processes=processes) as encoders:
        encoder: Encoder = encoders.code if role is EncoderRole.CODE else encoders.text
        await encoder.warm_up()
        return max([await _speed(encoder, texts) for _ in range(_ROUNDS)])


async def _speed(encoder: Encoder, texts: list[str]) -> float:
    began = time.perf_counter()
    many: EncodedMany = await encoder.encode_many(texts)
    return many.tokens / (time.perf_counter() - began)


async def _one_a_call(texts: list[str]) -> float:
    encoder = OnnxEncoder(threads=1, token_limit=128)
    await encoder.warm_up()
    began = time.perf_counter()
    tokens = sum([(await encoder.encode_many([text])).tokens for text in texts])
    seconds = time.perf_counter() - began
    await encoder.close()
    return tokens / seconds


def _functions() -> list[str]:
    """As they stand, from the library's top folder, in the order of its files."""
    found: list[str] = []
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = file.read_text(encoding="utf-8", errors="replace")
        lines = source.splitlines(keepends=True)
        nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
        found.extend("".join(lines[node.lineno - 1 : node.end_lineno]) for node in nodes)
        if len(found) >= TEXTS:
            break
    return found[:TEXTS]
