"""Joins what was said before to what a message says, where clients send again what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.messages.item import FunctionCall, FunctionCallOutput, Item


class NamedItem(NamedTuple):
    """An item under the id by which it is known, if it has one."""

    id: str | None
    item: Item


def named(items: Sequence[Item]) -> list[NamedItem]:
    """Items under the ids that they came with."""
    return [NamedItem(item.id, item) for item in items]


class Telling:
    """A conversation as it is told: nothing in it twice because a client sent it again."""

    def __init__(self) -> None:
        self.items: list[NamedItem] = []
        self._known: dict[str, Item] = {}
        self._noted = 0
        """How many of the items are among the known: those are asked for by few."""

    def add(self, items: Iterable[NamedItem]) -> None:
        """What comes next, as it is."""
        self.items.extend(items)

    def unheard(self, asked: Sequence[NamedItem]) -> list[NamedItem]:
        """What `asked` adds to it.

        It repeats what it begins with as far as the conversation ends with it, whoever wrote
        instructions between; and any item that has the id and the words of one there, or is the
        same call or the same output of one. Where it repeats all of the conversation, and what
        was said before, it stands for it. In time that grows with both, and in hardly any where
        nothing is repeated.
        """
        last = next((each.item for each in reversed(self.items) if _talks(each)), None)
        if last is not None and any(_could_be(last, each.item) for each in asked):
            talk = _talk(asked)
            said = [each.item for each in self.items if _talks(each)]
            repeated = _overlap(said, [asked[nth].item for nth in talk])
            if repeated > len(said):
                self.items = [each for each in self.items if not _talks(each)]
                self._known, self._noted = {}, 0
                return [*asked]
            known = set(talk[:repeated])
            asked = [each for nth, each in enumerate(asked) if nth not in known]
        return [each for each in asked if not self._has(each)]

    def _has(self, each: NamedItem) -> bool:
        # An id of ours is new with its message: only what the caller wrote there can be known.
        mark = _mark(each.item.id, each.item)
        if mark is None:
            return False
        for one in self.items[self._noted :]:
            if (name := _mark(*one)) is not None:
                self._known[name] = one.item
        self._noted = len(self.items)
        known = self._known.get(mark)
        return known is not None and known.digest() == each.item.digest()


def _mark(item_id: str | None, item: Item) -> str | None:
    """What it is known by: a call and its output by the name that both have."""
    if isinstance(item, FunctionCall | FunctionCallOutput):
        return f"{item.kind} {item.call_id}"
    return item_id


def _talk(items: Sequence[NamedItem]) -> list[int]:
    return [nth for nth, each in enumerate(items) if _talks(each)]


def _talks(each: NamedItem) -> bool:
    return not each.item.role.instructs


def _overlap(said: Sequence[Item], asked: Sequence[Item]) -> int:
    """With how many of its items `asked` repeats the end of `said`, or all of it."""
    before, now = [item.digest() for item in said], [item.digest() for item in asked]
    lengths = _lengths(before, within=now)
    for end in range(len(now), 0, -1):
        if lengths[end - 1] == len(before):
            return end
    return _lengths(now, within=before)[-1]


def _could_be(one: Item, other: Item) -> bool:
    # Nearly every message is its user's words alone, and follows a model's.
    return one.kind == other.kind and one.role is other.role


def _lengths(pattern: Sequence[bytes], *, within: Sequence[bytes]) -> list[int]:
    """Of each place: how much of the pattern's beginning ends there, at the most.

    As Knuth, Morris and Pratt do it: nobody can send what takes the square of its length.
    """
    borders = [0] * len(pattern)
    for nth in range(1, len(pattern)):
        borders[nth] = _longer(pattern, borders, borders[nth - 1], pattern[nth])
    lengths, matched = [], 0
    for mark in within:
        matched = _longer(pattern, borders, matched, mark)
        lengths.append(matched)
    return lengths


def _longer(pattern: Sequence[bytes], borders: Sequence[int], matched: int, mark: bytes) -> int:
    if matched == len(pattern):
        matched = borders[matched - 1]
    while matched and pattern[matched] != mark:
        matched = borders[matched - 1]
    return matched + (pattern[matched] == mark)
