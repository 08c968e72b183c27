"""What of a conversation stands or falls together: a call, its outputs, and what led to it."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role


def units_of(talk: Sequence[Item]) -> list[range]:
    """The talk in parts that may be kept or left out, each the numbers of its items.

    A unit with calls goes from the thoughts and words before the first of them to the last of their
    outputs; any other item is one by itself, with the thoughts before it.
    """
    answered = {item.call_id for item in talk if isinstance(item, FunctionCallOutput)}
    units: list[range] = []
    begin, unanswered = 0, set[str]()
    for number, item in enumerate(talk):
        if not unanswered and number and not _leads_to(talk[number - 1], item):
            units.append(range(begin, number))
            begin = number
        if isinstance(item, FunctionCall) and item.call_id in answered:
            unanswered.add(item.call_id)
        elif isinstance(item, FunctionCallOutput):
            unanswered.discard(item.call_id)
    if talk:
        units.append(range(begin, len(talk)))
    return units


def newest_turn(talk: Sequence[Item], units: Sequence[range]) -> int:
    """The number of the first unit that the model is to answer now.

    It is the last one; where tools have been asked since, that of the user's newest message.
    """
    last = len(units) - 1
    for number in reversed(range(len(talk))):
        item = talk[number]
        if isinstance(item, MessageItem) and item.role is Role.USER:
            has_tools = any(isinstance(one, FunctionCallOutput) for one in talk[number:])
            return next(n for n, unit in enumerate(units) if number in unit) if has_tools else last
    return last


def loose_end(earlier: Sequence[Item], newest: Sequence[Item]) -> str | None:
    """Why the newest message cannot go on from the earlier ones; None where it can.

    A model must be told what became of each call, and of nothing that it never asked.
    """
    calls, answered = set[str](), set[str]()
    for item in (*earlier, *newest):
        if isinstance(item, FunctionCall):
            calls.add(item.call_id)
        elif isinstance(item, FunctionCallOutput):
            answered.add(item.call_id)
    asked = {item.call_id for item in earlier if isinstance(item, FunctionCall)}
    for item in newest:
        if isinstance(item, FunctionCall) and item.call_id in asked:
            return (
                f"'input' makes the call '{item.call_id[:64]}', which was made before in other "
                "words. Send it as it was made, leave it out, or rename it."
            )
        if isinstance(item, FunctionCallOutput) and item.call_id not in calls:
            return (
                f"'input' answers the call '{item.call_id[:64]}', which was not made in what it "
                "continues. Remove that output, or name the response that made the call."
            )
    for open_call in sorted(calls - answered):
        return (
            f"What 'input' continues ends with the call '{open_call[:64]}', and no output of it "
            "follows. Send it as a 'function_call_output'."
        )
    return None


def _leads_to(before: Item, item: Item) -> bool:
    """Whether the model said both in one go: what it thinks and says, then what it asks."""
    if before.role is not Role.ASSISTANT or item.role is not Role.ASSISTANT:
        return False
    return not (isinstance(before, MessageItem) and isinstance(item, MessageItem))
