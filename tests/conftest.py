"""The fixtures that tests share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import fastact
import pytest
from fastact._core import set_grain, set_streaming_threshold
from hypothesis import settings

settings.register_profile("short", max_examples=20, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]

UNSANITIZED = pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""),
    reason="the address sanitizer keeps what is freed, and must be in whatever is linked",
)


@pytest.fixture
def run_python() -> RunPython:
    """Run an interpreter with the given arguments and environment variables to its end."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        inherited = {
            key: value
            for key, value in os.environ.items()
            if key not in ("FASTACT_NUM_THREADS", "PYTEST_ADDOPTS")
        }
        command, environment = [sys.executable, *arguments], inherited | environment
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Set the number of threads, and split even the smallest arrays among them."""
    before, grain = fastact.get_num_threads(), set_grain(1)
    yield fastact.set_num_threads
    fastact.set_num_threads(before)
    set_grain(grain)


@pytest.fixture
def streaming() -> Iterator[Callable[[int], int]]:
    """Set the output size in bytes from which stores bypass the caches."""
    before = set_streaming_threshold(1)
    set_streaming_threshold(before)
    yield set_streaming_threshold
    set_streaming_threshold(before)
