"""Memory for arrays that is used again."""

from contextvars import ContextVar
from typing import Any, Self

from . import _core

# A context's pools in the order of enabling, each with the handler it took the place of.
_enabled: ContextVar[tuple[tuple["memory_pool", Any], ...]] = ContextVar("fastact_memory_pools", default=())


class memory_pool:
    """Keep the memory of freed arrays for the next ones.

    The system hands out large arrays' memory page by page, as each page is first written to; that often takes
    longer than the computation. In the block of ``with memory_pool():`` NumPy takes its memory, for fastact's
    results and every other array, from those that were freed before.

    Parameters
    ----------
    limit : int, default: 2**30
        The most bytes to hold for reuse. When there are more, those freed longest ago are released.

    Raises
    ------
    ValueError
        If limit is negative.

    Notes
    -----
    A pool is enabled for the current context: this thread or asyncio task, and what it starts with a copy of
    its context. Other threads enable it themselves, as by ``ThreadPoolExecutor(initializer=pool.enable)``;
    any number of them may share a pool. Pools can be nested, and disabled in any order.

    Arrays may outlive the block and the pool. A pool holds memory until `trim` is called or the pool is gone,
    so that a pool kept in a variable serves the next ``with`` too. If the system has no more memory, the pool
    gives up what it holds before there is a MemoryError.

    Data begins at a multiple of 64 bytes. An array takes up to a quarter more memory than it has bytes, and
    128 bytes beside. After a fork parent and child each have a pool of their own.

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
        self._pool = _core.Pool(limit)

    def enable(self) -> None:
        """Take the memory of new arrays from this pool from now on."""
        _enabled.set((*_enabled.get(), (self, _core.set_handler(self._pool.handler))))

    def disable(self) -> None:
        """Undo the last `enable`; RuntimeError if there was none in this context."""
        pools = list(_enabled.get())
        last = max((i for i, (pool, _) in enumerate(pools) if pool is self), default=None)
        if last is None:
            raise RuntimeError("this memory_pool is not enabled in this context")
        _, before = pools.pop(last)
        if last == len(pools):
            _core.set_handler(before)
        else:  # the one enabled next stays, in this one's place
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
        """Return how often used memory was at hand (hits) and how often not (misses), and the bytes held."""
        return self._pool.statistics()
