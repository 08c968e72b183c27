"""A standby of Postgres answers every question and takes no message."""

from __future__ import annotations

import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli.check.finding import Level
from deploy.cli.check.ledger import check_ledger
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.ingress.conftest import settings_for
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.test_readiness import readiness
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer, postgres_program


class StandbyServer(PostgresServer):
    """Follows `primary`, from a copy that it takes of it at first."""

    def __init__(self, primary: PostgresServer) -> None:
        self._primary = primary
        super().__init__()

    def _make_cluster(self, data: Path, user: pwd.struct_passwd | None) -> None:
        address = ["--host=127.0.0.1", f"--port={self._primary.port}", "--username=forebay"]
        subprocess.run(
            [
                *(postgres_program("pg_basebackup"), *address, f"--pgdata={data}"),
                *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
            ],
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=self.folder,
            capture_output=True,
            check=True,
            timeout=60,
        )


@pytest.fixture
def standby_url(own_postgres: PostgresServer) -> Iterator[str]:
    """A migrated ledger on a standby."""
    database = own_postgres.create_database()
    migrate(own_postgres.database_url(database))
    with StandbyServer(own_postgres) as standby:
        yield standby.database_url(database)


async def test_a_standby_is_found_by_check_and_leaves_the_door_closed(
    standby_url: str, redis_url: str
) -> None:
    settings = LedgerSettings(url=ServerUrl(standby_url))
    findings = await check_ledger(settings, migrate=False)
    faults = [finding.sentence for finding in findings if finding.level is Level.FAULT]
    assert any("it is a standby" in sentence for sentence in faults)
    with RunningDoor(settings_for(standby_url, redis_url)) as door:
        status, _ = await readiness(door, status="not_ready", ledger="down")
    assert status == 503
