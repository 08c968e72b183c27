"""Checks of what an answer says."""

from __future__ import annotations

from typing import Final

import msgspec
import re2

from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.checks import ExactCheck, FactsCheck, RegexCheck, SchemaCheck
from shared.messages.answer_format import JsonBySchema
from shared.messages.facts import FACTS_KEY, facts_of
from workers.validation.facts import FactCheck
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Verdict

Said = tuple[bool | None, str]
"""Whether a check holds, None where nobody can say; and why not, without a word of the answer."""
HELD: Final[Said] = (True, "")


def exact_holds(check: ExactCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """The same text, but for blanks at its ends."""
    said, wanted = answered.text.strip(), check.text.strip()
    if check.ignore_case:
        said, wanted = said.casefold(), wanted.casefold()
    return HELD if said == wanted else (False, "It is another text.")


def regex_holds(check: RegexCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """A part of it matches, or none."""
    matches = re2.search(check.pattern, answered.text) is not None
    if matches is not check.absent:
        return HELD
    return False, "It matches what must be absent." if matches else "Nothing of it matches."


def schema_holds(check: SchemaCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """JSON of the schema."""
    problem = JsonBySchema(check.schema).problem(answered.text)
    return HELD if problem is None else (False, f"{problem[:1].upper()}{problem[1:]}.")


def facts_holds(_check: FactsCheck, case: GoldenCase, answered: AnsweredCase) -> Said:
    """No contradiction, as the guardrail reads them."""
    question = Question(
        conversation=(case.asked,),
        facts=facts_of({FACTS_KEY: msgspec.json.encode(case.facts).decode()}),
    )
    caught = FactCheck(verdict=Verdict.RE_ASK).check(Draft(answered.text), question)
    return HELD if caught is None else (False, f"It contradicts {caught.evidence}.")
