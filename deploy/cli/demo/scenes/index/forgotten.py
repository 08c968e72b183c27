"""A file is deleted: searches do not find it, and an answer from it is not given again."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.index.library import NAME, open_library
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour

_FILE: Final = "recipe.md"
_TEXT: Final = "# Grandmother's pancakes\n\nFour eggs, milk, flour, and a pinch of nutmeg.\n"
_QUESTION: Final = "What belongs into grandmother's pancakes?"


async def forgotten(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text="Four eggs, milk, flour and nutmeg [1]."))
    asking = stage.visitor.sharing_answers()
    async with open_library(stage) as library:
        (library.folder / _FILE).write_text(_TEXT, encoding="utf-8")
        await library.until(await library.begin())
        tools = [library.file_search]
        first = await asking.post(_QUESTION, tools=tools)
        again = await asking.post(_QUESTION, tools=tools)
        expect(again.turn.get("cache"), f"The second answer was not from the store: {again.turn}")
        (library.folder / _FILE).unlink()
        await library.until(await library.begin())
        heard = await stage.visitor.search(_QUESTION, collections=[NAME], limit=20)
        paths = {each["document"]["path"] for each in heard.body["data"]}
        expect(_FILE not in paths, f"It is found still: {paths}")
        calls = stage.primary.calls.count
        last = await asking.post(_QUESTION, tools=tools)
    expect(not last.turn.get("cache"), f"An answer from what is gone was given again: {last.turn}")
    return Told(
        f"“{_QUESTION}” was answered from {_FILE}: “{first.text}”, and once more from the store. "
        f"Then the file was deleted. {len(paths)} files are found now, without it, and the "
        "question went to the provider again instead of to the store.",
        {"found": len(paths), "provider_calls": stage.primary.calls.count - calls},
        saved=first.cost,
    )
