"""Threads, forks, instruction sets, and the configuration that reports them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact._core import set_grain, set_streaming_threshold
from functions import DTYPES, FUNCTIONS, arguments, bits

INSTRUCTION_SETS = {"avx512", "avx2", "neon", "portable"}
OPENMP = pytest.mark.skipif(not fastact.config()["openmp"], reason="built without OpenMP")

SHOW = "import fastact; c = fastact.config(); print(c['isa'], c['threads'], fastact.get_num_threads())"


def largest_cache(default: int) -> int:
    """Return the size in bytes of the largest cache that the system reports for its first processor."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    return max((int(size.read_text().strip().removesuffix("K")) << 10 for size in sizes), default=default)


def test_config(capsys: pytest.CaptureFixture[str]) -> None:
    config = fastact.config()
    assert list(config) == [
        "version",
        "compiler",
        "built",
        "available",
        "isa",
        "openmp",
        "threads",
        "streaming",
    ]
    assert config["version"] == fastact.__version__ == version("fastact")
    assert isinstance(config["compiler"], str) and config["compiler"]
    assert set(config["available"]) <= set(config["built"]) <= INSTRUCTION_SETS
    assert config["isa"] in config["available"] and "portable" in config["available"]
    assert isinstance(config["openmp"], bool)
    assert config["threads"] == fastact.get_num_threads() >= 1
    assert config["streaming"] == largest_cache(default=config["streaming"]) >= 1 << 16
    fastact.show_config()
    shown = capsys.readouterr().out
    for key in config:
        assert key in shown
    for value in (config["version"], config["compiler"], config["isa"], *config["built"]):
        assert value in shown


def test_installed_files_for_cpp() -> None:
    assert (Path(fastact.get_include()) / "fastact" / "fastact.hpp").is_file()
    assert list(Path(fastact.get_cmake_dir()).glob("fastact*onfig.cmake"))


def test_instruction_set_can_be_forced(run_python: RunPython) -> None:
    for isa in fastact.config()["available"]:
        run = run_python("-c", SHOW, FASTACT_ISA=isa)
        assert run.stdout.split()[:1] == [isa], run.stderr


@pytest.mark.slow  # a child of an emulated process would run on the real processor
@pytest.mark.parametrize("isa", ["nonsense", *sorted(INSTRUCTION_SETS - set(fastact.config()["available"]))])
def test_unavailable_instruction_set(isa: str, run_python: RunPython) -> None:
    run = run_python("-c", "import fastact", FASTACT_ISA=isa)
    assert run.returncode == 1
    message = run.stderr.splitlines()[-1]
    assert message.startswith("ImportError: ") and "FASTACT_ISA" in message and isa in message
    assert all(name in message for name in fastact.config()["available"])


@OPENMP
def test_number_of_threads_from_the_environment(run_python: RunPython) -> None:
    def threads(**environment: str) -> list[str]:
        return run_python("-c", SHOW, **environment).stdout.split()[1:]

    assert threads(FASTACT_NUM_THREADS="3") == ["3", "3"]
    assert threads(FASTACT_NUM_THREADS="3", OMP_NUM_THREADS="5") == ["3", "3"]
    assert threads(OMP_NUM_THREADS="5") == ["5", "5"]


@pytest.mark.parametrize("value", ["0", "-2", "two", "1.5", "3x", "99999999999999999999"])
def test_bad_number_of_threads_in_the_environment(value: str, run_python: RunPython) -> None:
    run = run_python("-c", "import fastact", FASTACT_NUM_THREADS=value)
    assert run.returncode == 1
    message = run.stderr.splitlines()[-1]
    assert message.startswith("ImportError: ") and "FASTACT_NUM_THREADS" in message and value in message


def test_set_num_threads(threads: Callable[[int], None]) -> None:
    for n in (3, 2, 1):
        threads(n)
        assert fastact.get_num_threads() == n
        assert fastact.config()["threads"] == fastact.get_num_threads()
    before = fastact.get_num_threads()
    for bad in (0, -1, -(2**31), 2**31):
        with pytest.raises(ValueError, match=f"set_num_threads: n is {bad}; "):
            fastact.set_num_threads(bad)
    wrong: Any
    for wrong in ("x", "2", 1.5, None):
        with pytest.raises(TypeError, match=f"set_num_threads: n must be an integer, not {wrong!r}"):
            fastact.set_num_threads(wrong)
    assert fastact.get_num_threads() == before


@OPENMP
def test_threadpoolctl_limits_threads(run_python: RunPython) -> None:
    pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")
    program = """if True:
        import fastact, threadpoolctl
        with threadpoolctl.threadpool_limits(1, "openmp"):
            print(fastact.get_num_threads())
        print(fastact.get_num_threads())
    """
    assert run_python("-c", program, OMP_NUM_THREADS="2").stdout.split() == ["1", "2"]


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="nothing here counts the threads of a process"
)
def test_only_much_work_wakes_threads(run_python: RunPython) -> None:
    program = """if True:
        import os
        import numpy as np
        import fastact

        def more() -> int:
            return len(os.listdir("/proc/self/task")) - before

        before = len(os.listdir("/proc/self/task"))
        fastact.set_num_threads(2)
        for size in (1, 100, 1000):
            fastact.relu(np.ones(size))
        print(more())
        fastact.set_num_threads(1)
        fastact.mish(np.ones(1 << 20))
        print(more())
        fastact.set_num_threads(2)
        fastact.relu(np.ones(100_000, np.float32))
        print(more())
        fastact.gelu(np.ones(100_000, np.float32))
        print(more())
    """
    assert run_python("-c", program).stdout.split() == ["0", "0", "0", "1"]


@pytest.mark.parametrize("setter", [set_grain, set_streaming_threshold])
def test_setters_return_the_previous_value(setter: Callable[[int], int]) -> None:
    before = setter(123)
    assert setter(before) == 123
    assert setter(before) == before > 1


def test_forked_child_computes(run_python: RunPython) -> None:
    """A child has no threads of its parent, and its calls must not wait for them."""
    program = """if True:
        import os, signal, time
        import numpy as np
        import fastact
        from fastact._core import set_grain

        set_grain(1)
        fastact.set_num_threads(2)
        x = np.linspace(-5, 5, 100_000)
        expected = fastact.mish(x)
        for generation in range(3):
            child = os.fork()
            if not child:
                signal.alarm(60)
                right = fastact.mish(x).tobytes() == expected.tobytes() and fastact.get_num_threads() >= 1
                if right:
                    grandchild = os.fork()
                    if not grandchild:
                        signal.alarm(30)
                        os._exit(0 if fastact.mish(x).tobytes() == expected.tobytes() else 1)
                    right = os.waitpid(grandchild, 0)[1] == 0
                os._exit(0 if right else 1)
            print(os.waitpid(child, 0)[1])
            assert fastact.mish(x).tobytes() == expected.tobytes()
    """
    run = run_python("-c", program)
    assert run.stdout.split() == ["0", "0", "0"], run.stderr


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="nothing here tells the memory in use")
def test_no_thread_can_be_created(run_python: RunPython) -> None:
    program = """if True:
        import os, resource
        from pathlib import Path
        import numpy as np
        import fastact
        from fastact._core import set_grain

        set_grain(1)
        before = len(os.listdir("/proc/self/task"))
        x = np.linspace(-5, 5, 100_000)
        fastact.set_num_threads(1)
        expected = fastact.mish(x)
        y = np.empty_like(x)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        # A thread needs more for its stack.
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**20,) * 2)
        fastact.set_num_threads(4)
        fastact.mish(x, out=y)
        print(np.array_equal(y, expected), len(os.listdir("/proc/self/task")) - before)
    """
    run = run_python("-c", program)
    assert run.stdout.split() == ["True", "0"], run.stderr


def test_eight_python_threads_at_once(threads: Callable[[int], None]) -> None:
    jobs = [(f, arguments(f, dtype)) for f in FUNCTIONS for dtype in DTYPES]
    threads(1)
    expected = [bits(f(*args)) for f, args in jobs]
    threads(2)
    start = threading.Barrier(8)

    def work(offset: int) -> list[str]:
        start.wait(60)
        order = np.roll(np.arange(10 * len(jobs)) % len(jobs), 5 * offset)
        return [jobs[i][0].name for i in order if bits(jobs[i][0](*jobs[i][1])) != expected[i]]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [[]] * 8


def test_number_of_threads_may_change_during_calls(threads: Callable[[int], None]) -> None:
    x = np.linspace(-9, 9, 5000)
    threads(1)
    expected = fastact.gelu(x).tobytes()
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for n in (1, 3, 2):
                threads(n)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(change)
        try:
            assert all(fastact.gelu(x).tobytes() == expected for _ in range(500))
        finally:
            done.set()
        future.result(60)


@pytest.mark.slow
@pytest.mark.parametrize("parallel", [False, True], ids=["serial", "parallel"])
def test_gil_is_released(parallel: bool, threads: Callable[[int], None]) -> None:
    """Another Python thread runs during a long call."""
    threads(2 if parallel else 1)
    x = np.random.default_rng(0).normal(0, 3, 1 << 22)
    out = np.zeros_like(x)
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.0002):
            ticks.append(time.perf_counter())

    def ran_meanwhile() -> bool:
        begin = time.perf_counter()
        fastact.mish_backward(x, x, out=out)
        end = time.perf_counter()
        quarter = (end - begin) / 4
        return any(begin + quarter < tick < end - quarter for tick in ticks)

    with ThreadPoolExecutor(1) as pool:
        future: Any = pool.submit(tick)
        assert any(ran_meanwhile() for _ in range(20))
        done.set()
        future.result(60)
