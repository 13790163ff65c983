"""The C++ package in the wheel: another project finds, builds and runs it."""

import os
import subprocess
from pathlib import Path

import fastact
import pytest

pytestmark = pytest.mark.slow


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


def test_same_bits_in_every_instruction_set(build: Path) -> None:
    hashes = {
        isa: subprocess.run(
            [build / "bits"],
            env=os.environ | {"FASTACT_ISA": isa},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for isa in fastact.config()["available"]
    }
    assert len(set(hashes.values())) == 1
    assert hashes["portable"].count("\n") == 4 * len(fastact._core.activations)
