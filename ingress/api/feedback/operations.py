"""The operations on feedback, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.feedback.endpoints import FeedbackEndpoints
from ingress.api.feedback.feedback_object import FeedbackList, FeedbackObject
from ingress.api.reference.operation import Operation, Tag
from shared.feedback.verdict import GivenFeedback

_PATH: Final = "/v1/responses/{response_id}/feedback"


def feedback_operations(feedback: FeedbackEndpoints) -> list[Operation]:
    """Feedback."""
    row = partial(Operation, tag=Tag.RESPONSES)
    return [
        row(
            "POST",
            _PATH,
            feedback.give,
            "Say how an answer was",
            description="By the id of a response, of a chat completion, of a message, or of a "
            "line of a batch's results. What the same `source` said under the same `name` is "
            "replaced, and kept in `earlier`. It changes no answer; a stored answer that a person "
            "speaks against is forgotten.",
            request=GivenFeedback,
            answer=FeedbackObject,
            errors=(400, 401, 404, 409, 413, 415, 429, 503),
        ),
        row(
            "GET",
            _PATH,
            feedback.list,
            "Read what was said of an answer",
            answer=FeedbackList,
            errors=(401, 404, 503),
        ),
    ]
