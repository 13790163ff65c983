"""Threads, the configuration, and the files that programs in other languages need."""

from operator import index
from pathlib import Path
from typing import Any

from . import _core


def integer(function: str, name: str, value: Any, low: int, bits: int) -> int:
    """Return the value as an int, or raise an exception unless it is an integer, low <= value < 2**bits."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{function}: {name} must be an integer, not {value!r}") from None
    if not low <= number < 2**bits:
        raise ValueError(f"{function}: {name} is {number}; {low} <= {name} < 2**{bits} is required")
    return number


def set_num_threads(n: int) -> None:
    """Set the largest number of threads that a call may use.

    Large arrays are divided among the threads; small ones are computed by the calling thread alone. The
    number of threads does not change a bit of any result.

    Parameters
    ----------
    n : int
        The number of threads, including the calling one, n >= 1.

    Raises
    ------
    TypeError
        If n is not an integer.
    ValueError
        If n is less than 1.

    See Also
    --------
    fastact.get_num_threads : Returns the number, and says what it is by default.

    Examples
    --------
    >>> before = fastact.get_num_threads()
    >>> fastact.set_num_threads(1)
    >>> fastact.get_num_threads()
    1
    >>> fastact.set_num_threads(before)
    """
    _core.set_num_threads(integer("set_num_threads", "n", n, 1, 31))


def get_num_threads() -> int:
    """Return the largest number of threads that a call may use.

    It is the number that `set_num_threads` has set last. Before, it is that of the environment variable
    ``FASTACT_NUM_THREADS`` or else what OpenMP says, which follows ``OMP_NUM_THREADS`` and threadpoolctl.

    Returns
    -------
    int
        The number of threads, including the calling one.

    Examples
    --------
    >>> fastact.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def config() -> dict[str, Any]:
    """Return how the library was built and what it uses.

    Returns
    -------
    dict
        "version" and "compiler"; "built", the instruction sets for which there are kernels, "available",
        those that this processor has, and "isa", the one in use; "openmp", whether the number of threads
        comes from OpenMP; "threads", the number of threads; "streaming", the number of bytes from which a
        call writes its output past the caches.

    Examples
    --------
    >>> settings = fastact.config()
    >>> settings["isa"] in settings["available"]
    True
    """
    return _core.config()


def show_config() -> None:
    """Print what `config` returns."""
    for key, value in config().items():
        print(f"{key:10}{', '.join(value) if isinstance(value, tuple) else value}")


def get_include() -> str:
    """Return the folder to add to a C++ compiler's include path."""
    return str(Path(__file__).parent / "include")


def get_library() -> str:
    """Return the path of the shared library that exports the functions of ``fastact/fastact.h``.

    It is Python's extension module, so that only processes that run Python can load it.
    """
    return str(_core.__file__)


def get_cmake_dir() -> str:
    """Return the folder for CMake's ``fastact_DIR``, in which ``find_package(fastact CONFIG)`` looks."""
    return str(Path(__file__).parent / "lib" / "cmake" / "fastact")
