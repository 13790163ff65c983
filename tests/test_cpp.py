"""The C++ package in the wheel: another project finds, builds and runs it."""

import os
import subprocess
from pathlib import Path

import fastact
import pytest
from conftest import UNSANITIZED

pytestmark = [pytest.mark.slow, UNSANITIZED]

PROGRAMS = ("consumer", "c", "fma", "road", "bits")  # all but `stress`, which .ci/run compiles


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("consumer")
    source = Path(__file__).parent / "consumer"
    subprocess.run(
        ["cmake", "-S", source, "-B", folder, f"-Dfastact_DIR={fastact.get_cmake_dir()}"],
        check=True,
    )
    subprocess.run(["cmake", "--build", folder, "--target", *PROGRAMS], check=True)
    return folder


@pytest.mark.parametrize("program", ["consumer", "c"])
def test_consumer(build: Path, program: str) -> None:
    assert subprocess.run([build / program]).returncode == 0


@pytest.mark.parametrize("command", [("fma", "20"), ("road",)], ids=lambda command: command[0])
def test_internals(build: Path, command: tuple[str, ...]) -> None:
    """The emulated multiply-add on 20 million operands, and which road a call of a row function takes."""
    program, *arguments = command
    assert subprocess.run([build / program, *arguments]).returncode == 0


def test_include_folder() -> None:
    assert (Path(fastact.get_include()) / "fastact" / "fastact.hpp").is_file()


BEST, *OTHERS = fastact.config()["available"]


@pytest.mark.parametrize("isa", [BEST, *(pytest.param(isa, marks=pytest.mark.thorough) for isa in OTHERS)])
def test_bits(build: Path, isa: str) -> None:
    """If a kernel is changed on purpose, `bits` writes the new bits.txt."""
    run = subprocess.run(
        [build / "bits"], env=os.environ | {"FASTACT_ISA": isa}, capture_output=True, text=True
    )
    assert run.stdout == (Path(__file__).parent / "bits.txt").read_text()
