"""Does the reranker that the settings name answer? It is asked for one score, if at all."""

from __future__ import annotations

import asyncio

from deploy.cli.check.finding import CheckFinding, fine, hint
from shared.retrieval.reranking.remote_reranker import RemoteReranker
from shared.retrieval.reranking.reranker import RerankerUnavailable
from shared.settings.indexing.reranker import RerankerSettings

_SECTION = "reranker"


async def check_reranker(settings: RerankerSettings, *, ask: bool) -> list[CheckFinding]:
    """Nothing where none is set; searches do without one that does not answer."""
    if not settings.url:
        return []
    who = f"{settings.model or settings.kind} at {settings.url.redacted}"
    problem = await _problem(settings) if ask else None
    if problem is None:
        return [fine(_SECTION, f"{who} orders the best {settings.candidates} that are found.")]
    return [hint(_SECTION, f"{who}: {problem} Searches stay in the order they are found in.")]


async def _problem(settings: RerankerSettings) -> str | None:
    reranker = RemoteReranker(settings)
    try:
        async with asyncio.timeout(settings.timeout_seconds):
            await reranker.scores("a question", ["a passage"])
    except RerankerUnavailable as error:
        return error.message
    except TimeoutError:
        return f"It did not answer within timeout_seconds = {settings.timeout_seconds:g}."
    finally:
        await reranker.close()
    return None
