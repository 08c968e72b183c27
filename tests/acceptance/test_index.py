"""`forebay index` and what looks at its work, beside a stack that has an indexer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import RunningStack, Typed, http_get, printed
from tests.integration.workers.stack import PATIENT

_PATIENT = {name: value for name, value in PATIENT.items() if "_SEARCH__" in name}
FIGURES = ("found", "changed", "skipped", "removed", "held_back")


@pytest.fixture(scope="module")
def indexing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("indexing").resolve()
    whole = {
        "FOREBAY_EMBEDDED__INDEXER": "true",
        "FOREBAY_EMBEDDED__METRICS": "true",
        "FOREBAY_EMBEDDED__METRICS_PORT": "0",
    }
    running = RunningStack(folder, whole | _PATIENT)
    yield running
    running.close()


@pytest.fixture
def typed(indexing: RunningStack, type_in: Callable[..., Typed]) -> Typed:
    return type_in(indexing.folder, **_PATIENT)


@pytest.fixture
def library(indexing: RunningStack, tmp_path: Path) -> Path:
    """A folder of its own for each test: its name is its collection's."""
    folder = tmp_path / tmp_path.name
    folder.mkdir()
    (folder / "tides.md").write_text("# Tides\n\nThe moon pulls the sea up twice a day.\n")
    (folder / "bread.md").write_text("# Bread\n\nKnead the dough, and let it rest for an hour.\n")
    (folder / "sluice.py").write_text(
        "def lower_the_gate(metres: float) -> None:\n"
        '    """Let less water through."""\n    print(metres)\n'
    )
    (folder / "picture.bin").write_bytes(b"\0\1\2" * 10)
    return folder


def test_each_process_tells_its_metrics_where_it_is_printed(indexing: RunningStack) -> None:
    urls = indexing.ready["metrics_urls"]
    assert [*urls] == ["ingress", "worker-1", "indexer"]
    for url in urls.values():
        assert "forebay_build_info" in http_get(url).raise_for_status().text


def test_a_run_does_what_its_dry_run_said(typed: Typed, library: Path) -> None:
    _forecast_holds(typed, library)
    (library / "tides.md").unlink()
    (library / "bread.md").write_text("# Bread\n\nBake it for three quarters of an hour.\n")
    (library / "salt.md").write_text("# Salt\n\nA spoon of it.\n")
    forecast = _forecast_holds(typed, library)
    assert (forecast["new"], forecast["other"], forecast["gone"]) == (
        ["salt.md"],
        ["bread.md"],
        ["tides.md"],
    )


def test_what_was_indexed_is_found_by_name_and_by_meaning(typed: Typed, library: Path) -> None:
    printed(typed, "index", str(library))
    asked = ("lower_the_gate", "reduce the flow of water")
    for question in asked:
        found = printed(typed, "search", question, "--collection", library.name)
        assert found["hits"][0]["passage"]["path"] == "sluice.py", question
    shown = typed("search", "why does the sea rise", "--collection", library.name)
    assert shown.stdout.startswith("1. tides.md:1-3")


def test_nothing_is_embedded_twice_and_what_is_gone_is_not_found(
    typed: Typed, library: Path
) -> None:
    first = printed(typed, "index", str(library))
    assert first["documents"]["completed"] == 3
    assert first["embedded"] + first["reused"] >= 3  # of a collection that has the same texts
    again = printed(typed, "index", str(library))
    assert (again["changed"], again["embedded"]) == (0, 0)
    (library / "tides.md").rename(library / "sea.md")
    renamed = printed(typed, "index", str(library))
    assert (renamed["changed"], renamed["removed"], renamed["embedded"]) == (1, 1, 0)
    found = printed(typed, "search", "moon", "--collection", library.name)
    assert {hit["passage"]["path"] for hit in found["hits"]} >= {"sea.md"}
    assert "tides.md" not in {hit["passage"]["path"] for hit in found["hits"]}
    assert "what the ledger says" in typed("collections", "repair", library.name).stdout
    stock = printed(typed, "collections", "stats", library.name)
    assert stock["adds_up"]
    assert stock["counts"]["passages"] <= stock["in_store"] <= stock["most_in_store"]


def test_most_of_a_folder_that_is_gone_is_kept_until_the_next_run_agrees(
    typed: Typed, library: Path
) -> None:
    printed(typed, "index", str(library))
    for name in ("tides.md", "sluice.py"):
        (library / name).unlink()
    assert _forecast_holds(typed, library)["held_back"] == 2
    assert _forecast_holds(typed, library)["removed"] == 2


def test_jobs_and_collections_say_what_became_of_a_folder(typed: Typed, library: Path) -> None:
    job = printed(typed, "index", str(library))
    shown = printed(typed, "jobs", "show", job["id"])
    assert [(each["path"], each["reason"]) for each in shown["left_out"]] == [
        ("picture.bin", "binary")
    ]
    assert printed(typed, "jobs", "list")[0]["id"] == job["id"]
    assert printed(typed, "jobs", "follow", job["id"])["state"] == "completed"
    (fresh,) = printed(typed, "collections", "freshness", library.name)["sources"]
    assert fresh["source"] == f"folder:{library}"
    assert library.name in typed("collections", "list").stdout
    assert typed("collections", "drop", library.name).returncode == 0
    assert typed("search", "tides", "--collection", library.name).returncode == 1


def test_no_wait_says_where_to_look(typed: Typed, library: Path) -> None:
    said = typed("index", str(library), "--no-wait")
    job_id = said.stdout.split()[-1]
    assert "jobs show job_" in said.stdout
    assert printed(typed, "jobs", "follow", job_id)["documents"]["completed"] == 3


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("index", "nowhere"), 2, "nowhere does not exist"),
        (("index", ".", "--watch", "--dry-run"), 2, "--watch"),
        (("search", "x", "--mode", "psychic"), 2, "keyword, semantic"),
        (("search", " ", "--collection", "nothing"), 1, "nothing"),
        (("jobs", "show", "job_0"), 1, "job_0"),
        (("collections", "stats", "nothing"), 1, "forebay collections list"),
        (("collections", "repair", "nothing"), 1, "forebay collections list"),
        (("collections", "create", " "), 2, "needs a name"),
        (("index", ".", "--collection", ""), 2, "--collection has no name"),
        (("index", ".", "--tenant", "nobody"), 1, "forebay tenants list"),
        (("index", ".", "--tenant", "nobody", "--watch"), 1, "forebay tenants list"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_fix(
    typed: Typed, words: tuple[str, ...], code: int, complaint: str
) -> None:
    done = typed(*words)
    assert (done.returncode, complaint in done.stderr) == (code, True), done.stderr
    assert "Warning" not in done.stderr


def _forecast_holds(typed: Typed, library: Path) -> dict[str, Any]:
    forecast: dict[str, Any] = printed(typed, "index", str(library), "--dry-run")
    done = printed(typed, "index", str(library))
    assert {name: forecast[name] for name in FIGURES} == {name: done[name] for name in FIGURES}
    return forecast
