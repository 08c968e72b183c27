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
    }
    pinned.discard(genai.__doc__)
    assert pinned | {genai.ERROR_TYPE} | genai.CONTENT <= known
