"""Which deployment a conversation prefers, and what moves when one of them comes or goes."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from shared.messages.item import MessageItem, Role
from workers.providers.deployments.affinity import affinity_key, wanted_places
from workers.providers.provider import Prompt

KEYS = [f"conversation {number}".encode() for number in range(3000)]
NAMES = ("a", "b", "c", "d")
SHORT = Prompt(items=(MessageItem(Role.USER, "Why?"),), tenant="ten_1")


def homes(names: tuple[str, ...], weights: dict[str, float]) -> dict[bytes, str]:
    listed = [weights.get(name, 1.0) for name in names]
    return {key: names[wanted_places(key, names, listed)[0] - 1] for key in KEYS}


def test_keys_are_spread_by_weight() -> None:
    counts = Counter(homes(NAMES, {"a": 3.0, "d": 0.0}).values())
    assert counts["d"] == 0
    assert abs(counts["a"] / len(KEYS) - 0.6) < 0.05
    assert abs(counts["b"] / len(KEYS) - 0.2) < 0.05


def test_only_the_keys_of_one_that_left_move() -> None:
    before, after = homes(NAMES, {}), homes(("a", "b", "d"), {})
    moved = {before[key] for key in KEYS if before[key] != after[key]}
    assert moved == {"c"}


def test_the_order_of_the_settings_does_not_matter() -> None:
    assert homes(NAMES, {}) == homes(("d", "c", "b", "a"), {})


def test_the_second_choice_is_where_it_goes_without_the_first() -> None:
    for key in KEYS[:200]:
        first, second, _ = wanted_places(key, NAMES, [1.0] * 4)
        left = [0.0 if place == first else 1.0 for place in range(1, 5)]
        assert wanted_places(key, NAMES, left)[0] == second


def test_a_key_is_the_tenants_own() -> None:
    keyed = replace(SHORT, prompt_cache_key="k")
    assert affinity_key(keyed, tokens=5) != affinity_key(replace(keyed, tenant="t2"), tokens=5)
    talk = replace(SHORT, conversation="k")
    assert affinity_key(talk, tokens=5) != affinity_key(keyed, tokens=5)


def test_what_no_provider_keeps_has_no_home() -> None:
    assert affinity_key(SHORT, tokens=1023) is None
    assert affinity_key(SHORT, tokens=1024) is not None


def test_later_turns_have_the_beginning_of_the_first() -> None:
    later = replace(
        SHORT,
        items=(*SHORT.items, MessageItem(Role.ASSISTANT, "So."), MessageItem(Role.USER, "And?")),
    )
    other = replace(SHORT, items=(MessageItem(Role.USER, "Why not?"),))
    assert affinity_key(later, tokens=2000) == affinity_key(SHORT, tokens=2000)
    assert affinity_key(other, tokens=2000) != affinity_key(SHORT, tokens=2000)
