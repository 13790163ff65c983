"""A pool that reuses the memory of freed arrays."""

from contextvars import ContextVar
from typing import Any, Self

from . import _core
from ._settings import integer

# The pools of a context in the order in which they were enabled, each with the handler that it replaced.
_enabled: ContextVar[tuple[tuple["memory_pool", Any], ...]] = ContextVar("fastact_memory_pools", default=())


class memory_pool:
    """Keep the memory of freed arrays for the next ones.

    The system provides the memory of large arrays page by page, when each page is first written. This often
    takes longer than the computation. In a block ``with memory_pool():``, NumPy reuses the memory of arrays
    that were freed before, for the results of fastact and for all other arrays.

    Parameters
    ----------
    limit : int, default: 2**30
        The largest number of bytes to hold for reuse. Above it, the memory that was freed first is released.

    Raises
    ------
    TypeError
        If limit is not an integer.
    ValueError
        If limit is negative.

    Notes
    -----
    A pool is enabled for the current context: for this thread or asyncio task, and for tasks that it starts
    with a copy of its context. Other threads must enable the pool themselves, for example with
    ``ThreadPoolExecutor(initializer=pool.enable)``. Any number of threads may share a pool. Pools can be
    nested, and they can be disabled in any order.

    Arrays may outlive the block and the pool. A pool holds memory until `trim` is called or the pool is
    destroyed, so a pool in a variable can be used in several ``with`` blocks. If the system has no more
    memory, the pool releases what it holds before a MemoryError is raised.

    The data of an array begin at a multiple of 64 bytes. An array takes up to a quarter more memory than its
    data, plus 128 bytes. After a fork, parent and child each have their own pool.

    Examples
    --------
    >>> with fastact.memory_pool(limit=2**20) as pool:
    ...     for _ in range(10):
    ...         y = fastact.gelu(np.zeros(1000))
    >>> statistics = pool.statistics()
    >>> statistics["hits"] > statistics["misses"]
    True
    >>> pool.trim()
    >>> pool.statistics()["bytes_held"]
    0
    """

    def __init__(self, limit: int = 2**30) -> None:
        self._pool = _core.Pool(integer("memory_pool", "limit", limit, 0, 63))

    def enable(self) -> None:
        """Allocate the memory of new arrays from this pool from now on."""
        _enabled.set((*_enabled.get(), (self, _core.set_handler(self._pool.handler))))

    def disable(self) -> None:
        """Undo the last `enable`; raise RuntimeError if the pool is not enabled in this context."""
        pools = list(_enabled.get())
        last = max((i for i, (pool, _) in enumerate(pools) if pool is self), default=None)
        if last is None:
            raise RuntimeError("this memory_pool is not enabled in this context")
        _, before = pools.pop(last)
        if last == len(pools):
            _core.set_handler(before)
        else:  # the pool that was enabled next stays enabled and now replaces the earlier handler
            pools[last] = pools[last][0], before
        _enabled.set(tuple(pools))

    def __enter__(self) -> Self:
        self.enable()
        return self

    def __exit__(self, *_: object) -> None:
        self.disable()

    def trim(self) -> None:
        """Release all memory that is held for reuse."""
        self._pool.trim()

    def statistics(self) -> dict[str, int]:
        """Return how often memory could be reused (hits) and how often not (misses), and the bytes held."""
        return self._pool.statistics()
