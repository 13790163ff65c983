"""CONTRIBUTING's walk-throughs are complete: the functions that they add pass the tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STEP = re.compile(
    r"^`([^`\n]+)`, (?:new|after `([^`\n]+)`)(, below the rule of the table)?:\n\n```\w+\n(.*?)```",
    re.M | re.S,
)
NOT_COPIED = shutil.ignore_patterns(".git", ".*_cache", ".venv", "build", "dist", "__pycache__", "*.so")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(not (ROOT / "cpp").is_dir(), reason="the sources are not here"),
]


def follow(words: str, folder: Path) -> set[str]:
    """Make the changes that the text describes; return the files."""
    changed = set()
    for path, anchor, below_rule, block in STEP.findall(words):
        file = folder / path
        if anchor:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            places = [i for i, line in enumerate(lines) if line.strip().startswith(anchor)]
            assert places, f"{path} has no line that begins with {anchor}"
            lines.insert(places[0] + 1 + bool(below_rule), block)
            block = "".join(lines)
        else:
            assert not file.exists()
        file.write_text(block, encoding="utf-8")
        changed.add(path)
    return changed


def test_walk_throughs(tmp_path: Path) -> None:
    copy, site = tmp_path / "fastact", tmp_path / "site"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    changed = follow((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), copy)
    assert len(changed) >= 11

    def run(*command: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(site)}
        environment.pop("PYTEST_ADDOPTS", None)
        shown = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        assert shown.returncode == 0, shown.stdout[-5000:] + shown.stderr[-5000:]
        return shown.stdout

    python = sys.executable
    pip = (python, "-m", "pip", "install", "-q", "--no-deps", f"--target={site}")
    run(*pip, "-C", "cmake.define.FASTACT_PORTABLE=ON", ".")
    stub = run(python, "tests/stubs.py")
    for package in (copy / "python/fastact", site / "fastact"):
        (package / "__init__.pyi").write_text(stub, encoding="utf-8")
    added = "absolute or bilinear or public_names or covers or stubs_are"
    run(python, "-m", "pytest", "-q", "-m", "not thorough", "-k", added)
    run(python, "-m", "fastact", "verify", "absolute", "bilinear")
