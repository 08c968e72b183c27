"""What a tenant can do over HTTP, in one table: it is routed, and documented, from here."""

from __future__ import annotations

from typing import Final

from ingress.api.chat.chunk import ChatChunk
from ingress.api.chat.completion import ChatCompletion
from ingress.api.chat.completions import ChatEndpoint
from ingress.api.chat.request import ChatRequest
from ingress.api.models import Model, ModelList, Models
from ingress.api.reference.operation import Operation, Parameter, Tag
from ingress.api.responses import Responses
from ingress.api.stored_responses import DeletedResponse, StoredResponses
from shared.messages.events import Event
from shared.messages.requests.create_response import CreateResponse
from shared.messages.response import ResponseObject

_KEY: Final = (401, 503)
POST_ERRORS: Final = (400, 401, 413, 415, 422, 429, 503, 504)
_STORED: Final = (400, 401, 404, 503)

ACCEPTING: Final = (
    Parameter(
        "Idempotency-Key",
        "header",
        "string",
        "Repeating a message under its key gives the first one's response.",
        pattern="^[!-~]([ -~]{0,253}[!-~])?$",
    ),
    Parameter(
        "X-Forebay-Deadline",
        "header",
        "string",
        "When nobody wants the answer any more: seconds from now, or a time of ISO 8601.",
        pattern=r"^([0-9]{1,8}(\.[0-9]{1,6})?|"
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2}))$",
    ),
)
_WAIT: Final = Parameter(
    "Prefer", "header", "string", "`wait=N`: wait up to N seconds.", pattern="^wait=[0-9]{1,9}$"
)
_RESUME: Final = (
    Parameter("stream", "query", "boolean", "Follow the response's events."),
    Parameter("starting_after", "query", "integer", "The number of the last event you have."),
    Parameter("include_obfuscation", "query", "boolean", "Taken as OpenAI does; we add none."),
    Parameter(
        "Last-Event-ID",
        "header",
        "string",
        "The same as `starting_after`.",
        pattern="^[0-9]{1,18}$",
    ),
)


def response_operations(new: Responses, stored: StoredResponses) -> list[Operation]:
    """Responses."""
    return [
        Operation(
            method="POST",
            path="/v1/responses",
            endpoint=new.create,
            tag=Tag.RESPONSES,
            summary="Send a message",
            description="`background` answers at once with a queued response, `stream` sends its "
            "events, else the answer is waited for. Hanging up does not stop the message.",
            request=CreateResponse,
            answer=ResponseObject,
            streams=Event,  # type: ignore[arg-type] # a union is a type to msgspec
            parameters=(*ACCEPTING, _WAIT),
            errors=POST_ERRORS,
        ),
        *_stored_operations(stored),
    ]


def _stored_operations(stored: StoredResponses) -> list[Operation]:
    one = "/v1/responses/{response_id}"
    return [
        Operation(
            method="GET",
            path=one,
            endpoint=stored.retrieve,
            tag=Tag.RESPONSES,
            summary="Read a response, wait for it, or follow it",
            answer=ResponseObject,
            streams=Event,  # type: ignore[arg-type]
            parameters=(*_RESUME, _WAIT),
            errors=_STORED,
        ),
        Operation(
            method="DELETE",
            path=one,
            endpoint=stored.delete,
            tag=Tag.RESPONSES,
            summary="Delete an ended response",
            answer=DeletedResponse,
            errors=(*_STORED, 409),
        ),
        Operation(
            method="POST",
            path=f"{one}/cancel",
            endpoint=stored.cancel,
            tag=Tag.RESPONSES,
            summary="Cancel a response that has not ended",
            answer=ResponseObject,
            errors=_STORED,
        ),
    ]


def chat_operations(chat: ChatEndpoint) -> list[Operation]:
    """Chat completions."""
    return [
        Operation(
            method="POST",
            path="/v1/chat/completions",
            endpoint=chat.create,
            tag=Tag.CHAT,
            summary="Send a message in chat shape",
            description="`stream` sends chunks. The header `x-forebay-response-id` names the "
            "response behind the completion.",
            request=ChatRequest,
            answer=ChatCompletion,
            streams=ChatChunk,
            parameters=ACCEPTING,
            errors=(*POST_ERRORS, 409, 502),
        )
    ]


def model_operations(models: Models) -> list[Operation]:
    """Models."""
    return [
        Operation(
            method="GET",
            path="/v1/models",
            endpoint=models.list,
            tag=Tag.MODELS,
            summary="List the models",
            answer=ModelList,
            errors=_KEY,
        ),
        Operation(
            method="GET",
            path="/v1/models/{model}",
            endpoint=models.retrieve,
            tag=Tag.MODELS,
            summary="Read a model",
            answer=Model,
            errors=(*_KEY, 404),
        ),
    ]
