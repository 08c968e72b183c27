"""A picture goes to the model that was asked about it."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour

_SEEN: Final = "A single red pixel."
_PNG: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGA"
    "hKmMIQAAAABJRU5ErkJggg=="
)


async def image_seen(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text=_SEEN), images=1)
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}", "detail": "low"}
    question = {"type": "input_text", "text": "What does this picture show?"}
    heard = await stage.visitor.post([{"role": "user", "content": [question, picture]}])
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    expect(heard.text == _SEEN, f"It saw “{heard.text}”.")
    (call,) = stage.primary.calls
    expect(call.images == 1, f"The provider was shown {call.images} pictures.")
    return Told(
        f"A question and a picture beside it: the provider was shown both and answered: "
        f"“{heard.text}”",
        {"images": call.images, "input_tokens": heard.usage.input_tokens},
    )
