"""llama.cpp's own server: OpenAI's chat completions, several answers side by side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from shared.errors import ForebayError
from shared.settings.turn.local_model import LocalModelSettings

_WARNINGS: Final = 2
# What the authors of small models recommend; a caller's own values go before these.
_TEMPERATURE: Final = 0.2
_TOP_P: Final = 0.9
_PENALTY_OF_REPETITION: Final = 1.1
"""Without it a small model goes round in circles until its tokens are spent."""


class ModelNotStarted(ForebayError):
    """llama.cpp refused the weights or the port; it has said why on stderr."""

    code = "local_model_not_started"


class ModelServer:
    """Listens from the constructor on, in threads of its own, until `close`.

    Raises ModelNotStarted.
    """

    def __init__(self, weights: Path, settings: LocalModelSettings) -> None:
        # Not at the top: it is 100 MB of machine code that no other process of ours needs.
        import xllamacpp

        self.model = settings.model
        self.url = settings.base_url
        try:
            self._server: Any = xllamacpp.Server(
                _parameters(xllamacpp.CommonParams(), weights, settings)
            )
        except RuntimeError as error:
            raise ModelNotStarted(
                f"llama.cpp cannot serve {weights} on port {settings.port}: see its lines above. "
                "The file must be a GGUF model, and nobody else may have the port "
                "(local_model.port)."
            ) from error

    def close(self) -> None:
        """Stop answering; answers under way are cut."""
        self._server = None


def _parameters(parameters: Any, weights: Path, settings: LocalModelSettings) -> Any:
    threads = settings.threads or max(1, (os.cpu_count() or 1) // 2)
    parameters.model.path = str(weights)
    parameters.model_alias = {settings.model}
    parameters.hostnames = [settings.host]
    parameters.port = settings.port
    parameters.n_parallel = settings.slots
    parameters.n_ctx = settings.context_tokens * settings.slots
    parameters.n_predict = settings.max_output_tokens
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.sampling.temp = _TEMPERATURE
    parameters.sampling.top_p = _TOP_P
    parameters.sampling.penalty_repeat = _PENALTY_OF_REPETITION
    parameters.verbosity = _WARNINGS
    parameters.endpoint_metrics = True
    # Others' prompts are nobody's business, a browser's neither.
    parameters.endpoint_slots = False
    parameters.ui = False
    parameters.cors_origins = ""
    parameters.cors_origins_explicit = True
    parameters.cors_credentials = False
    # Prompts that are over are not kept in memory for a second use.
    parameters.cache_ram_mib = 0
    parameters.cache_idle_slots = False
    return parameters
