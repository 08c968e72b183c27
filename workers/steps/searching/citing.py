"""What an answer refers to: its marks taken out of the text, and told as citations of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from shared.messages.file_search.found_text import (
    Citations,
    FileCitation,
    FoundText,
    OutputSearch,
)
from shared.messages.item import SearchCall
from shared.messages.output import AnswerItem, Logprobs, told_search_call
from workers.providers.outcome import Answer
from workers.turn import Turn, TurnSearch
from workers.validation.marks import Citing, citings_in

_FAILED: Final = "failed"


def cited(answer: Answer, search: TurnSearch) -> Answer:
    """The answer behind its search. A mark that names no passage is taken out like all others.

    One that is cited already, as a stored one is, stays as it is.
    """
    if any(isinstance(item, SearchCall) for item in answer.items):
        return answer
    text, citings = citings_in(answer.text) if search.cites else (answer.text, [])
    places = tuple(dict.fromkeys(_places(citings, search.found)))
    items: tuple[AnswerItem, ...] = (search_call(search), *answer.items)
    if places:
        items = (*items, Citations(places))
    if text != answer.text and any(isinstance(item, Logprobs) for item in items):
        # Their tokens are of a text with marks.
        items = tuple([item for item in items if not isinstance(item, Logprobs)])
        answer = replace(answer, dropped=(*answer.dropped, "logprobs"))
    return replace(answer, text=text, items=items)


def search_call(search: TurnSearch) -> SearchCall:
    """The search as the ledger keeps it: with what the model was given where that is told."""
    queries = (search.question,) if search.question else ()
    if search.is_away:
        return SearchCall(queries=queries, status=_FAILED)
    return SearchCall(queries=queries, results=search.found if search.keeps_found else None)


def searched_output(turn: Turn) -> tuple[OutputSearch, ...]:
    """What a stream begins with: the search, where there is one."""
    if turn.search is None:
        return ()
    tells = turn.search.keeps_found
    return (told_search_call(turn.record.id, search_call(turn.search), tells_results=tells),)


def with_found(
    items: Iterable[AnswerItem], found: tuple[FoundText, ...] | None
) -> tuple[AnswerItem, ...]:
    """The items of an answer, with what was found in their search, or without."""
    return tuple(
        replace(item, results=found) if isinstance(item, SearchCall) else item for item in items
    )


def found_in(items: Sequence[AnswerItem]) -> tuple[FoundText, ...]:
    """What a stored answer was made from."""
    searches = [item for item in items if isinstance(item, SearchCall)]
    return searches[0].results or () if searches else ()


def _places(citings: Iterable[Citing], found: Sequence[FoundText]) -> Iterator[FileCitation]:
    for each in citings:
        for number in each.numbers:
            if 1 <= number <= len(found):
                passage = found[number - 1]
                yield FileCitation(each.at, passage.file_id, passage.filename)
