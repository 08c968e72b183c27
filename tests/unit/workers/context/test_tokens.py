"""Tokens by a real tokenizer where there is one, and by the estimate where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.embeddings.minilm.words import load_tokenizer
from shared.errors import SettingsError
from shared.settings.turn.context import TokenizerSettings
from shared.token_count import estimated_tokens
from workers.context.tokens import Counters, TokenizerFile


@pytest.fixture(scope="module")
def tokenizer_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of 30,000 word pieces, as its model is published with it."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    load_tokenizer().save(str(path))
    return path


def test_half_of_a_surrogate_pair_is_counted_like_any_text(tokenizer_json: Path) -> None:
    assert TokenizerFile(tokenizer_json).count("broken \ud83d") > 0


def test_a_tokenizer_file_counts_the_words_of_its_model(tokenizer_json: Path) -> None:
    counter = TokenizerFile(tokenizer_json)
    assert counter.count("") == 0
    assert counter.count("unbelievable") == 1
    assert counter.count("order a-4711") == 5  # order a - 47 ##11


def test_a_tokenizer_file_counts_beyond_the_length_its_model_was_trained_on(
    tokenizer_json: Path,
) -> None:
    assert TokenizerFile(tokenizer_json).count("word " * 1_000) == 1_000


def test_the_model_names_its_tokenizer_by_pattern(tokenizer_json: Path) -> None:
    counters = Counters([TokenizerSettings(model="mini*", file=str(tokenizer_json))])
    text = "unbelievable"
    assert counters.of("minilm-2").count(text) == TokenizerFile(tokenizer_json).count(text)
    assert counters.of("other").count(text) == estimated_tokens(text)


@pytest.mark.parametrize("content", [None, b"{}", b"\x00\x01"])
def test_a_file_that_is_no_tokenizer_is_refused_by_name(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"context\.tokenizers: '.*tokenizer\.json'"):
        TokenizerFile(path)
