"""The promise under 200 random faults over 10,000 messages, on each broker."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.chaos.ground import Broker


@pytest.mark.parametrize("broker", list(Broker))
def test_a_long_row_of_faults_loses_doubles_and_invents_no_message(broker: Broker) -> None:
    command = [sys.executable, "-m", "tests.chaos.soak", "--broker", str(broker)]
    soak = subprocess.run(command, capture_output=True, text=True, check=False)
    print(soak.stdout)
    assert soak.returncode == 0, f"{soak.stdout}\n{soak.stderr[-4000:]}"
    figures = json.loads(soak.stdout)
    assert figures["account"]["violations"] == []
    assert figures["batches"]["violations"] == []
    assert len(figures["faults"]) >= 15
