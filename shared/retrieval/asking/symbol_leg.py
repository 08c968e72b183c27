"""Names of code in a question, looked up where they are defined, called or imported."""

from __future__ import annotations

import re
import time
from typing import Final

from shared.index.states import SymbolRole
from shared.index.symbol_table import FoundSymbol, SymbolTable
from shared.retrieval.asking.deadlines import Dropped, within
from shared.retrieval.asking.question import LegAnswers, LegQuestion, report
from shared.retrieval.legs import LegName
from shared.retrieval.routing import names_in
from shared.search.point import Scope
from shared.search.query import RankedId

_OF_EACH: Final = 10
"""Symbols of one name and role: a name that stands everywhere says little."""
_CALLS: Final = re.compile(
    r"\b(?:call(?:s|ed|er|ers|ing)?|use[sd]?|using|usages?)\b", re.IGNORECASE
)
_IMPORTS: Final = re.compile(r"\bimport(?:s|ed|ing)?\b", re.IGNORECASE)
_SAME, _ENDS_SO, _OTHER_CASE = 1.0, 0.9, 0.6


class SymbolLeg:
    """Finds the passages of definitions; where the question is about uses of a name, of those."""

    def __init__(self, symbols: SymbolTable, *, timeout_seconds: float) -> None:
        self._symbols = symbols
        self._timeout_seconds = timeout_seconds

    @property
    def names(self) -> frozenset[LegName]:
        return frozenset({LegName.SYMBOLS})

    async def ask(self, scope: Scope, question: LegQuestion, *, alone: bool) -> LegAnswers | None:  # noqa: ARG002
        """None where it is not asked."""
        if LegName.SYMBOLS not in question.weights:
            return None
        begun = time.perf_counter()
        found = await within(self._timeout_seconds, self._found(scope, question))
        spent = time.perf_counter() - begun
        if isinstance(found, Dropped):
            return LegAnswers({}, [report(LegName.SYMBOLS, None, spent, found.reason)])
        return LegAnswers({LegName.SYMBOLS: found}, [report(LegName.SYMBOLS, len(found), spent)])

    async def _found(self, scope: Scope, question: LegQuestion) -> list[RankedId]:
        scores: dict[str, float] = {}
        for name in names_in(question.text):
            symbols = await self._symbols.search(
                scope.tenant,
                question.collections,
                name,
                roles=roles_of(question.text),
                limit=_OF_EACH,
            )
            points = await self._symbols.points(scope.generation, symbols)
            for symbol, point in points.items():
                scores[point] = max(scores.get(point, 0.0), fit(symbol, name))
        ranked = (RankedId(point, score) for point, score in scores.items())
        return sorted(ranked, key=lambda each: (-each.score, each.id))


def roles_of(text: str) -> tuple[SymbolRole, ...]:
    """What the question wants to see of a name: its definition, unless it says otherwise."""
    asked = {SymbolRole.CALL: _CALLS, SymbolRole.IMPORT: _IMPORTS}
    return tuple(role for role, words in asked.items() if words.search(text)) or (
        SymbolRole.DEFINITION,
    )


def fit(symbol: FoundSymbol, name: str) -> float:
    """How well a name that ends so is the one that was asked, 0 to 1."""
    asked = re.sub(r"::|->|#", ".", name)
    if symbol.qualified == asked:
        return _SAME
    return _ENDS_SO if symbol.name == asked.rpartition(".")[2] else _OTHER_CASE
