"""What makes vectors of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from shared.errors import Unavailable

if TYPE_CHECKING:
    import numpy
    import numpy.typing

    Vectors: TypeAlias = numpy.typing.NDArray[numpy.float32]


class EncoderUnavailable(Unavailable):
    """The model cannot be loaded or run here; the message says why."""

    code = "encoder_unavailable"


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

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """Float32 of shape (texts, dimensions), in order; raises EncoderUnavailable.

        Runs beside the event loop. What a text has beyond the model's limit is not seen.
        """
        ...

    async def warm_up(self) -> None:
        """Load the model now, so that the first text need not wait; raises EncoderUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what runs, give back threads and memory, and refuse everything after."""
        ...
