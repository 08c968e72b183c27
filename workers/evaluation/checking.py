"""Holds an answer against the checks of its case; the same validators as the guardrail's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.checks import (
    Check,
    CostCheck,
    ExactCheck,
    FactsCheck,
    GuardrailCheck,
    LatencyCheck,
    RegexCheck,
    RetrievalCheck,
    SchemaCheck,
    StateCheck,
    ToolCallCheck,
    kind_of,
)
from shared.evaluation.kept_run import CheckOutcome
from workers.evaluation.response_checks import (
    cost_holds,
    guardrail_holds,
    latency_holds,
    retrieval_holds,
    state_holds,
    tool_call_holds,
)
from workers.evaluation.text_checks import (
    Said,
    exact_holds,
    facts_holds,
    regex_holds,
    schema_holds,
)


def check_answer(check: Check, case: GoldenCase, answered: AnsweredCase) -> CheckOutcome:
    """What one check comes to. Raises KeyError for a judge's, which is none of these."""
    passed, why = _CHECKS[type(check)](check, case, answered)
    return CheckOutcome(kind_of(check), passed, why)


_CHECKS: Final[Mapping[type[Any], Callable[[Any, GoldenCase, AnsweredCase], Said]]] = {
    ExactCheck: exact_holds,
    RegexCheck: regex_holds,
    SchemaCheck: schema_holds,
    FactsCheck: facts_holds,
    GuardrailCheck: guardrail_holds,
    RetrievalCheck: retrieval_holds,
    ToolCallCheck: tool_call_holds,
    StateCheck: state_holds,
    LatencyCheck: latency_holds,
    CostCheck: cost_holds,
}
