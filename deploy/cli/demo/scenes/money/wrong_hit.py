"""A question that looks like a stored one and asks for the opposite."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.money.semantic_hit import ASKED, OTHER_WORDS, understood_by_all
from deploy.cli.demo.stage import Stage
from shared.embeddings.extra import encoder_missing
from shared.embeddings.onnx import OnnxEncoder
from shared.settings import load_settings
from workers.caching.semantic.calibration.judged_pair import JudgedPair, judge_pairs
from workers.caching.semantic.calibration.labelled_pair import LabelledPair

_OPPOSITE: Final = "How do I disable 2FA?"


async def wrong_hit(stage: Stage) -> Told:
    if reason := encoder_missing():
        return Told(f"Not shown. {reason}", {"is_installed": False})
    understood = await understood_by_all(stage, tenant="means the opposite")
    heard = await understood.visitor.post(_OPPOSITE)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    expect(heard.text != understood.first.text, f"It was given the stored answer “{heard.text}”.")
    calls = stage.primary.calls.by_content[_OPPOSITE]
    expect(calls == 1, f"The provider was asked {calls} times.")
    right, wrong = await _judged(OTHER_WORDS, _OPPOSITE)
    threshold = load_settings(stage.environment).caching.semantic.threshold or 1.0
    expect(wrong.similarity >= threshold, f"It is not similar at all: {wrong.similarity:.2f}.")
    expect(wrong.refused_by is not None, "The guard would let it through.")
    # The guard saves nothing: it costs a call of the model where a wrong answer would be free.
    return Told(
        f"“{_OPPOSITE}” is {wrong.similarity:.2f} similar to “{ASKED}”, “{OTHER_WORDS}” "
        f"{right.similarity:.2f}: no threshold tells them apart. The guard does "
        f"({wrong.refused_by}), and the model was asked: “{heard.text}”",
        {
            "similarity": round(wrong.similarity, 4),
            "similarity_of_a_right_hit": round(right.similarity, 4),
            "threshold": threshold,
            "refused_by": wrong.refused_by,
        },
    )


async def _judged(*questions: str) -> list[JudgedPair]:
    """How each stands beside the stored question, as a worker's cache sees it."""
    encoder = OnnxEncoder()
    pairs = [LabelledPair(first=ASKED, second=question, same=False) for question in questions]
    try:
        return [judged async for judged in judge_pairs(encoder, pairs)]
    finally:
        await encoder.close()
