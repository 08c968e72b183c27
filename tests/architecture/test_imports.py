"""Importing defines things and does nothing else, and pulls in no more than it needs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, files_of_tests, module_name, product_files

BUILDS_AT_IMPORT = {"app.py", "__main__.py"}

# Who may not wait for whom: the first module's import must not load any of the others.
LIGHT_MODULES = {
    "shared.queueing.producer": {"celery", "sqlalchemy"},
    "shared.messages": {"celery", "sqlalchemy", "pydantic", "redis"},
    "shared.settings": {"celery", "sqlalchemy", "pydantic", "redis"},
    "shared.pool": {"sqlalchemy", "pydantic"},
    "workers.providers": {"sqlalchemy", "openai", "anthropic", "httpx"},
    "workers.app": {
        *("flower", "alembic", "mako", "numpy", "onnx", "onnxruntime", "tokenizers"),
        *("pydantic", "genai_prices", "openai", "anthropic", "aiohttp"),
    },
    "ingress.app": {"flower", "alembic", "celery", "pydantic", "numpy", "onnx", "onnxruntime"},
}


def test_importing_a_module_opens_no_socket_starts_no_thread_and_writes_no_file() -> None:
    modules = [
        module_name(file)
        for file in product_files()
        if file.name not in BUILDS_AT_IMPORT and "migrations" not in file.parts
    ]
    watched = _python("-m", "tests.architecture.import_watch", *modules)
    assert watched.returncode == 0, watched.stderr
    assert watched.stdout == ""


def test_what_tests_import_of_ours_is_there() -> None:
    """Benchmarks and trials too, which nothing of the usual suite imports; mypy sees the rest."""
    modules = {module_name(file): file for file in [*product_files(), *files_of_tests()]}
    missing = {
        f"{module_name(file)}: {module}.{name}"
        for file in files_of_tests()
        for module, name in _own_imports(file)
        if f"{module}.{name}" not in modules
        and (module not in modules or name not in _defined_in(modules[module]))
    }
    assert not missing


def test_the_product_needs_only_what_it_declares() -> None:
    modules = [
        module_name(file)
        for file in product_files()
        if file.name not in BUILDS_AT_IMPORT and "migrations" not in file.parts
    ]
    # Celery imports a broker's transport by name, when it connects.
    transports = ["kombu.transport.redis", "kombu.transport.pyamqp"]
    imported = _python("-m", "tests.architecture.bare_import", *modules, *transports)
    assert imported.returncode == 0, imported.stderr


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_a_light_module_stays_light(module: str) -> None:
    if not _exists(module):
        pytest.skip(f"{module} does not exist yet")
    loaded = _python("-c", f"import {module}, sys; print(*sys.modules)")
    assert loaded.returncode == 0, loaded.stderr
    assert not LIGHT_MODULES[module] & _top_levels(loaded.stdout.split())


@pytest.mark.parametrize(
    "typed", [["--help"], ["check", "--help"], ["keys", "create", "-h"]], ids=" ".join
)
def test_help_loads_nothing_of_the_command_it_is_about(typed: list[str]) -> None:
    imported = _loaded_by(typed)
    assert "deploy.cli.help.written_help" in imported
    assert not {"cyclopts", "rich", "asyncio", "msgspec", "sqlalchemy"} & _top_levels(imported)
    assert not {"deploy.cli.check.command", "deploy.cli.keys"} & {*imported}


@pytest.mark.parametrize(
    ("typed", "too_much"),
    [
        (["check", "--nonsense"], {"asyncio", "structlog", "sqlalchemy", "tomllib", "ssl"}),
        (["send", "--nonsense"], {"asyncio", "structlog", "aiohttp", "tomllib", "ssl"}),
        (["keys", "--nonsense"], {"structlog", "sqlalchemy", "tomllib"}),
    ],
    ids=["check", "send", "keys"],
)
def test_a_command_loads_what_it_works_with_once_it_works(
    typed: list[str], too_much: set[str]
) -> None:
    imported = _loaded_by(typed, code=2)
    assert "deploy.cli.output" in imported
    assert not too_much & _top_levels(imported)


def test_the_tables_load_no_kind_of_database() -> None:
    loaded = _python("-c", "import shared.persistence.tables, sys; print(*sys.modules)")
    assert loaded.returncode == 0, loaded.stderr
    assert not [each for each in loaded.stdout.split() if each.startswith("sqlalchemy.dialects.")]


def test_a_worker_loads_nothing_that_most_workers_never_use() -> None:
    code = """
import sys
from shared.pool.worker_process import UNUSED, left_out
with left_out(*UNUSED):
    import workers.app
print(*sys.modules)
"""
    loaded = _python("-c", code)
    assert loaded.returncode == 0, loaded.stderr
    modules = loaded.stdout.split()
    assert "workers.building.runtime" in modules
    large = {
        "tornado",
        "yaml",
        "rich",
        "jsonschema_rs",
        "genai_prices",
        "pydantic",
        "numpy",
        "grpc",
    }
    assert not large & _top_levels(modules)
    unused = ("opentelemetry.sdk", "workers.caching.semantic", "shared.search", "shared.retrieval")
    assert not [each for each in modules if each.startswith(unused)]


def _loaded_by(typed: list[str], *, code: int = 0) -> list[str]:
    ran = _python("-X", "importtime", "-m", "deploy.cli", *typed)
    assert ran.returncode == code, ran.stderr
    return re.findall(r"^import time:.*\|\s*(\S+)$", ran.stderr, flags=re.MULTILINE)


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")
    }
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _exists(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _top_levels(modules: list[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def _own_imports(file: Path) -> Iterator[tuple[str, str]]:
    """Every module of this repository that the file imports from, with every name it takes."""
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        above = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*above, *(node.module or "").split(".")]).strip(".")
        if module.partition(".")[0] in {*PACKAGES, "tests"}:
            yield from ((module, each.name) for each in node.names)


@cache
def _defined_in(file: Path) -> set[str]:
    """What a module has at its top level, however it came there."""
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.alias():
                names.add(node.asname or node.name.partition(".")[0])
    return names
