"""`python -m shared.embeddings.processes STARTER NICENESS SETTINGS` encodes until its starter ends.

Questions come on its input, answers go out on what was its output.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import BinaryIO, Final

import msgspec

from shared.embeddings.cards import card_of
from shared.embeddings.encoder import EncoderUnavailable
from shared.embeddings.model_shelf import ModelShelf
from shared.embeddings.processes.frames import (
    EncodeTexts,
    NotEncoded,
    TextsEncoded,
    framed,
    next_asked,
)
from shared.embeddings.text_model import encode_all
from shared.niceness import give_way
from shared.settings.indexing.embeddings import EmbeddingSettings

_LOOK_SECONDS: Final = 0.2


def main(arguments: list[str]) -> int:
    starter, niceness = int(arguments[0]), int(arguments[1])
    settings = msgspec.json.decode(arguments[2], type=EmbeddingSettings)
    give_way(niceness)
    answers = _own_output()
    threading.Thread(target=_end_with, args=(starter,), daemon=True).start()
    shelf = ModelShelf(settings)
    while (asked := next_asked(sys.stdin.buffer)) is not None:
        answers.write(framed(_answered(asked, shelf, settings)))
        answers.flush()
    return 0


def _own_output() -> BinaryIO:
    """The pipe to the starter. What libraries print goes where errors go."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _end_with(starter: int) -> None:
    """An orphan gets another parent, whichever way its own ended; also in the middle of a batch."""
    while os.getppid() == starter:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)


def _answered(
    asked: EncodeTexts, shelf: ModelShelf, settings: EmbeddingSettings
) -> TextsEncoded | NotEncoded:
    card = card_of(settings, asked.role)
    try:
        many = encode_all(
            shelf.model(asked.role),
            asked.texts,
            prompt=asked.prompt,
            batch_tokens=card.batch_tokens,
        )
    except EncoderUnavailable as error:
        return NotEncoded(error.message)
    except Exception as error:  # noqa: BLE001 - of whatever library runs the model
        return NotEncoded(f"The encoder {card.name} failed: {type(error).__name__}: {error}")
    return TextsEncoded(many.vectors.tobytes(), many.truncated, many.tokens)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
