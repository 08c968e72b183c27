"""One encoder: which model, what runs it, and how much of a text it sees."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.units import Positive, PositiveInt

MINILM_TOKEN_LIMIT: Final = 256
_LEAST_TOKENS: Final = 8


class EncoderKind(StrEnum):
    """What runs a model, and what follows from it.

    `needs_torch`: it is imported in a process of its own only. `needs_revision`: what the name
    stands for may change. `is_remote`: a server runs it.
    """

    needs_torch: bool
    needs_revision: bool
    is_remote: bool

    def __new__(
        cls,
        name: str,
        needs_torch: bool = False,
        needs_revision: bool = False,
        is_remote: bool = False,
    ) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.needs_torch, member.needs_revision = needs_torch, needs_revision
        member.is_remote = is_remote
        return member

    # name, needs_torch, needs_revision, is_remote
    MINILM = "minilm"
    SENTENCE_TRANSFORMERS = "sentence_transformers", True, True
    TRANSFORMERS = "transformers", True, True
    OPENAI = "openai", False, False, True


class Pooling(StrEnum):
    """What the vector of a text is made of."""

    MEAN = "mean"
    CLS = "cls"
    LAST = "last"


class EncoderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model. Its key comes from `api_key_env` or `api_key_file`."""

    kind: EncoderKind = EncoderKind.MINILM
    """What runs it: `minilm` is all-MiniLM-L6-v2 on onnxruntime, out of a wheel; the two of torch
    run any model of the hub or of a folder; `openai` asks a server for `/embeddings`.
    """
    model: str | None = None
    """Its name on the hub or at the server; every kind but `minilm` needs it."""
    revision: str | None = None
    """The commit on the hub, or a name for what lies in `folder`. Change it with the model: vectors
    of two revisions are never compared.
    """
    folder: str | None = None
    """Where the model lies, instead of the hub; of the two kinds of torch."""
    remote_code: bool = False
    """Run Python that comes with the model, as of the named `revision`."""
    dimensions: PositiveInt | None = None
    """Numbers in a vector; every kind but `minilm` needs it, and a model that makes others is
    refused.
    """
    asks_dimensions: bool = False
    """`openai`: send `dimensions`, for models that can make shorter vectors."""
    pooling: Pooling = Pooling.MEAN
    """`transformers`: the vector of a text is the mean over its tokens, or its first or last."""
    query_prompt: str = ""
    """Put before a question; of models that were trained so, such as "query: "."""
    passage_prompt: str = ""
    """Put before what is searched."""
    token_limit: Annotated[int, msgspec.Meta(ge=_LEAST_TOKENS)] | None = None
    """Tokens that are seen of a text. Not given, it is 512; of `minilm` 256, and 128 for code."""
    batch_tokens: PositiveInt = 4096
    """Tokens of one batch at most, padding included: it bounds the memory, and how long a question
    waits behind a batch.
    """
    url: ServerUrl | None = None
    """`openai`: where its server is, such as https://api.example.com/v1."""
    api_key_env: str | None = None
    """`openai`: the variable that holds its key."""
    api_key_file: str | None = None
    """`openai`: the file that holds its key."""
    api_key: Secret | None = None
    """Filled by `with_encoder_keys`; refused in the file."""
    timeout_seconds: Positive = 60.0
    """For one batch; after it a server is left, and a process is ended and started again."""

    def faults(self, section: str) -> Iterator[str]:
        """One sentence for each fault of the model, with its fix."""
        for fault in (*self._strange(), *self._missing(), *self._unsound()):
            yield f"{section}.{fault}"

    def _strange(self) -> Iterator[str]:
        """Keys that are set, and mean nothing to this kind."""
        for key, kinds in _ONLY_OF.items():
            value = getattr(self, key)
            if self.kind not in kinds and value != _DEFAULTS[key]:
                names = " or ".join(kinds)
                yield (
                    f"{key} = {_shown(value)}: a model of kind {self.kind} has none. "
                    f"Take it out, or set kind to {names}."
                )

    def _missing(self) -> Iterator[str]:
        kind = self.kind
        if kind is not EncoderKind.MINILM:
            if not self.model:
                yield f"model is not given, and kind = '{kind}' needs it. Set the model's name."
            if self.dimensions is None:
                yield (
                    f"dimensions is not given, and kind = '{kind}' needs it. "
                    "Set what the model's card says, such as 768."
                )
        if kind.needs_revision and not self.revision:
            yield (
                f"revision is not given, and kind = '{kind}' needs it: vectors of two revisions "
                "must never be mixed. Set the commit on the hub, or a name for what is in folder."
            )
        if kind.is_remote and self.url is None:
            yield f"url is not given, and kind = '{kind}' needs it. Set it, such as https://api.example.com/v1."

    def _unsound(self) -> Iterator[str]:
        limit = self.token_limit
        if self.kind is EncoderKind.MINILM and limit is not None and limit > MINILM_TOKEN_LIMIT:
            yield (
                f"token_limit = {limit}: all-MiniLM-L6-v2 was trained to read "
                f"{MINILM_TOKEN_LIMIT}. Set that or less."
            )
        if limit is not None and limit > self.batch_tokens:
            yield (
                f"batch_tokens = {self.batch_tokens} is below token_limit ({limit}): "
                f"the longest text would not fit. Set {limit} or more."
            )
        if self.kind.is_remote and self.url is not None and not _is_http(self.url):
            yield (
                f"url = '{self.url.redacted}': no address of an HTTP server. "
                "Write it as https://api.example.com/v1, without a login and a query."
            )


_TORCH: Final = (EncoderKind.SENTENCE_TRANSFORMERS, EncoderKind.TRANSFORMERS)
_NAMED: Final = (*_TORCH, EncoderKind.OPENAI)
_SERVER: Final = (EncoderKind.OPENAI,)
_ONLY_OF: Final = {
    **dict.fromkeys(("model", "revision", "dimensions", "query_prompt", "passage_prompt"), _NAMED),
    **dict.fromkeys(("folder", "remote_code"), _TORCH),
    **dict.fromkeys(("url", "api_key_env", "api_key_file", "asks_dimensions"), _SERVER),
    "pooling": (EncoderKind.TRANSFORMERS,),
}
_DEFAULTS: Final[dict[str, Any]] = {
    field.name: field.default for field in msgspec.structs.fields(EncoderSettings)
}


def _is_http(url: ServerUrl) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_whole and not (parts.query or parts.fragment or "@" in parts.netloc)


def _shown(value: object) -> str:
    return f"'{value.redacted}'" if isinstance(value, ServerUrl) else repr(value)
