"""A checkout shows what git lists, its commit and its branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.sources.checkout import CheckoutSource, Revision, is_checkout
from indexer.sources.folder import FolderSource
from indexer.sources.found import FoundFile, SkippedFile, SkipReason
from indexer.sources.opening import open_source
from shared.errors import InvalidRequest
from tests.integration.indexer.sources.conftest import LIMIT_BYTES, Git, write


def source(root: Path) -> CheckoutSource:
    return CheckoutSource(root, limit_bytes=LIMIT_BYTES)


def found(root: Path) -> list[str]:
    return sorted(each.path for each in source(root).scan() if isinstance(each, FoundFile))


def test_tracked_and_new_files_are_found_and_ignored_ones_are_not(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "-b", "trunk")
    write(tmp_path, "kept.log", "src/a.py", "gone.md")
    git("add", "-A")
    git("commit", "-qm", "one")
    write(tmp_path, "src/new.py", "b.log", "src/own/c.py")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "gone.md").unlink()
    assert found(tmp_path) == [".gitignore", "kept.log", "src/a.py", "src/new.py", "src/own/c.py"]
    write(tmp_path, "src/.forebayignore", content=b"own/\n/a.py\n")
    assert found(tmp_path / "src") == [".forebayignore", "new.py"]


def test_the_commit_and_the_branch_are_told(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "-b", "trunk")
    assert source(tmp_path).revision == Revision(None, "trunk")
    write(tmp_path, "a.md")
    git("add", "-A")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD").strip()
    assert source(tmp_path).revision == Revision(commit, "trunk")
    git("checkout", "-q", "--detach")
    assert source(tmp_path).revision == Revision(commit, None)


def test_submodules_and_repositories_inside_are_listed(tmp_path: Path, git: Git) -> None:
    other, root = tmp_path / "other", tmp_path / "root"
    for folder in (other, root):
        write(folder, "a.md")
        git("init", "-q", folder=folder)
        git("add", "-A", folder=folder)
        git("commit", "-qm", "one", folder=folder)
    git("submodule", "--quiet", "add", str(other), "module", folder=root)
    git("submodule", "--quiet", "add", str(other), "empty", folder=root)
    git("submodule", "--quiet", "deinit", "--force", "empty", folder=root)
    git("clone", "-q", str(other), "inner", folder=root)
    skipped = [each for each in source(root).scan() if isinstance(each, SkippedFile)]
    assert {each.path: each.reason for each in skipped} == dict.fromkeys(
        ("module", "empty", "inner"), SkipReason.REPOSITORY
    )
    assert found(root) == [".gitmodules", "a.md"]


def test_a_folder_that_took_the_place_of_a_file_is_no_repository(tmp_path: Path, git: Git) -> None:
    git("init", "-q")
    write(tmp_path, "a")
    git("add", "-A")
    (tmp_path / "a").unlink()
    write(tmp_path, "a/b")
    assert [each.path for each in source(tmp_path).scan()] == ["a/b"]


def test_only_a_work_tree_that_does_not_ignore_the_folder_is_a_checkout(
    tmp_path: Path, git: Git
) -> None:
    write(tmp_path, "src/a.py", "build/page.md")
    assert not is_checkout(tmp_path)
    git("init", "-q")
    (tmp_path / ".gitignore").write_text("build/\n")
    assert is_checkout(tmp_path)
    assert is_checkout(tmp_path / "src")
    assert not is_checkout(tmp_path / "build")
    assert not is_checkout(tmp_path / ".git")


def test_a_path_is_opened_as_what_it_is(tmp_path: Path, git: Git) -> None:
    write(tmp_path, "a.md")
    assert isinstance(open_source(tmp_path, limit_bytes=LIMIT_BYTES), FolderSource)
    git("init", "-q")
    assert isinstance(open_source(tmp_path, limit_bytes=LIMIT_BYTES), CheckoutSource)
    for path, words in (("a.md", "is no folder"), ("missing", "does not exist")):
        with pytest.raises(InvalidRequest, match=words):
            open_source(tmp_path / path, limit_bytes=LIMIT_BYTES)


def test_what_git_refuses_is_said_in_its_words(tmp_path: Path, git: Git) -> None:
    git("init", "-q")
    write(tmp_path, "a.md")
    git("add", "-A")
    (tmp_path / ".git" / "index").write_bytes(b"not an index")
    with pytest.raises(InvalidRequest, match="git cannot list"):
        found(tmp_path)


def test_no_program_that_a_checkout_names_is_run(tmp_path: Path, git: Git) -> None:
    git("init", "-q")
    write(tmp_path, "a.md", "b.md")
    git("add", "a.md")
    git("config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    assert found(tmp_path) == ["a.md", "b.md"]
    assert not (tmp_path / "ran").exists()
