"""The tool as a body keeps it, and as a response tells it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

MOST_STORES: Final = 16
MOST_RESULTS: Final = 50
USUAL_RESULTS: Final = 10
"""Passages that are asked for where nobody says how many."""
BYTES_PER_RESULT: Final = 1_600
"""What a passage comes to, roughly, for who must know before it is found."""
Ranker = Literal["none", "auto", "default-2024-11-15"]
"""`none` reranks nothing; each other takes the reranker that is set, if any."""
Weight = Annotated[float, msgspec.Meta(ge=0)]


class HybridWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much meaning counts, and how much words do."""

    embedding_weight: Weight
    text_weight: Weight


class RankingOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How findings are ordered; those below the threshold are left out."""

    ranker: Ranker | None = None
    score_threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    hybrid_search: HybridWeights | None = None


class FileSearchTool(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where passages are looked up before the model answers."""

    vector_store_ids: list[str]
    filters: dict[str, Any] | None = None
    """On the attributes of documents, as JSON."""
    max_num_results: int | None = None
    ranking_options: RankingOptions | None = None
    place: int = 0
    """How many functions stand before it among the caller's tools."""
    principals: tuple[str, ...] | None = None
    """Who may see documents for it, by the key it came with: None sees all of its tenant's, and an
    empty tuple those that name no readers. No caller says it, and no response tells of it."""
    tells_results: bool = False
    """Whether `include` asks for what was found; no response tells of it."""

    @property
    def most_results(self) -> int:
        """How many passages are asked for."""
        return self.max_num_results or USUAL_RESULTS

    @property
    def told_bytes(self) -> int:
        """What its passages come to, estimated before any is found."""
        return self.most_results * BYTES_PER_RESULT


def told_search(tool: FileSearchTool) -> dict[str, object]:
    """The tool as a response tells of it."""
    told: dict[str, object] = msgspec.to_builtins(tool)
    for ours in ("place", "principals", "tells_results"):
        told.pop(ours, None)
    return {"type": "file_search", "filters": None, **told}
