"""The statements of the chunks of documents, each served by one index."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, update

from shared.index.chunk import StoredChunk
from shared.index.states import ChunkState
from shared.index.tables import chunk

OF_DOCUMENT: Final = (
    chunk.c.collection_id == bindparam("b_collection"),
    chunk.c.generation.in_(bindparam("generations", expanding=True)),
    chunk.c.state.in_((ChunkState.PLANNED, ChunkState.CURRENT)),
    chunk.c.document_id == bindparam("b_id"),
)
RETIRE: Final = (
    update(chunk).where(*OF_DOCUMENT).values(state=ChunkState.RETIRED, ver=bindparam("b_ver"))
)
LABELLED: Final = update(chunk).where(*OF_DOCUMENT).values(ver=bindparam("b_ver"))
THOSE: Final = (
    select(*(chunk.c[name] for name in StoredChunk.__struct_fields__))
    .where(
        chunk.c.collection_id == bindparam("collection"),
        chunk.c.generation == bindparam("generation"),
        chunk.c.state.in_(bindparam("states", expanding=True)),
        chunk.c.document_id == bindparam("id"),
    )
    .order_by(chunk.c.ordinal)
)
