"""A question is answered from the documents, held to them, and cites what is there."""

from __future__ import annotations

from typing import Any, Final

from deploy.cli.demo.dollars import price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.index.library import Library, open_library
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour
from shared.index.documents.reading import Documents

QUESTION: Final = "How many rows does a sweep of the ledger take at the most?"
_INVENTED: Final = "It takes 735 rows at the most [1]."
_TRUE: Final = "It takes 500 rows at the most"


async def cited(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text=_INVENTED, times=1))
    stage.primary.script(Behaviour(text=f"{_TRUE} [1]."))
    async with open_library(stage) as library:
        await library.until(await library.begin())
        heard = await stage.visitor.post(QUESTION, tools=[library.file_search])
        expect(heard.text == f"{_TRUE}.", f"The producer got “{heard.text}” ({heard.state}).")
        paths = [await _path(stage, library, each) for each in _citations(heard.body)]
    calls = list(stage.primary.calls)
    expect(len(calls) == 2 and paths, f"{len(calls)} calls, citing {paths}.")
    return Told(
        f"“{QUESTION}” was searched first, and the model got the passages as quotations. It "
        f"said “{_INVENTED}”, which none of them holds, was asked again and said “{heard.text}” It "
        f"cites {', '.join(paths)}, which is there. Both calls: {price_tag(heard.cost)}.",
        {"provider_calls": len(calls), "cited": paths, "answer": heard.text},
    )


def _citations(response: dict[str, Any]) -> list[dict[str, Any]]:
    message = next(each for each in response["output"] if each["type"] == "message")
    return list(message["content"][0]["annotations"])


async def _path(stage: Stage, library: Library, citation: dict[str, Any]) -> str:
    """Where the cited document lies; raises NotFound where the collection has none of its id."""
    expect(citation["type"] == "file_citation", f"An annotation is {citation}.")
    collection = library.collection
    document = await Documents(stage.database).find(
        collection.tenant_id, collection.id, citation["file_id"]
    )
    return document.path
