"""Where a prompt is asked again, so that what a provider has kept of its beginning is of use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from shared.messages.item import MessageItem, Role
from workers.providers.provider import Prompt

_LEAST_CACHED_TOKENS: Final = 1024
"""Providers keep no shorter beginnings."""
_MOST_WANTED: Final = 3
_UNIT: Final = 2.0**64


def affinity_key(prompt: Prompt, *, tokens: int) -> bytes | None:
    """What prompts with the same beginning have in common; None where nothing is gained by it.

    The caller's own cache key goes before the conversation, and that before the beginning itself:
    tools, instructions and what the user said first. `tokens` is the size of the prompt.
    """
    if prompt.prompt_cache_key:
        return f"{prompt.tenant} key {prompt.prompt_cache_key}".encode()
    if prompt.conversation:
        return f"{prompt.tenant} conversation {prompt.conversation}".encode()
    if tokens < _LEAST_CACHED_TOKENS:
        return None
    beginning = []
    for item in prompt.items:
        beginning.append(item)
        if isinstance(item, MessageItem) and item.role is Role.USER:
            break
    return msgspec.json.encode((prompt.tenant, prompt.tools, beginning))


def wanted_places(key: bytes, names: Sequence[str], weights: Sequence[float]) -> tuple[int, ...]:
    """Up to three places, from 1 on, in the order in which the key prefers them.

    Weighted rendezvous hashing: while one place is away its keys alone move, each to its own next
    one, and they are back when it is. Places with a weight of 0 are not among them.
    """
    scored = []
    for place, (name, weight) in enumerate(zip(names, weights, strict=True), start=1):
        if weight > 0:
            digest = blake2b(key, digest_size=8, key=name.encode()).digest()
            share = (int.from_bytes(digest) + 1) / (_UNIT + 1)
            scored.append((-weight / math.log(share) if share < 1 else math.inf, place))
    scored.sort(reverse=True)
    return tuple([place for _, place in scored[:_MOST_WANTED]])
