"""A function is found by its name, and by what it does in other words."""

from __future__ import annotations

from typing import Any, Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.index.library import NAME, open_library
from deploy.cli.demo.stage import Stage

_SYMBOL: Final = "backoff_seconds"
_PATH: Final = "shared/resilience/backoff.py"
_MEANING: Final = "wait longer and longer between tries, at random so that clients do not march"


async def found(stage: Stage) -> Told:
    async with open_library(stage) as library:
        await library.until(await library.begin())
    told = {}
    for question in (_SYMBOL, _MEANING):
        heard = await stage.visitor.search(question, collections=[NAME], limit=5)
        expect(heard.status == 200, f"The search was answered with {heard.status}: {heard.body}")
        told[question] = heard.body
    by_name, by_meaning = (_place(each) for each in told.values())
    expect(by_name == 1, f"By its name it is hit {by_name}.")
    expect(by_meaning, f"By its meaning it is not among five: {told[_MEANING]['data']}")
    route = told[_SYMBOL]["route"]["mode"]
    return Told(
        f"“{_SYMBOL}” went the way of a {route} and found it in {_PATH}, hit {by_name}. "
        f"“{_MEANING}” has not its name in it and found it as hit {by_meaning}.",
        {"by_name": by_name, "by_meaning": by_meaning},
    )


def _place(answer: dict[str, Any]) -> int | None:
    """Of the file among the hits, from 1."""
    paths = [each["document"]["path"] for each in answer["data"]]
    return paths.index(_PATH) + 1 if _PATH in paths else None
