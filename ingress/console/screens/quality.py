"""Whether answers are good: runs of golden sets, and what was said against answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query, whole_number
from ingress.console.figures.kept_outcomes import MOST_DAYS, KeptOutcomes, OutcomeView
from ingress.console.listing import Everything, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.errors import InvalidRequest
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import CaseResult, KeptRun
from shared.messages.tenant import KeyScope
from shared.outcomes.reading import OutcomeDimension
from shared.sessions.console_user import ConsoleUser
from shared.views.judged_pages import JudgedPage, JudgedPages, JudgedTime
from shared.views.negative_feedback import FeedbackPage, NegativeFeedback

_BETWEEN: Final = "~"
_WEEK: Final = 7
_GROUPS: Final = {each.name.lower(): each for each in OutcomeDimension}
_MOST_REPEATS: Final = 1_000_000


class RunSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Runs of one golden set."""

    set_name: str | None = msgspec.field(name="set", default=None)


class AgainstSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was said against answers to one tenant, by its id."""

    tenant: str | None = None


class RunPage(msgspec.Struct, frozen=True):
    """The newest first."""

    rows: list[KeptRun]
    next: str | None


class CaseResultPage(msgspec.Struct, frozen=True):
    """What the cases of a run came to, by the case's id."""

    run: KeptRun
    rows: list[CaseResult]
    next: str | None


class QualityScreen:
    """Nothing here acts. Everything raises LedgerUnavailable."""

    def __init__(
        self,
        runs: EvaluationCatalogue,
        feedback: NegativeFeedback,
        outcomes: KeptOutcomes,
        judged: JudgedPages,
    ) -> None:
        self._judged = judged
        self._runs = runs
        self._feedback = feedback
        self._outcomes = outcomes

    def operations(self) -> Sequence[ConsoleOperation]:
        row, reader = ConsoleOperation, KeyScope.READER
        return (
            row("GET", "/quality/runs", self._page, reader),
            row("GET", "/quality/runs/{run}", self._results, reader),
            row("GET", "/quality/feedback", self._against, reader),
            row("GET", "/quality/outcomes", self._came_of_it, reader),
            row("GET", "/quality/judged", self._judged_times, reader),
        )

    def topics(self) -> Sequence[Topic]:
        return (Topic("quality", self._newest, seconds=5.0),)

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> RunPage:
        search, asked = read_query(exchange, RunSearch)
        rows = await self._runs.runs(
            after=asked.before, limit=asked.limit, set_name=search.set_name or None
        )
        return RunPage(rows, rows[-1].id if len(rows) == asked.limit else None)

    async def _results(self, exchange: Exchange, _user: ConsoleUser) -> CaseResultPage:
        _, asked = read_query(exchange, Everything)
        run = await self._runs.find(exchange.parameters["run"])
        rows = await self._runs.results(run.id, after=_case(asked.before), limit=asked.limit)
        is_whole = len(rows) == asked.limit
        following = f"{rows[-1].repeat}{_BETWEEN}{rows[-1].case_id}" if is_whole else None
        return CaseResultPage(run, rows, following)

    async def _against(self, exchange: Exchange, _user: ConsoleUser) -> FeedbackPage:
        search, asked = read_query(exchange, AgainstSearch)
        return await self._feedback.page(
            tenant_id=search.tenant or None, before=asked.place, limit=asked.limit
        )

    async def _judged_times(self, exchange: Exchange, _user: ConsoleUser) -> JudgedPage:
        _, asked = read_query(exchange, Everything)
        return await self._judged.page(before=asked.before, limit=asked.limit)

    async def _came_of_it(self, exchange: Exchange, _user: ConsoleUser) -> OutcomeView:
        query = known_query(exchange, ("by", "days"))
        by, days = query.get("by") or "version", query.get("days") or str(_WEEK)
        if by not in _GROUPS:
            raise InvalidRequest(f"'by' must be one of {', '.join(_GROUPS)}.", param="by")
        return await self._outcomes.of(
            _GROUPS[by], whole_number(days, "days", least=1, most=MOST_DAYS)
        )

    async def _newest(self) -> tuple[list[KeptRun], str | None, list[JudgedTime]]:
        against = await self._feedback.page(limit=1)
        judged = (await self._judged.page(limit=1)).rows
        last = against.rows[0].id if against.rows else None
        return await self._runs.runs(limit=3), last, judged


def _case(place: str | None) -> tuple[str, int] | None:
    if not place:
        return None
    repeat, between, case = place.partition(_BETWEEN)
    if not between:
        raise InvalidRequest("'before' is no place in this list.", param="before")
    return case, whole_number(repeat, "before", least=0, most=_MOST_REPEATS)
