"""The steps that search files, and the index behind them, opened when it is first asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.settings import Settings
from workers.pipeline import Step
from workers.steps.caching.look_up import LookUp
from workers.steps.searching.retrieve import Retrieve
from workers.steps.searching.retriever import NoRetriever, Retriever
from workers.steps.searching.survey import Survey


@dataclass(frozen=True, slots=True)
class SearchSteps:
    """What a turn does beside the usual steps where files are searched for it."""

    survey: Survey
    retrieve: Retrieve

    def among(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The steps with these in their places: the survey before the cache is looked into, the
        search before the last step, which answers."""
        *before, answer = steps
        place = next(
            (nth for nth, step in enumerate(before) if isinstance(step, LookUp)), len(before)
        )
        return (*before[:place], self.survey, *before[place:], self.retrieve, answer)


def open_search_steps(
    settings: Settings,
    database: Database,  # noqa: ARG001
    stack: AsyncExitStack,  # noqa: ARG001
    clock: Clock,
) -> SearchSteps:
    """What the index opens is closed with `stack`."""
    return search_steps(settings, NoRetriever(), clock)


def search_steps(settings: Settings, retriever: Retriever, clock: Clock) -> SearchSteps:
    """The steps upon one retriever."""
    context = settings.context
    return SearchSteps(
        Survey(retriever, seconds=context.search_seconds, clock=clock),
        Retrieve(retriever, context, clock),
    )
