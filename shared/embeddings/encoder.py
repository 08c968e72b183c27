"""What makes vectors of texts."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from shared.errors import Unavailable

if TYPE_CHECKING:
    import numpy
    import numpy.typing

    Vectors: TypeAlias = numpy.typing.NDArray[numpy.float32]


class EncoderUnavailable(Unavailable):
    """The model cannot be loaded or run here, or did not answer; the message says why."""

    code = "encoder_unavailable"


class TextsRefused(EncoderUnavailable):
    """The server does not take these texts: fewer or shorter ones may do."""


class EncoderPrompt(StrEnum):
    """What a text is, for models that were trained to tell the two apart; others ignore it."""

    QUERY = "query"
    PASSAGE = "passage"


class EncodedMany(NamedTuple):
    """The vectors of many texts, in their order, and what was seen of them."""

    vectors: Vectors
    truncated: tuple[bool, ...]
    """Of each text: whether it has an end that the model did not see."""
    tokens: int
    """What the model read of all of them."""


class Encoder(Protocol):
    """Texts in, one vector of length 1 each out: their dot product is their cosine.

    The vector of a text does not depend on the texts it is asked together with.
    """

    @property
    def name(self) -> str:
        """The model and its revision; vectors of two names cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def token_limit(self) -> int:
        """Tokens that are seen of a text; the rest of a longer one is cut off."""
        ...

    @property
    def gains_by_company(self) -> bool:
        """Whether short texts asked together take much less than the same one by one."""
        ...

    async def encode(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> Vectors:
        """Float32 of shape (texts, dimensions), in order; raises EncoderUnavailable.

        Runs beside the event loop. What a text has beyond the model's limit is not seen.
        """
        ...

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        """The same, and which texts were cut; however many, a bounded part is under way at once."""
        ...

    async def warm_up(self) -> None:
        """Load the model now, so that the first text need not wait; raises EncoderUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what runs, give back threads and memory, and refuse everything after."""
        ...


class DualEncoders(NamedTuple):
    """One for words and one for source code; the same object where one model serves both."""

    text: Encoder
    code: Encoder
