from __future__ import annotations

from pathlib import Path

from deploy.embedded.environment import child_environment, overlaid, stack_environment
from deploy.embedded.files.credentials import Credentials
from deploy.embedded.files.folder import StackFolder
from shared.settings import load_settings

CREDENTIALS = Credentials(redis_password="p-1_2", flower_password="x")


def test_the_stacks_variables_make_settings_of_its_servers() -> None:
    folder = StackFolder(Path("somewhere"))
    settings = load_settings(
        stack_environment(folder, CREDENTIALS, redis_port=7000, door_port=8081)
    )
    assert settings.broker.url == "redis://:p-1_2@127.0.0.1:7000/0"
    assert settings.redis.url == "redis://:p-1_2@127.0.0.1:7000/1"
    assert settings.ledger.url == f"sqlite+aiosqlite:///{folder.ledger}"
    assert (settings.ingress.host, settings.ingress.port) == ("127.0.0.1", 8081)


def test_what_the_user_says_about_the_same_settings_gives_way() -> None:
    ours = {
        "FOREBAY_BROKER__URL": "amqp://elsewhere",
        "FOREBAY_LEDGER__URL_FILE": "a-file",
        "FOREBAY_WORKER__CONCURRENCY": "7",
    }
    stack = {"FOREBAY_BROKER__URL": "redis://here", "FOREBAY_LEDGER__URL": "sqlite://here"}
    assert overlaid(ours, stack) == {**stack, "FOREBAY_WORKER__CONCURRENCY": "7"}


def test_a_child_imports_the_same_code_and_keeps_the_users_own_path() -> None:
    path = child_environment({"PYTHONPATH": "theirs"})["PYTHONPATH"].split(":")
    assert (Path(path[0]) / "deploy" / "embedded").is_dir()
    assert path[1:] == ["theirs"]
