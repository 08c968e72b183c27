"""A model invents a balance; it is caught and asked again."""

from __future__ import annotations

import json
from typing import Final

from deploy.cli.demo.dollars import price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour
from shared.messages.facts import FACTS_KEY

_INVENTED: Final = "Your balance is $127,549.32."
_TRUE: Final = "Your balance is $47.15."
_FACTS: Final = {"balance": {"type": "money", "value": 47.15, "currency": "USD"}}


async def hallucinated_balance(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text=_INVENTED, times=1))
    stage.primary.script(Behaviour(text=_TRUE))
    heard = await stage.visitor.post(
        "What is my balance?", metadata={FACTS_KEY: json.dumps(_FACTS)}
    )
    expect(heard.text == _TRUE, f"The producer got “{heard.text}” ({heard.state}).")
    calls = list(stage.primary.calls)
    expect(len(calls) == 2, f"The provider was asked {len(calls)} times.")
    first, again = calls
    expect("47.15" not in first.content, "The fact was told before it was asked for.")
    expect("47.15" in again.content, f"It was asked again with “{again.instructions}”.")
    # Without the guardrail the second call would not have been paid: this costs, and saves face.
    return Told(
        f"The model said “{_INVENTED}”, and the producer had attached 47.15 as a fact. It was "
        f"asked again with what was wrong and said “{heard.text}” Both calls are booked: "
        f"{price_tag(heard.cost)}.",
        {"provider_calls": len(calls), "answer": heard.text},
    )
