"""What happens when something around a call fails: memory, signals, files, other processes."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from functions import FUNCTIONS
from rows import FUNCTIONS as ROW_FUNCTIONS
from rows import LEARNED

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="sets limits and reads counters as Linux has them")
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX's signals and forks")

Exceptions = type[Exception] | tuple[type[Exception], ...]
X = np.linspace(-2, 2, 24, dtype=np.float32).reshape(4, 6)


def immense(a: Any) -> Any:
    """Return an array that repeats one element so often that no memory could hold a copy."""
    return np.broadcast_to(a, (1 << 55, *a.shape))


def assert_nothing_leaks(exception: Exceptions | None, calls: list[tuple[Any, ...]], **keywords: Any) -> None:
    def after(rounds: int) -> tuple[list[int], int]:
        for function, *args in calls * rounds:
            with pytest.raises(exception) if exception else nullcontext():
                function(*args, **keywords)
        gc.collect()
        return [sys.getrefcount(a) for call in calls for a in call[1:]], sys.getallocatedblocks()

    after(10)  # fills caches
    references, blocks = after(2)
    references_now, blocks_now = after(10)
    assert references_now == references
    assert blocks_now - blocks < 3 * len(calls)


EVERY_CALL: list[tuple[Any, ...]] = [
    *((f, *[X] * len(f.inputs)) for f in FUNCTIONS),
    *((f, *f.arguments(X)) for f in ROW_FUNCTIONS),
    *((getattr(fastact, name), X, X, p) for name, p in LEARNED.items()),
]


@pytest.mark.parametrize("pooled", [False, True], ids=["", "pool"])
def test_no_memory_for_the_output(pooled: bool) -> None:
    """A MemoryError is raised, as by NumPy; nothing leaks, and a pool stays usable."""
    calls = [
        (function, *(immense(a) if np.asarray(a).dtype == X.dtype else a for a in args))
        for function, *args in EVERY_CALL
        if not any(np.asarray(a).dtype == np.int64 for a in args)  # labels are read first
    ]
    with fastact.memory_pool() if pooled else nullcontext() as pool:
        assert_nothing_leaks(MemoryError, calls)
        for _ in range(2):
            for function, *args in EVERY_CALL:
                function(*args)
    assert pool is None or pool.statistics()["hits"] > len(EVERY_CALL)


def test_calls_leak_nothing() -> None:
    assert_nothing_leaks(None, EVERY_CALL)
    assert_nothing_leaks(None, [(f, *[X] * len(f.inputs), *dict(f.defaults).values()) for f in FUNCTIONS])


def test_failed_calls_leak_nothing() -> None:
    wrong = [(function, "text", *args) for function, _, *args in EVERY_CALL]
    assert_nothing_leaks((TypeError, ValueError), wrong)
    assert_nothing_leaks(TypeError, EVERY_CALL, nonsense=object())
    assert_nothing_leaks((TypeError, ValueError), EVERY_CALL, out=np.zeros(5, int))
    parameters = [(f, name) for f in FUNCTIONS for name, _ in f.defaults]
    assert_nothing_leaks(
        TypeError, [(partial(f, **{name: "text"}), *[X] * len(f.inputs)) for f, name in parameters]
    )


@POSIX
def test_interrupt_during_a_call(run_python: RunPython) -> None:
    """The call is completed; then KeyboardInterrupt is raised."""
    program = """if True:
        import os, signal, threading
        import numpy as np
        import fastact

        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored in the background
        x = np.linspace(-9, 9, 1 << 21)
        expected = fastact.mish_backward(x, x)
        y = np.zeros_like(x)
        interrupted = 0
        for _ in range(20):
            y[-1] = 77
            timer = threading.Timer(0.001, os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                for _ in range(1000):
                    fastact.mish_backward(x, x, out=y)
            except KeyboardInterrupt:
                interrupted += 1
            timer.join()
            assert y[-1] == 77 or y.tobytes() == expected.tobytes()
        assert interrupted == 20
        assert fastact.mish_backward(x, x).tobytes() == expected.tobytes()
    """
    run = run_python("-c", program)
    assert run.returncode == 0, run.stderr


def test_what_a_parameter_raises_is_not_hidden() -> None:
    """A parameter that is not a number raises TypeError; other exceptions are passed on."""

    class Raising:
        def __init__(self, exception: type[BaseException]) -> None:
            self.exception = exception

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise self.exception

        def __repr__(self) -> str:
            return "\ud800"

    for telling in (KeyboardInterrupt, SystemExit, MemoryError):
        with pytest.raises(telling):
            fastact.elu(X, Raising(telling))
    for exception in (RuntimeError, ValueError, OSError):
        with pytest.raises(TypeError, match="alpha must be a real number or an array of them, not \ud800"):
            fastact.elu(X, Raising(exception))


@pytest.mark.slow
@POSIX
def test_fork_while_threads_compute(run_python: RunPython) -> None:
    """Children compute with their own threads, and the parent's results stay correct."""
    program = """if True:
        import os, signal, threading
        import numpy as np
        import fastact
        from fastact._core import set_grain

        set_grain(1)
        fastact.set_num_threads(2)
        x = np.linspace(-9, 9, 20_000)
        rows = x.reshape(200, 100)

        def right():
            return fastact.mish(x).tobytes() == mish and fastact.softmax(rows).tobytes() == softmax

        def work():
            while not done.is_set():
                if not right():
                    wrong.append(1)

        mish, softmax = fastact.mish(x).tobytes(), fastact.softmax(rows).tobytes()
        done, wrong = threading.Event(), []
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(100):
            child = os.fork()
            if not child:
                signal.alarm(60)
                os._exit(0 if all(right() for _ in range(5)) else 1)
            children.append(os.waitpid(child, 0)[1])
        done.set()
        for thread in threads:
            thread.join()
        assert children == [0] * 100 and not wrong, (children, wrong)
    """
    run = run_python("-W", "ignore::DeprecationWarning", "-c", program)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib(backend: str, run_python: RunPython) -> None:
    """All workers give the same bits, and all processes together use no more threads than processors."""
    pytest.importorskip("joblib", reason="joblib is not installed")
    program = f"""if True:
        import os
        import joblib
        import numpy as np
        import fastact

        def threads(_):
            return fastact.get_num_threads()

        x = np.random.default_rng(0).normal(0, 3, (8, 300_000))
        with joblib.parallel_config({backend!r}, n_jobs=2):
            for f, expected in ((fastact.mish, fastact.mish(x)), (fastact.elu, fastact.elu(x, 0.5))):
                extra = () if f is fastact.mish else (0.5,)
                results = joblib.Parallel()(joblib.delayed(f)(row, *extra) for row in x)
                assert np.stack(results).tobytes() == expected.tobytes()
            counts = joblib.Parallel()(joblib.delayed(threads)(i) for i in range(4))
        if {backend!r} == "loky":
            assert max(counts) <= max(1, (os.cpu_count() or 1) // 2), counts
    """
    run = run_python("-W", "ignore::DeprecationWarning", "-c", program)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_scikit_learn(run_python: RunPython) -> None:
    """Functions can be pickled, so a search in several processes gives the scores of a single process."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    program = """if True:
        import numpy as np
        import fastact
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer

        x = np.random.default_rng(0).normal(size=(300, 20))
        y = fastact.silu(x).sum(1)
        model = make_pipeline(FunctionTransformer(), Ridge())
        grid = {"functiontransformer__func": [fastact.gelu, fastact.silu, fastact.elu, fastact.softmax]}
        scores = []
        for jobs in (1, 2):
            search = GridSearchCV(model, grid, n_jobs=jobs, cv=3).fit(x, y)
            assert search.best_params_ == {"functiontransformer__func": fastact.silu}
            scores.append(search.cv_results_["mean_test_score"].tobytes())
        assert scores[0] == scores[1]
    """
    run = run_python("-c", program)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask(scheduler: str, run_python: RunPython) -> None:
    """Chunks are large enough to be split among threads while dask computes several at a time."""
    pytest.importorskip("dask.array", reason="dask is not installed")
    program = f"""if __name__ == "__main__":
        import dask
        import dask.array
        import numpy as np
        import fastact

        fastact.set_num_threads(2)
        x = np.random.default_rng(0).normal(0, 3, (64, 50_000))
        lazy = dask.array.from_array(x, chunks=(8, -1))
        expected = fastact.softmax(fastact.mish(x)).tobytes()
        with dask.config.set(scheduler={scheduler!r}, num_workers=4):
            for _ in range(5 if {scheduler!r} == "threads" else 1):
                assert fastact.softmax(fastact.mish(lazy)).compute().tobytes() == expected
    """
    run = run_python("-c", program)
    assert run.returncode == 0, run.stderr


NONSENSE = [b" ", b"-", b"AVX2", b"2 ", b"+2", b"0x2", b"\xff\xfe", "\uff12".encode(), b"\n", b"9" * 10_000]


@POSIX
@pytest.mark.parametrize("variable", ["FASTACT_ISA", "FASTACT_NUM_THREADS"])
def test_nonsense_in_the_environment(variable: str) -> None:
    """The ImportError names the variable, whatever bytes it holds."""
    for value in NONSENSE:
        environment = {**os.environb, variable.encode(): value}
        run = subprocess.run([sys.executable, "-c", "import fastact"], env=environment, capture_output=True)
        message = run.stderr.decode().splitlines()
        assert run.returncode == 1, (value, run.stderr)
        assert any(line.startswith(f"ImportError: {variable}: ") for line in message), (value, message)


def test_other_variables_are_left_alone(run_python: RunPython) -> None:
    run = run_python("-c", "import fastact", FASTACT_ISA="", FASTACT_NUM_THREADS="", FASTACT_NONSENSE="1")
    assert run.returncode == 0, run.stderr


def test_ml_dtypes_that_is_none(run_python: RunPython) -> None:
    """A mocked ml_dtypes, as in documentation builds, causes an exception at worst."""
    program = """if True:
        import sys
        from unittest.mock import Mock
        import numpy as np
        bfloat16 = np.dtype(np.float16)
        try:
            from ml_dtypes import bfloat16
        except ImportError:
            pass
        sys.modules["ml_dtypes"] = Mock()
        import fastact
        assert fastact.gelu(np.ones(3, np.int8)).dtype == np.float16
        try:
            fastact.gelu(np.ones(3, bfloat16))
        except (RuntimeError, TypeError):
            pass
    """
    run = run_python("-c", program)
    assert run.returncode == 0, run.stderr


def test_memmaps(tmp_path: Path) -> None:
    """Memory maps behave like other arrays: read-only ones are refused as out, and copy-on-write
    leaves the file unchanged.
    """
    path = tmp_path / "numbers"
    expected = fastact.gelu(X)

    def written(mode: Any) -> bool:
        X.tofile(path)
        x = np.memmap(path, np.float32, mode, shape=X.shape)
        assert fastact.gelu(x).tobytes() == expected.tobytes()
        fastact.gelu(x, out=x)
        assert x.tobytes() == expected.tobytes()
        del x
        return path.read_bytes() == expected.tobytes()

    assert written("r+") and not written("c")
    with pytest.raises(ValueError, match="read-only"):
        written("r")
    assert path.read_bytes() == X.tobytes()


@LINUX
@pytest.mark.parametrize("function", ["numpy.exp", "fastact.exponential", "fastact.softmax"])
def test_memmap_whose_file_shrinks(function: str, tmp_path: Path, run_python: RunPython) -> None:
    """The system ends the process with SIGBUS, as it does for NumPy's own functions."""
    program = f"""if True:
        import os
        import numpy, fastact
        path = {os.fspath(tmp_path / "numbers")!r}
        numpy.zeros(1 << 16).tofile(path)
        x = numpy.memmap(path, float, "r")
        assert not numpy.isnan({function}(x)).any()
        os.truncate(path, 1 << 12)
        {function}(x)
    """
    assert run_python("-c", program).returncode == -signal.SIGBUS


def available_memory() -> int:
    """Return the available memory in bytes; 0 if the system does not report it."""
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.is_file() else []
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


PERIOD = 1009
PERIODS = (1 << 31) // PERIOD + 2


@pytest.fixture(scope="module")
def immense_array() -> Any:
    """A float16 array of more than 2^31 elements and 4 GiB."""
    if available_memory() < 6 << 30:
        pytest.skip("takes 4.1 GiB, and the system does not tell of 6 GiB to spare")
    return np.empty((PERIODS, PERIOD), np.float16)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(lambda x: fastact.gelu(x, out=x), fastact.gelu, id="gelu"),
        pytest.param(
            lambda x: fastact.gelu_backward(x[::-1], np.broadcast_to(np.float16(1), x.shape), out=x[::-1]),
            lambda x: fastact.gelu_backward(x, np.float16(1)),
            id="backwards",
        ),
        pytest.param(
            lambda x: fastact.softmax(x.reshape(-1, PERIOD), out=x.reshape(-1, PERIOD)),
            fastact.softmax,
            id="many rows",
        ),
        pytest.param(
            lambda x: fastact.log_softmax(x, out=x),
            lambda x: (x.astype(float) - fastact.logsumexp(x.astype(float)) - np.log(PERIODS)).astype(
                x.dtype
            ),
            id="one row",
        ),
    ],
)
def test_more_than_2_31_elements(
    call: Callable[[Any], Any], expected: Callable[[Any], Any], immense_array: Any
) -> None:
    pattern = np.random.default_rng(0).normal(0, 2, PERIOD).astype(np.float16)
    immense_array[...] = pattern
    call(immense_array.reshape(-1))
    right = expected(pattern)
    assert all((part == right).all() for part in np.array_split(immense_array, 200))


@pytest.mark.thorough
def test_row_of_more_than_2_31_elements() -> None:
    """The row repeats one element; the label needs more than 32 bits."""
    n = (1 << 31) + 8
    x = np.broadcast_to(np.float32(0), n)
    assert fastact.logsumexp(x) == np.float32(np.log(n))
    assert fastact.softmax_cross_entropy(x, n - 3) == np.float32(np.log(n))
    assert fastact.maxout(x) == 0
