"""Which scenes are played, in which order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from deploy.cli.demo.scene import Scene, name_of
from deploy.cli.demo.scenes.agents.conversation import conversation_continued
from deploy.cli.demo.scenes.agents.image import image_seen
from deploy.cli.demo.scenes.agents.structured_answer import structured_answer
from deploy.cli.demo.scenes.agents.tool_and_outage import tool_and_outage
from deploy.cli.demo.scenes.batches.batch_cancelled import batch_cancelled
from deploy.cli.demo.scenes.batches.batch_run import batch_run
from deploy.cli.demo.scenes.batches.flood_beside import flood_beside
from deploy.cli.demo.scenes.batches.gives_way import gives_way
from deploy.cli.demo.scenes.batches.line_cancelled import line_cancelled
from deploy.cli.demo.scenes.batches.provider_batch import provider_batch
from deploy.cli.demo.scenes.batches.pulled_forward import pulled_forward
from deploy.cli.demo.scenes.batches.webhook_received import webhook_received
from deploy.cli.demo.scenes.index.cited import cited
from deploy.cli.demo.scenes.index.forgotten import forgotten
from deploy.cli.demo.scenes.index.found import found
from deploy.cli.demo.scenes.index.indexed import indexed
from deploy.cli.demo.scenes.money.budget import budget_stop
from deploy.cli.demo.scenes.money.exact_hit import exact_hit
from deploy.cli.demo.scenes.money.routing import routing
from deploy.cli.demo.scenes.money.semantic_hit import semantic_hit
from deploy.cli.demo.scenes.money.single_flight import single_flight
from deploy.cli.demo.scenes.money.wrong_hit import wrong_hit
from deploy.cli.demo.scenes.quality.alert_received import alert_received
from deploy.cli.demo.scenes.quality.evaluated import evaluated
from deploy.cli.demo.scenes.quality.forbidden_span import forbidden_span
from deploy.cli.demo.scenes.quality.hallucination import hallucinated_balance
from deploy.cli.demo.scenes.quality.long_conversation import long_conversation
from deploy.cli.demo.scenes.quality.own_figures import own_figures
from deploy.cli.demo.scenes.resilience.breaker import breaker
from deploy.cli.demo.scenes.resilience.handoff import handoff
from deploy.cli.demo.scenes.resilience.hedging import hedging
from deploy.cli.demo.scenes.resilience.killed import worker_killed
from deploy.cli.demo.scenes.resilience.local_model import local_model
from deploy.cli.demo.scenes.resilience.outage import provider_outage
from deploy.cli.demo.scenes.resilience.rules import rules
from deploy.cli.demo.scenes.road.answered import answered
from deploy.cli.demo.scenes.road.background import background_polled
from deploy.cli.demo.scenes.road.burst import burst_429
from deploy.cli.demo.scenes.road.flower import flower
from deploy.cli.demo.scenes.road.idempotency import idempotency
from deploy.cli.demo.scenes.road.queue import raw_queue
from deploy.cli.demo.scenes.road.resumed import cut_and_resumed
from deploy.cli.demo.scenes.road.streamed import streamed
from shared.errors import InvalidRequest, use_one_of

_ROAD: Final = (
    answered,
    streamed,
    cut_and_resumed,
    background_polled,
    idempotency,
    raw_queue,
    burst_429,
)
_AGENTS: Final = (tool_and_outage, image_seen, structured_answer, conversation_continued)
_RESILIENCE: Final = (provider_outage, breaker, hedging, local_model, rules, handoff)
_QUALITY: Final = (
    hallucinated_balance,
    forbidden_span,
    long_conversation,
    evaluated,
    alert_received,
)
_MONEY: Final = (routing, exact_hit, single_flight, semantic_hit, wrong_hit, budget_stop)
_BATCHES: Final = (
    batch_run,
    batch_cancelled,
    line_cancelled,
    provider_batch,
    pulled_forward,
    flood_beside,
    gives_way,
    webhook_received,
)
_INDEX: Final = (indexed, found, cited, forgotten)

# The last ones want no company: a worker that was killed is not back at once, and Flower counts.
_LAST: Final = (worker_killed, flower, own_figures)

_ASKED: Final = (*_ROAD, *_AGENTS, *_RESILIENCE, *_QUALITY, *_MONEY)

SCENES: Final[tuple[Scene, ...]] = (*_ASKED, *_BATCHES, *_INDEX, *_LAST)


def scenes_named(names: Collection[str]) -> tuple[Scene, ...]:
    """Those, in the order of the programme; raises InvalidRequest for a name that none has."""
    there = {name_of(scene): scene for scene in SCENES}
    if unknown := [name for name in names if name not in there]:
        raise InvalidRequest(
            f"There is no scene {', '.join(map(repr, unknown))}. {use_one_of(there)}."
        )
    return tuple(scene for name, scene in there.items() if name in names)
