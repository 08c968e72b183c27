from __future__ import annotations

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes

from shared.telemetry import genai


def test_every_pinned_name_is_one_of_the_conventions() -> None:
    known = {
        value
        for module in (gen_ai_attributes, error_attributes)
        for value in vars(module).values()
        if isinstance(value, str)
    }
    pinned = {
        value for value in vars(genai).values() if isinstance(value, str) and "gen_ai." in value
    } - {genai.__doc__, genai.EVALUATION_RESULT}  # an event, which is in no table of attributes
    assert pinned | {genai.ERROR_TYPE} | genai.CONTENT <= known


def test_an_evaluation_is_an_event_without_words_of_people() -> None:
    name, attributes = genai.evaluation_result("helpful", response_id="resp_1", score=0.5)
    assert name == "gen_ai.evaluation.result"
    assert attributes == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.response.id": "resp_1",
        "gen_ai.evaluation.score.value": 0.5,
    }
    _, labelled = genai.evaluation_result("helpful", response_id="resp_1", label="pass")
    assert labelled["gen_ai.evaluation.score.label"] == "pass"
