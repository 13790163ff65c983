"""The C++ package in the wheel: another project finds, builds and runs it."""

import os
import subprocess
from pathlib import Path

import fastact
import pytest
from conftest import UNSANITIZED

pytestmark = [pytest.mark.slow, UNSANITIZED]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("consumer")
    source = Path(__file__).parent / "consumer"
    subprocess.run(
        ["cmake", "-S", source, "-B", folder, f"-Dfastact_DIR={fastact.get_cmake_dir()}"],
        check=True,
    )
    subprocess.run(["cmake", "--build", folder], check=True)
    return folder


def test_consumer(build: Path) -> None:
    assert subprocess.run([build / "consumer"]).returncode == 0


def test_include_folder() -> None:
    assert (Path(fastact.get_include()) / "fastact" / "fastact.hpp").is_file()


@pytest.mark.parametrize("isa", fastact.config()["available"])
def test_bits(build: Path, isa: str) -> None:
    """A kernel that is changed on purpose changes bits.txt, which `bits` writes."""
    run = subprocess.run(
        [build / "bits"], env=os.environ | {"FASTACT_ISA": isa}, capture_output=True, text=True
    )
    assert run.stdout == (Path(__file__).parent / "bits.txt").read_text()
