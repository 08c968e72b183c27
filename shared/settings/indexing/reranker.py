"""A reranker: a model that reads what was found together with the question."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.server_faults import unknown_scheme, unsound_http_address
from shared.settings.units import Positive

_HTTP: Final = frozenset({"http", "https"})


class RerankerKind(StrEnum):
    """How a server of rerankers is spoken to."""

    JINA = "jina"
    """`documents` in, `relevance_score` out: Jina, Cohere, vLLM, llama.cpp and others."""
    TEI = "tei"
    """`texts` in, `score` out: Hugging Face's text-embeddings-inference."""


class RerankerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One server. Its key comes from `api_key_env` or `api_key_file`."""

    url: ServerUrl = ServerUrl("")
    """Up to its `/rerank`, such as http://127.0.0.1:8000/v1; empty is off."""
    kind: RerankerKind = RerankerKind.JINA
    """What it speaks: `jina`, which Cohere, vLLM and llama.cpp speak too, or `tei`."""
    model: str | None = None
    """Its name at the server; `jina` needs it."""
    api_key_env: str | None = None
    """The variable that holds its key, where it asks for one."""
    api_key_file: str | None = None
    """The file that holds its key."""
    api_key: Secret | None = None
    """Filled by `with_search_keys`; refused in the file."""
    candidates: Annotated[int, msgspec.Meta(ge=2, le=100)] = 50
    """How many of the best it reads at once; they are the first pages, in its order."""
    timeout_seconds: Positive = 2.0
    """After that the order stays as it was found."""

    def faults(self, section: str) -> Iterator[str]:
        """One sentence for each fault of the server, with its fix."""
        key = f"{section}.url"
        if not self.url:
            if self.model or self.api_key_env or self.api_key_file:
                yield f"{key} is not given, so nothing is reranked. Set it, or take the rest out."
            return
        unknown = [*unknown_scheme(key, self.url, _HTTP)]
        yield from unknown or unsound_http_address(key, self.url)
        if self.kind is RerankerKind.JINA and not self.model:
            yield f"{section}.model is not given, and kind = 'jina' needs it. Set the model's name."
