"""The repository as its own tests see it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ingress", "workers", "indexer", "shared", "deploy")


def product_files() -> list[Path]:
    """Every Python file that is shipped."""
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def files_of_tests() -> list[Path]:
    """Every Python file that tests, measures or helps to."""
    return sorted((ROOT / "tests").rglob("*.py"))


def repository_files() -> list[Path]:
    """Every file that is or will be in the repository; without git, every file there is."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        files = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        files = [file for file in ROOT.rglob("*") if not _is_build_output(file)]
    return sorted(file for file in files if file.is_file())


def module_name(file: Path) -> str:
    """How the file is imported."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_build_output(file: Path) -> bool:
    hidden = {part for part in file.relative_to(ROOT).parts if part.startswith(".")}
    return bool(hidden - {".ci", ".dockerignore", ".gitignore"}) or "__pycache__" in file.parts
