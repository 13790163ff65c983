"""The compiled module: a ufunc per activation and pass, one per function of rows, and what goes with them."""

from typing import Any

activations: tuple[tuple[str, tuple[tuple[str, float], ...], bool], ...]
"""(name, ((parameter, default), ...), whether it has a backward_from_output), in the order of the list."""

learnable: tuple[tuple[str, tuple[tuple[str, float | None], ...], bool], ...]
"""Likewise for those whose backward pass also gives the gradient for their parameter."""

losses: tuple[tuple[str, tuple[tuple[str, float], ...], bool], ...]
"""Likewise for losses of x and a target."""

gates: tuple[str, ...]
"""The activations f that have a gate f(a)·b."""

rows: tuple[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]], ...]
"""(name, ((name in the signature, core dimension) of each input), core dimensions of results, arguments)."""

norms: tuple[tuple[str, tuple[str, ...], int, int, tuple[str, ...], float], ...]
"""(name, arrays, how many are shaped like x, how many are required, results, default of eps) of each norm."""

def config() -> dict[str, Any]:
    """Return version, compiler, instruction sets (built, available, chosen), OpenMP, threads, streaming."""

def get_num_threads() -> int:
    """Return how many threads a call may use."""

def set_num_threads(n: int) -> None:
    """Let a call use up to n threads, n >= 1."""

def set_grain(picoseconds: int) -> int:
    """Set the least work a further thread is woken for; return what it was."""

def set_streaming_threshold(bytes: int) -> int:
    """Set from how many bytes on a call writes past the caches; return what it was."""

class Pool:
    """An allocator of array data that keeps up to limit bytes of what is freed for reuse."""

    def __init__(self, limit: int) -> None: ...
    @property
    def handler(self) -> Any: ...
    def trim(self) -> None: ...
    def statistics(self) -> dict[str, int]: ...

def set_handler(handler: Any) -> Any:
    """Have NumPy allocate by this handler in the current context; return the one before."""

def __getattr__(name: str) -> Any: ...
