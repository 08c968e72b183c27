"""The cache key: all that an answer depends on, so that none is given where it would not fit."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import Final

import msgspec

from shared.answer_cache.stored_answer import CachePlace
from shared.messages.body import Body
from shared.messages.facts import FACTS_KEY
from shared.messages.item import Role
from workers.turn import Turn

_DIGEST_BYTES: Final = 16
NOT_IN_KEY: Final = frozenset(
    {
        # What was recalled and the model that was chosen stand in the key in their place.
        "conversation",
        "input",
        "instructions",
        "model",
        "previous_response_id",
        "truncation",
        # Of these the attached facts are.
        "metadata",
        # How the answer is given, and to whom: not what it says.
        "background",
        "cache_control",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "user",
    }
)
"""The fields of a body that do not keep its answer apart from those of others. All others do."""
_keyed: Final = attrgetter(*(name for name in Body.__struct_fields__ if name not in NOT_IN_KEY))
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Where a question's answer is kept.

    `namespace` covers all but the question itself: within it, answers to questions that mean the
    same may stand in for each other. The index generation is no part of either; it is kept with
    the entry and compared in the store.
    """

    place: CachePlace
    namespace: str
    question: str
    is_lone_question: bool
    """Whether a user asked one thing and nothing was said before."""


def cache_key(turn: Turn, *, chain: str) -> CacheKey:
    """The key of a turn whose conversation has been recalled and whose model is chosen.

    `chain` names the providers and their models: who answers is a part of the answer.
    """
    items = [(item.role.value, item.text().strip()) for item in turn.items]
    question = items.pop()[1] if items and items[-1][0] == Role.USER else ""
    namespace = _digest((chain, _asked(turn), items))
    instructions = {Role.SYSTEM, Role.DEVELOPER}
    return CacheKey(
        place=CachePlace(turn.record.tenant_id, _digest((namespace, question))),
        namespace=namespace,
        question=question,
        is_lone_question=bool(question) and all(role in instructions for role, _ in items),
    )


def _asked(turn: Turn) -> dict[str, object]:
    """What the caller asked for besides the words, and what was decided and looked up for it."""
    body = turn.body
    metadata = body.metadata or {}
    # An answer from files is old as soon as one of their collections has changed.
    told: dict[str, object] = {}
    if turn.search is not None:
        told["editions"] = turn.search.editions
    if turn.order:
        told["order"] = turn.order
    return {
        **told,
        "tenant": turn.record.tenant_id,
        "model": turn.model or body.model,
        "body": _keyed(body),
        "attached_facts": {
            key: value for key, value in metadata.items() if key.startswith(FACTS_KEY)
        },
        "facts": turn.facts,
    }


def _digest(parts: object) -> str:
    return blake2b(_encoder.encode(parts), digest_size=_DIGEST_BYTES).hexdigest()
