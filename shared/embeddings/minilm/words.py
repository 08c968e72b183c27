"""The tokenizer of the model, put together from its vocabulary."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

from shared.embeddings.minilm.names import TOKEN_LIMIT

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CLS: Final = ("[CLS]", 101)
END: Final = 102
"""The token behind every text."""
_SEP: Final = ("[SEP]", END)


def load_tokenizer() -> Tokenizer:
    """BERT's lower-case word pieces, cut to the limit and never padded."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    with as_file(files(__package__).joinpath("vocab.txt")) as vocabulary:
        tokenizer = Tokenizer(WordPiece.from_file(str(vocabulary), unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(_SEP, _CLS)
    tokenizer.enable_truncation(TOKEN_LIMIT)
    return tokenizer
