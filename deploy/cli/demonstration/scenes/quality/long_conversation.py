"""A conversation that is longer than the model may be given."""

from __future__ import annotations

from typing import Final

from deploy.cli.demonstration.scene import Told, expect
from deploy.cli.demonstration.stage import Stage
from deploy.scripted_provider.answering import tokens_of
from shared.costs.price import TokenCount
from shared.messages.input_item import Role

_EXCHANGES: Final = 120
_INSTRUCTIONS: Final = "You look after the sluices. Answer in one sentence."
_NEWEST: Final = "So which of the sluices do I open first?"
_SMALL_TALK: Final = "and the water went on past the mill as it had all morning, " * 5


async def long_conversation(stage: Stage) -> Told:
    items = _conversation()
    heard = await stage.visitor.post(items, instructions=_INSTRUCTIONS)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    fitted = heard.turn.get("context", {})
    kept, dropped = fitted.get("kept", 0), fitted.get("dropped", 0)
    summarised = fitted.get("summarised", 0)
    total = len(items) + 1
    expect(kept + dropped + summarised == total, f"Of {total} items the response tells {fitted}.")
    expect(dropped + summarised > 0, "Nothing had to be cut.")
    expect(fitted["tokens"] <= fitted["token_budget"], f"It is over its budget: {fitted}.")
    asked = [call for call in stage.primary.calls if call.content == _NEWEST]
    expect(len(asked) == 1, f"The newest message was asked {len(asked)} times.")
    expect(_INSTRUCTIONS in asked[0].instructions, "The instructions did not arrive whole.")
    # The model would have been paid for every word of it, had it taken them.
    words = sum(len(tokens_of(item["content"])) for item in items) + len(tokens_of(_INSTRUCTIONS))
    saved = stage.cost_with("scripted", TokenCount(words - heard.usage.input_tokens, 0))
    return Told(
        f"A conversation of {total} items was fitted into {fitted['token_budget']} tokens: {kept} "
        f"kept, {summarised} summarised, {dropped} dropped, as the response tells. Instructions "
        "and the newest message arrived whole.",
        {"items": total, **fitted},
        saved,
    )


def _conversation() -> list[dict[str, str]]:
    said = [
        {"role": role, "content": f"{role} {number}: {_SMALL_TALK}"}
        for number in range(_EXCHANGES)
        for role in (Role.USER, Role.ASSISTANT)
    ]
    return [*said, {"role": Role.USER, "content": _NEWEST}]
