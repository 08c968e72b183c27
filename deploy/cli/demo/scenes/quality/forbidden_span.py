"""A card number and a social security number, cut from a stream however it is cut."""

from __future__ import annotations

import json
from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind

_SAID: Final = (
    "The card on file is {card} and the number on the form is {ssn}, as far as it can be read."
)
_FORBIDDEN: Final = {"card": "4111 1111 1111 1111", "ssn": "078-05-1120"}
_PIECE_CHARACTERS: Final = 3


async def forbidden_span(stage: Stage) -> Told:
    stage.primary.script(
        Behaviour(
            kind=Kind.SLOW_DRIP,
            text=_SAID.format(**_FORBIDDEN),
            every_seconds=0.005,
            piece_characters=_PIECE_CHARACTERS,
        )
    )
    events = [event async for event in stage.visitor.stream("Which card do you have of me?")]
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    wanted = _SAID.format(**dict.fromkeys(_FORBIDDEN, "[removed]"))
    expect("".join(deltas) == wanted, f"The client read “{''.join(deltas)}”.")
    leaked = [delta for delta in deltas if any(letter.isdigit() for letter in delta)]
    expect(not leaked, f"Digits left in {leaked}.")
    whole = json.dumps(events)
    expect(not any(span in whole for span in _FORBIDDEN.values()), "A forbidden span left.")
    expect(events[-1]["type"] == "response.completed", f"It ended with {events[-1]['type']}.")
    return Told(
        f"The model streamed a card number and a social security number, {_PIECE_CHARACTERS} "
        f"characters at a time. No digit of either is in any of the {len(events)} events that "
        f"left: “{wanted}”",
        {"events": len(events), "deltas": len(deltas), "digits_leaked": len(leaked)},
    )
