"""A process that gives way has less of busy cores, whichever session it is in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
GIVEN_WAY = """
import os, pathlib
from shared.niceness import give_way
session = pathlib.Path("/proc/self/autogroup")
before = session.read_text()
give_way(19 - os.nice(0))
print(os.nice(0), session.read_text() != before)
"""


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="Cores are shared among processes alone.")
@pytest.mark.parametrize("leads", [True, False])
def test_who_leads_a_session_says_it_of_the_session_too(leads: bool) -> None:
    told = subprocess.run(
        [sys.executable, "-c", GIVEN_WAY],
        start_new_session=leads,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["19", str(leads)]
