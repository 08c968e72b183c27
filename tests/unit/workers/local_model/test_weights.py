"""What the local model needs, and how to get what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings.turn.local_model import LocalModelSettings
from shared.shipped_weights import SMOLLM2
from workers.local_model import weights
from workers.local_model.weights import INSTALL_COMMAND, find_weights, is_installed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    return path


def test_a_file_of_ones_own_goes_before_the_one_in_the_wheel(file: Path) -> None:
    settings = LocalModelSettings(weights_file=str(file))
    assert is_installed(settings)
    assert find_weights(settings) == file


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.gguf")
    with pytest.raises(SettingsError, match="is not a file") as refused:
        find_weights(LocalModelSettings(weights_file=missing))
    assert missing in refused.value.findings[0]


@pytest.mark.parametrize(
    ("part", "absent"),
    [("_ENGINE", "a_package"), ("SMOLLM2", replace(SMOLLM2, package="a_package"))],
    ids=["engine", "weights"],
)
def test_a_package_that_is_not_installed_comes_with_the_command_that_installs_it(
    part: str, absent: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, part, absent)
    assert not is_installed(LocalModelSettings())
    with pytest.raises(SettingsError) as refused:
        find_weights(LocalModelSettings())
    assert any(INSTALL_COMMAND in finding for finding in refused.value.findings)
