"""Lines of a batch as texts to embed, and as their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple

import msgspec

from shared.batches.batch import Batch
from shared.batches.kept_embeddings import KeptEmbeddings
from shared.batches.work import NewLine
from shared.embeddings.cards import EncoderRole, settings_of
from shared.embeddings.encoder import DualEncoders, EncodedMany, Encoder, TextsRefused
from shared.embeddings.extra import kind_missing
from shared.embeddings.opening import open_encoders
from shared.embeddings.requests import (
    EmbeddingModels,
    decode_embedding_request,
    pack_vector,
    size_of_texts,
)
from shared.errors import InvalidRequest, NotFound, TooLarge
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.telemetry.logs import get_logger
from workers.batching.batch_request import LineFaulty, read_batch_request
from workers.batching.input_lines import InputLine
from workers.batching.line_message import refused_line, unread_line

_NICENESS: Final = 5
_BAD_REQUEST: Final = 400
_NOT_INSTALLED: Final = 501


class Texts(NamedTuple):
    """What a line asks for."""

    line: int
    custom_id: str
    role: EncoderRole
    texts: list[str]
    is_packed: bool

    @property
    def length(self) -> int:
        """Characters of all texts."""
        return sum(map(len, self.texts))

    def unbegun(self) -> NewLine:
        """The line without an answer."""
        return NewLine(line=self.line, custom_id=self.custom_id)

    def answered(self, model: str, vectors: list[str], tokens: int) -> NewLine:
        """The line with its vectors, in base64."""
        kept = KeptEmbeddings(model=model, tokens=tokens, vectors=vectors, is_packed=self.is_packed)
        return NewLine(
            line=self.line,
            custom_id=self.custom_id,
            answer=msgspec.json.encode(kept).decode(),
            input_tokens=tokens,
        )

    def refused(self) -> NewLine:
        """The line whose encoder takes its texts not even by themselves."""
        return NewLine(
            line=self.line,
            custom_id=self.custom_id,
            status_code=_BAD_REQUEST,
            error_code="texts_refused",
            error_message="The encoder does not take a text of this line. Change 'input'.",
        )


class LineEncoding:
    """Encodes in a process of its own, which is started for the first line that wants it."""

    def __init__(self, settings: EmbeddingSettings, *, text_limit_bytes: int) -> None:
        self._settings = settings
        self._models = EmbeddingModels(settings)
        self._text_limit_bytes = text_limit_bytes
        self._stack = AsyncExitStack()
        self._opened: DualEncoders | None = None
        self._log = get_logger(__name__)

    def read(self, line: InputLine, of: Batch) -> Texts | NewLine:
        """What the line asks for, or why it is refused, as its request by itself would be."""
        try:
            request = read_batch_request(line, of)
        except LineFaulty as error:  # another version found nothing wrong with it
            return unread_line(error.fault)
        try:
            asked = decode_embedding_request(request.body)
            role = self._models.role_of(asked)
            size_of_texts(asked.texts, limit_bytes=self._text_limit_bytes)
        except (InvalidRequest, NotFound, TooLarge, UnicodeError) as error:
            return refused_line(request, line.number, error)
        if reason := kind_missing(settings_of(self._settings, role).kind):
            return NewLine(
                line=line.number,
                custom_id=request.custom_id,
                status_code=_NOT_INSTALLED,
                error_code="encoder_not_installed",
                error_message=reason,
            )
        is_packed = asked.encoding_format == "base64"
        return Texts(line.number, request.custom_id, role, asked.texts, is_packed)

    async def answered(self, lines: Sequence[Texts | NewLine]) -> list[NewLine]:
        """Those lines with their vectors, the texts of all together; raises EncoderUnavailable."""
        answers = dict[int, NewLine]()
        for role in EncoderRole:
            asked = [each for each in lines if isinstance(each, Texts) and each.role is role]
            if asked:
                answers |= await self._encoded(await self._encoder(role), asked)
        return [answers[each.line] if isinstance(each, Texts) else each for each in lines]

    async def close(self) -> None:
        """Give back what was loaded."""
        await self._stack.aclose()

    async def _encoded(self, encoder: Encoder, asked: Sequence[Texts]) -> dict[int, NewLine]:
        try:
            many = await encoder.encode_many([text for each in asked for text in each.texts])
        except TextsRefused as error:
            if len(asked) > 1:  # a line of them may be what is refused
                half = len(asked) // 2
                first = await self._encoded(encoder, asked[:half])
                return first | await self._encoded(encoder, asked[half:])
            await encoder.warm_up()  # a server that takes no text at all costs no line its answer
            self._log.warning("texts_refused", encoder=encoder.name, reason=error.message)
            return {asked[0].line: asked[0].refused()}
        return _answers(encoder.name, many, asked)

    async def _encoder(self, role: EncoderRole) -> Encoder:
        if self._opened is None:
            opening = open_encoders(self._settings, processes=1, niceness=_NICENESS)
            self._opened = await self._stack.enter_async_context(opening)
        return self._opened.code if role is EncoderRole.CODE else self._opened.text


def _answers(model: str, many: EncodedMany, asked: Sequence[Texts]) -> dict[int, NewLine]:
    answers, begin, told, length = dict[int, NewLine](), 0, 0, 0
    whole = max(1, sum(each.length for each in asked))
    for each in asked:
        end, length = begin + len(each.texts), length + each.length
        # Encoders tell what they read of all of them.
        tokens = many.tokens * length // whole - told
        vectors = [pack_vector(vector) for vector in many.vectors[begin:end]]
        answers[each.line] = each.answered(model, vectors, tokens)
        begin, told = end, told + tokens
    return answers
