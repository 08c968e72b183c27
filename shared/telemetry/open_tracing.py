"""Spans, if somebody wants them.

They leave in batches, from a thread of their own, over OTLP/HTTP; a collector that is down costs
spans and never a message.
"""

from __future__ import annotations

from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.tracing import SilentTracing, Tracing


def open_tracing(settings: TelemetrySettings, service: str) -> Tracing:
    """Tracing as the settings say; `service` is this process's role, such as `ingress`.

    Raises SettingsError where the key of pseudonyms cannot be had.
    """
    if settings.traces_endpoint is None:
        return SilentTracing()
    # Imported here: OpenTelemetry's SDK takes longer to import than everything else together.
    from shared.settings.loading.secrets import with_pseudonym_key
    from shared.telemetry.recording_tracing import open_recording_tracing

    return open_recording_tracing(
        settings.traces_endpoint,
        service,
        sample_ratio=settings.sample_ratio,
        pseudonym_key=with_pseudonym_key(settings).pseudonym_key,
    )
