"""Clients of others run unchanged: each in its newest version, put through all it can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.acceptance.command import ROOT
from tests.trials.clients.client import CLIENTS, Client
from tests.trials.clients.front import Front
from tests.trials.clients.installing import Installed, NotInstalled
from tests.trials.clients.limits import LIMITS, Limit
from tests.trials.clients.table import Result, Table

DOCUMENT = ROOT / "docs" / "clients.md"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with Front(tmp_path_factory.mktemp("front").resolve()) as front:
        yield front


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """Shown at the end, whatever became of it."""
    table = Table()
    yield table
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n\n{table.text()}")


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
def test_a_client_does_here_what_it_does_elsewhere(
    client: Client, front: Front, table: Table, tmp_path: Path
) -> None:
    try:
        installed = Installed(client, tmp_path)
    except NotInstalled as error:
        table.leave_out(client.name, str(error))
        pytest.skip(f"{client.name} could not be installed here: {error}")
    done = front.run(installed.command)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    results = [msgspec.json.decode(line, type=Result) for line in lines]
    table.add(results, version=installed.version)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert results, done.stdout
    assert not {(each.row, each.step): each.said for each in results if each.said}
    told = DOCUMENT.read_text()
    assert not {each.row for each in results if f"| {each.row} |" not in told}


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.part for limit in LIMITS])
def test_what_none_can_do_here_is_refused_by_its_name(limit: Limit, front: Front) -> None:
    refused = front.post(limit.path, limit.body)
    assert (refused.status_code, limit.part in refused.text) == (limit.status, True), refused.text
    assert limit.what in DOCUMENT.read_text()
