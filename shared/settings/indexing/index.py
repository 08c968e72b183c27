"""The index: where passages are kept, and how much of a machine indexing may take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.server_faults import unknown_scheme, unsound_http_address
from shared.settings.units import Port, Positive, PositiveInt

_HTTP: Final = frozenset({"http", "https"})


class SearchServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server of the index. Its key comes from `api_key_env` or `api_key_file`."""

    url: ServerUrl = ServerUrl("")
    """`http://` or `https://`; empty where there is no such server."""
    api_key_env: str | None = None
    """The variable that holds its key, where it asks for one."""
    api_key_file: str | None = None
    """The file that holds its key."""
    api_key: Secret | None = None
    """Filled by `with_secrets`; refused in the file."""
    timeout_seconds: Positive = 30.0
    """For every call."""


class IndexSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Documents and code, split and embedded, to be found again."""

    folder: str = ".forebay/index"
    """Where the embedded engine keeps passages, where no Qdrant server is named."""
    qdrant: SearchServerSettings = SearchServerSettings()
    """Keeps passages in place of the embedded engine."""
    meilisearch: SearchServerSettings = SearchServerSettings()
    """For search boxes: prefixes, typing errors, facets."""
    cores: PositiveInt = 1
    """Encoder processes of each indexer process, each on one core and niced."""
    concurrency: PositiveInt = 2
    """Groups of documents that one indexer process works on at once."""
    file_limit_bytes: PositiveInt = 10_485_760
    """A larger file is skipped."""
    document_limit_bytes: PositiveInt = 10_485_760
    """A larger document that is posted is refused with 413."""
    lease_seconds: Positive = 30.0
    """How long an indexer may be silent before its documents are given to another."""
    attempt_limit: PositiveInt = 3
    """Claims of one document after which it has failed: it may be what ends its indexers."""
    tenants_share_embeddings: bool = False
    """Whether one tenant's text is not embedded again for another. The time that it takes would
    tell a tenant what others have."""
    embedding_retention_days: PositiveInt = 30
    """How long the vector of a text is kept that no document has any more. A text that comes
    again later is embedded again."""
    metrics_host: str = "127.0.0.1"
    """The address at which an indexer serves `/metrics`, without a key: keep it off the open
    network."""
    metrics_port: Port = 0
    """The port at which an indexer serves `/metrics`; 0 is off."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        for name, server in (("qdrant", self.qdrant), ("meilisearch", self.meilisearch)):
            if server.url:
                key = f"index.{name}.url"
                unknown = [*unknown_scheme(key, server.url, _HTTP)]
                yield from unknown or unsound_http_address(key, server.url)
