from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.embedded.errors import StackFailed, StackInUse
from deploy.embedded.files.credentials import load_credentials
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.files.log_file import bound_log, log_tail
from deploy.embedded.files.state_file import StackState, read_state, write_state

STATE = StackState(
    pid=4711,
    folder="f",
    url="http://127.0.0.1:8080",
    key="k",
    admin_key="a",
    flower_url=None,
    flower_user=None,
    flower_password=None,
    environment={},
)


def test_a_folder_is_one_stacks_at_a_time(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    with folder.claimed():
        write_state(folder.state, STATE)
        assert folder.is_claimed()
        with (
            pytest.raises(StackInUse, match=r"process 4711, http://127\.0\.0\.1:8080"),
            folder.claimed(),
        ):
            pass
    assert not folder.is_claimed()
    with folder.claimed():
        pass


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackFailed, match="FOREBAY_EMBEDDED__FOLDER"):
        StackFolder(tmp_path / "file" / "stack").create()


def test_files_with_secrets_are_for_this_users_eyes_only(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    folder.create()
    load_credentials(folder.credentials)
    write_state(folder.state, STATE)
    for private in (folder.credentials, folder.state):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_secrets_are_made_once(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    made = load_credentials(file)
    assert load_credentials(file) == made
    assert len(made.redis_password) >= 32
    file.write_text("{}")
    with pytest.raises(StackFailed, match="Remove it"):
        load_credentials(file)


def test_a_state_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    assert read_state(file) is None
    file.write_text("{half")
    assert read_state(file) is None
    write_state(file, STATE)
    assert read_state(file) == STATE


def test_a_log_that_grew_too_large_starts_anew_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        bound_log(log, limit_bytes=100)
        assert log.stat().st_size == 100
        writer.write(b"\n")
        bound_log(log, limit_bytes=100)
        writer.write(b"new line\n")
    assert log.read_bytes() == b"new line\n"
    assert (tmp_path / "worker.log.1").stat().st_size == 101


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    assert log_tail(log) == ""
    log.write_text("\n".join(str(number) for number in range(5000)))
    assert log_tail(log, lines=2) == "4998\n4999"
