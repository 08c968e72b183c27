"""The body of POST /v1/batches."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from ingress.api.batches.window import window_seconds
from shared.batches.batch import BatchFault, NewBatch
from shared.batches.state import BatchEndpoint
from shared.decoding import Json, decode_json
from shared.errors import InvalidRequest, use_one_of
from shared.files.stored_file import StoredFile
from shared.messages.body import Identifier, Metadata
from shared.messages.requests.unsupported import UNSUPPORTED
from shared.surfaces.endpoints import ENDPOINTS


class OutputExpiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the output and the error file end; they begin when they are written."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, msgspec.Meta(ge=3_600, le=2_592_000)]


class CreateBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of requests, each line one, and until when they are to be answered.

    The same file to the same endpoint with the same metadata, within half a minute, is the same
    batch: clients that repeat by themselves send no key.
    """

    input_file_id: Identifier
    endpoint: Identifier
    completion_window: Annotated[
        str, msgspec.Meta(extra_json_schema={"pattern": "^[1-9][0-9]{0,3}[hm]$"})
    ]
    metadata: Metadata | None = None
    output_expires_after: OutputExpiry | None = None

    def of_file(self, file: StoredFile, tenant_id: str) -> NewBatch:
        """What it asks for; raises InvalidRequest."""
        expiry = self.output_expires_after
        return NewBatch(
            tenant_id=tenant_id,
            endpoint=_endpoint(self.endpoint),
            content_id=file.content_id,
            input_bytes=file.bytes,
            input_file_id=file.id,
            window_seconds=window_seconds(self.completion_window),
            notes=self.metadata,
            output_expires_after=expiry.seconds if expiry else None,
        )

    def faults(self) -> tuple[BatchFault, ...]:
        """Why nothing of it can be run, whatever is in the file."""
        if self.endpoint in _RUN:
            return ()
        return (
            BatchFault(
                UNSUPPORTED,
                f"No batch is run against '{self.endpoint}' here. {use_one_of(_RUN)}.",
                param="endpoint",
            ),
        )


_RUN: Final = (*ENDPOINTS, str(BatchEndpoint.EMBEDDINGS))
_decoder: Final = msgspec.json.Decoder(CreateBatch)


def decode_create_batch(raw: Json) -> CreateBatch:
    """The request; raises InvalidRequest naming the field."""
    asked = decode_json(_decoder, raw)
    window_seconds(asked.completion_window)
    _endpoint(asked.endpoint)
    return asked


def _endpoint(path: str) -> BatchEndpoint:
    try:
        return BatchEndpoint(path)
    except ValueError:
        raise InvalidRequest(
            f"There is no endpoint '{path[:64]}' of batches. {use_one_of(_RUN)}.",
            param="endpoint",
        ) from None
