"""A conversation that is longer than the model may be given."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from deploy.cli.demo.dollars import price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage, until
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.answering import tokens_of
from deploy.scripted_provider.behaviour import Behaviour
from shared.costs.price import TokenCount
from shared.messages.item import Role

_EXCHANGES: Final = 480
_INSTRUCTIONS: Final = "You look after the sluices. Answer in one sentence."
_FIRST: Final = "So which of the sluices do I open first?"
_SECOND: Final = "And which one after it?"
_SUMMARY: Final = "The water went past the mill all morning; the sluices are still shut."
_SMALL_TALK: Final = "and the water went on past the mill as it had all morning, " * 5

Said = list[dict[str, str]]


async def long_conversation(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text=_SUMMARY), model="scripted-small")
    said = [*_small_talk(), _item(Role.USER, _FIRST)]
    first = await _ask(stage, said)
    cut = _fitted(first, said)
    expect(cut.get("dropped", 0) > 0, f"Nothing had to be cut: {cut}.")
    summary_cost = await _summarised(stage, first)
    said += [_item(Role.ASSISTANT, first.text), _item(Role.USER, _SECOND)]
    second = await _ask(stage, said)
    compressed = _fitted(second, said)
    expect(compressed.get("summarised", 0) > 0, f"No summary was given: {compressed}.")
    asked = [call for call in stage.primary.calls if call.content in {_FIRST, _SECOND}]
    expect(len(asked) == 2, f"The newest messages arrived whole {len(asked)} times.")
    expect(all(_INSTRUCTIONS in call.instructions for call in asked), "The instructions are cut.")
    # The model would have been paid for every word of it both times, had it taken them.
    whole = _price_of_the_rest(stage, first, said[:-2]) + _price_of_the_rest(stage, second, said)
    return Told(
        f"{cut['kept'] + cut['dropped']} items did not fit into {cut['token_budget']} tokens: "
        f"{cut['kept']} were given, {cut['dropped']} dropped. Behind the answer the small model "
        f"summarised them for {price_tag(summary_cost)}, so in the next turn "
        f"{compressed['kept']} were given, {compressed['summarised']} summarised and "
        f"{compressed.get('dropped', 0)} dropped. Instructions and newest message: always whole.",
        {"first_turn": cut, "next_turn": compressed},
        whole - summary_cost,
    )


async def _ask(stage: Stage, said: Said) -> Heard:
    heard = await stage.visitor.post(said, instructions=_INSTRUCTIONS)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    return heard


def _fitted(heard: Heard, said: Said) -> dict[str, Any]:
    """What the response tells of it; every item is accounted for, the budget is kept."""
    fitted: dict[str, Any] = heard.turn.get("context", {})
    items = sum(fitted.get(fate, 0) for fate in ("kept", "summarised", "dropped"))
    expect(items == len(said) + 1, f"Of {len(said) + 1} items the response tells {fitted}.")
    expect(fitted["tokens"] <= fitted["token_budget"], f"It is over its budget: {fitted}.")
    return fitted


async def _summarised(stage: Stage, heard: Heard) -> Decimal:
    """What the summary cost, once it is booked to the message whose turn made it."""
    later = [heard]

    async def is_booked() -> bool:
        later.append(await stage.visitor.get(heard.body["id"]))
        return later[-1].cost > heard.cost

    expect(await until(is_booked), "Nothing was summarised behind the answer.")
    return later[-1].cost - heard.cost


def _price_of_the_rest(stage: Stage, heard: Heard, said: Said) -> Decimal:
    """What the words would have cost that the model was not given."""
    texts = [_INSTRUCTIONS, *(item["content"] for item in said)]
    words = sum(len(tokens_of(text)) for text in texts)
    return stage.cost_with("scripted", TokenCount(words - heard.usage.input_tokens, 0))


def _small_talk() -> Said:
    return [
        _item(role, f"{role} {number}: {_SMALL_TALK}")
        for number in range(_EXCHANGES)
        for role in (Role.USER, Role.ASSISTANT)
    ]


def _item(role: Role, text: str) -> dict[str, str]:
    return {"role": role, "content": text}
