"""The body of POST /v1/messages/batches, and the lines that it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from shared.batches.batch import MOST_LINES
from shared.decoding import decode_json
from shared.errors import InvalidRequest

_REQUEST: Final = {"$ref": "#/components/schemas/MessagesRequest"}


class MessageBatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, and by what its result is known."""

    custom_id: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    params: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=_REQUEST)]


class CreateMessageBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests as they would be posted to /v1/messages, each by itself."""

    requests: Annotated[
        list[MessageBatchRequest], msgspec.Meta(min_length=1, max_length=MOST_LINES)
    ]

    def lines(self) -> Iterator[bytes]:
        """As lines of a file: what is wrong with one of them is told by its result."""
        for each in self.requests:
            yield msgspec.json.format(msgspec.json.encode(each), indent=-1) + b"\n"


_decoder: Final = msgspec.json.Decoder(CreateMessageBatch)


def decode_create_message_batch(raw: bytes) -> CreateMessageBatch:
    """The request; raises InvalidRequest naming the field, and two ids that are the same."""
    asked = decode_json(_decoder, raw)
    places = dict[str, int]()
    for place, each in enumerate(asked.requests):
        if not bytes(each.params).startswith(b"{"):
            raise InvalidRequest(
                f"'requests[{place}].params' must be an object.", param=f"requests[{place}].params"
            )
        if each.custom_id in places:
            raise InvalidRequest(
                f"'requests[{place}].custom_id' is that of requests[{places[each.custom_id]}]. "
                "Give each its own.",
                param=f"requests[{place}].custom_id",
            )
        places[each.custom_id] = place
    return asked
