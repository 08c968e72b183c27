"""What a tenant can do over HTTP, in one table: it is routed, and documented, from here."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.chat.chunk import ChatChunk
from ingress.api.chat.completions import ChatEndpoint
from ingress.api.embeddings import Embeddings
from ingress.api.models import Model, ModelList, Models
from ingress.api.reference.operation import FIND_ERRORS, KEY_ERRORS, Operation, Parameter, Tag
from ingress.api.responses import Responses
from ingress.api.stored_responses import DeletedResponse, StoredResponses
from shared.embeddings.requests import EmbeddingList, EmbeddingRequest
from shared.messages.events import Event
from shared.messages.requests.create_response import CreateResponse
from shared.messages.response import ResponseObject
from shared.surfaces.chat.completion import ChatCompletion
from shared.surfaces.chat.request import ChatRequest

_RESPONSE: Final = "/v1/responses/{response_id}"
POST_ERRORS: Final = (400, 401, 413, 415, 422, 429, 503, 504)

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
    row = partial(Operation, tag=Tag.RESPONSES, answer=ResponseObject, errors=FIND_ERRORS)
    return [
        row(
            "POST",
            "/v1/responses",
            new.create,
            "Send a message",
            description="`background` answers at once with a queued response, `stream` sends its "
            "events, else the answer is waited for. Hanging up does not stop the message.",
            request=CreateResponse,
            streams=Event,  # type: ignore[arg-type] # a union is a type to msgspec
            parameters=(*ACCEPTING, _WAIT),
            errors=POST_ERRORS,
        ),
        row(
            "GET",
            _RESPONSE,
            stored.retrieve,
            "Read a response, wait for it, or follow it",
            streams=Event,  # type: ignore[arg-type]
            parameters=(*_RESUME, _WAIT),
        ),
        row(
            "DELETE",
            _RESPONSE,
            stored.delete,
            "Delete an ended response",
            answer=DeletedResponse,
            errors=(*FIND_ERRORS, 409),
        ),
        row("POST", f"{_RESPONSE}/cancel", stored.cancel, "Cancel a response that has not ended"),
    ]


def chat_operations(chat: ChatEndpoint) -> list[Operation]:
    """Chat completions."""
    return [
        Operation(
            "POST",
            "/v1/chat/completions",
            chat.create,
            "Send a message in chat shape",
            tag=Tag.CHAT,
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
    row = partial(Operation, "GET", tag=Tag.MODELS)
    one = partial(row, answer=Model, errors=(*KEY_ERRORS, 404))
    return [
        row("/v1/models", models.list, "List the models", answer=ModelList, errors=KEY_ERRORS),
        one("/v1/models/{model}", models.retrieve, "Read a model"),
    ]


def embedding_operations(embeddings: Embeddings) -> list[Operation]:
    """Embeddings."""
    return [
        Operation(
            "POST",
            "/v1/embeddings",
            embeddings.create,
            "Make vectors of texts",
            tag=Tag.EMBEDDINGS,
            description="By the encoders of the index: `model` is `text`, `code`, or one of them "
            "by its name. The header `x-forebay-truncated-inputs` numbers the texts that have an "
            "end which the model did not see.",
            request=EmbeddingRequest,
            answer=EmbeddingList,
            errors=(400, 401, 404, 413, 415, 429, 501, 503),
        )
    ]
