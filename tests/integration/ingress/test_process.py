"""`python -m ingress`: what it prints, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

from tests.servers.said_line import said_line

ROOT = Path(__file__).resolve().parents[3]


def _start(**settings: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "FOREBAY_INGRESS__PORT": "0", **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "ingress"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_prints_where_it_listens_and_ends_cleanly_when_told(
    migrated_sqlite_url: str, redis_url: str
) -> None:
    process = _start(
        FOREBAY_LEDGER__URL=migrated_sqlite_url,
        FOREBAY_REDIS__URL=redis_url,
        FOREBAY_BROKER__URL=redis_url,
        FOREBAY_INGRESS__DRAIN_SECONDS="600",  # nobody is waited for where nobody is
    )
    try:
        line = said_line(process, "Forebay listens on http://127.0.0.1:")
        assert requests.get(f"{line.split()[-1]}/readyz", timeout=60).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_settings_that_cannot_be_used_are_said_in_a_sentence() -> None:
    process = _start(FOREBAY_INGRESS__PORT="a-port")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 78
    assert "ingress.port" in errors
    assert "Traceback" not in errors
