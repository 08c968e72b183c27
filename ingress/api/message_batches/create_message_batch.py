"""The body of POST /v1/messages/batches."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from shared.batches.batch import MOST_MESSAGES

_REQUEST: Final = {"$ref": "#/components/schemas/MessagesRequest"}


class MessageBatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, and by what its result is known."""

    custom_id: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    params: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=_REQUEST)]


class CreateMessageBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests as they would be posted to /v1/messages, each by itself."""

    requests: Annotated[
        list[MessageBatchRequest], msgspec.Meta(min_length=1, max_length=MOST_MESSAGES)
    ]
