"""A stack whose only model is scripted, and commands that are typed beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.command import RunningStack, Typed
from tests.integration.workers.provider_thread import ProviderThread

SETTINGS = """
[[costs.prices]]
model = "scripted"
input_per_million = 2.50
output_per_million = 10.00

[variants.terse]
system_prefix = "Be brief."

[[providers]]
name = "primary"
kind = "openai_compatible"
base_url = "{url}"
model = "scripted"
max_tries = 1
"""


@pytest.fixture(scope="package")
def provider() -> Iterator[ProviderThread]:
    with ProviderThread() as thread:
        yield thread


@pytest.fixture(scope="package")
def stack(
    provider: ProviderThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("evaluated").resolve()
    (folder / "forebay.toml").write_text(SETTINGS.format(url=provider.url))
    bare = {"FOREBAY_EMBEDDED__FLOWER": "false", "FOREBAY_EMBEDDED__WORKERS": "1"}
    running = RunningStack(folder, bare)
    yield running
    running.close()


@pytest.fixture
def typed(stack: RunningStack, provider: ProviderThread, type_in: Callable[..., Typed]) -> Typed:
    provider.reset()
    return type_in(stack.folder)
