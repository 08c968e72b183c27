"""The rewritten 8-bit model beside the original one in float32."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from shared.embeddings.minilm.model import MiniLm
from shared.embeddings.minilm.names import TOKEN_LIMIT
from shared.embeddings.minilm.words import load_tokenizer

TEXTS = [
    "enable 2FA",
    "turn on 2FA",
    "disable 2FA",
    "How do I enable two-factor authentication?",
    "How do I turn on two-factor authentication?",
    "Convert 100 USD to EUR, naïve café — 你好!",
    "def total(prices):\n    return sum(prices)",
    "Our refund window is thirty days from the date on which the parcel was delivered; after that "
    "we can only offer store credit.",
]
# The mean over words of the last layer of the float32 weights, computed in numpy, length 1.
ORIGINAL = numpy.load(Path(__file__).with_name("minilm_float32.npy")).astype(numpy.float32)


@pytest.fixture(scope="module")
def model() -> MiniLm:
    return MiniLm()


def test_its_vectors_point_where_the_original_ones_point(model: MiniLm) -> None:
    cosines = (model.encode(TEXTS) * ORIGINAL).sum(axis=1)
    assert cosines.min() > 0.985


def test_it_orders_pairs_as_the_original_does(model: MiniLm) -> None:
    vectors = model.encode(TEXTS)
    assert numpy.abs(vectors @ vectors.T - ORIGINAL @ ORIGINAL.T).max() < 0.03


def test_texts_are_cut_at_what_the_model_was_trained_to_read() -> None:
    assert len(load_tokenizer().encode("word " * 1000).ids) == TOKEN_LIMIT


def test_words_are_taken_apart_as_the_original_tokenizer_does() -> None:
    pieces = load_tokenizer().encode("Ünable to re-enable 2FA, naïvely?").tokens
    assert pieces == [
        *("[CLS]", "unable", "to", "re", "-", "enable", "2", "##fa", ","),
        *("naive", "##ly", "?", "[SEP]"),
    ]


def test_importing_the_encoder_loads_neither_the_runtime_nor_numpy() -> None:
    heavy = "{'onnxruntime', 'onnx', 'numpy', 'tokenizers'}"
    code = f"import sys, shared.embeddings.onnx; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
