"""The same question in other words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from deploy.cli.demo.dollars import NOTHING
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import AMPLE, Stage, until
from deploy.cli.demo.visitor import Heard, Visitor
from shared.embeddings.extra import encoder_missing
from shared.messages.turn_report import CacheKind

ASKED: Final = "How do I enable 2FA?"
OTHER_WORDS: Final = "How do I turn on 2FA?"
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Understood:
    """A producer whose first answer was given to other words as well, by every worker."""

    visitor: Visitor
    first: Heard
    hits: list[Heard]


async def semantic_hit(stage: Stage) -> Told:
    if reason := encoder_missing():
        return Told(f"Not shown. {reason}", {"is_installed": False})
    understood = await understood_by_all(stage, tenant="says it otherwise")
    hit = understood.hits[-1]
    expect(hit.text == understood.first.text, f"“{hit.text}” is another answer.")
    expect(not any(each.cost for each in understood.hits), "A stored answer was paid for.")
    cache = hit.turn["cache"]
    # What the stored answer cost when it was fresh, each time that it was given again.
    saved = sum((Decimal(each.turn["cache"]["saved"]) for each in understood.hits), NOTHING)
    return Told(
        f"“{ASKED}” was answered by the model. “{OTHER_WORDS}” (similarity "
        f"{cache['similarity']:.2f}) got the same answer from the store: “{hit.text}”",
        {"similarity": cache["similarity"], "kind": cache["kind"]},
        saved,
    )


async def understood_by_all(stage: Stage, *, tenant: str) -> Understood:
    """One tenant after the other asks, until each worker has found an answer by its meaning.

    A worker loads its encoder behind the first questions, which are misses.
    """
    seen: list[Understood] = []
    workers: set[int] = set()

    async def each_worker_has() -> bool:
        owner = await stage.visitor_with(AMPLE, tenant=f"{tenant} {len(seen)}")
        seen.append(await _asks_twice(owner.sharing_answers()))
        workers.update(await stage.books.workers_of([each.body["id"] for each in seen[-1].hits]))
        return len(workers) == stage.workers

    expect(await until(each_worker_has, seconds=_SECONDS), f"Only {len(workers)} workers found it.")
    hits = [hit for understood in seen for hit in understood.hits]
    return Understood(seen[-1].visitor, seen[-1].first, hits)


async def _asks_twice(visitor: Visitor) -> Understood:
    first = await visitor.post(ASKED)

    async def is_stored() -> bool:
        again = await visitor.post(ASKED)
        return bool(again.turn.get("cache", {}).get("kind") == CacheKind.EXACT)

    expect(await until(is_stored), "The first answer was not stored.")
    heard = await visitor.post(OTHER_WORDS)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    is_hit = heard.turn.get("cache", {}).get("kind") == CacheKind.SEMANTIC
    return Understood(visitor, first, [heard] if is_hit else [])
