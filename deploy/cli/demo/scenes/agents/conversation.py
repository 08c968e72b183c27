"""A conversation that the agent need not keep."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour

_NAME: Final = "My name is Ada."
_TOLD: Final = "Your name is Ada."


async def conversation_continued(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text=_TOLD), contains="What is my name", said=_NAME)
    made = await stage.visitor.begin_conversation()
    conversation = made.body["id"]
    of = {"conversation": conversation, "user": "ada@example.com"}
    first = await stage.visitor.post(_NAME, **of)
    expect(first.state == "completed", f"The response is {first.state}: {first.body}")
    # The second one sends nothing of the first.
    heard = await stage.visitor.post("What is my name?", **of)
    expect(heard.text == _TOLD, f"It answered “{heard.text}”.")
    items = await stage.visitor.conversation_items(conversation)
    kept = [item["role"] for item in items.body["data"]]
    expect(len(kept) == 4, f"The conversation has {len(kept)} items.")
    return Told(
        f"Two messages of one conversation, each sent alone; the model was told what was said "
        f"before and answered: “{heard.text}” {len(kept)} items are kept.",
        {"conversation": conversation, "items": len(kept)},
    )
