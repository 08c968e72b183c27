"""What workers compare a database with, without loading Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from shared.persistence import migrating


def test_the_newest_revision_is_the_one_that_alembic_ends_at() -> None:
    config = Config()
    folder = Path(migrating.__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [migrating.newest_revision()]
