"""fastact and its peers: how each library is loaded, and how its functions are called."""

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import fastact
import forms
import numpy as np
from fastact import _core
from fastact.facts.expressions import ARRAY_GATES, CONSTANTS, EXPRESSIONS, ROWS, by_pass
from fastact.functions.registry import ELEMENTWISE, OF_ROWS, SUFFIXES

PASSES = "forward", "backward", "from_output"

# Libraries read the number of threads when they are imported.
THREADS = (
    "FASTACT_NUM_THREADS",
    "OMP_NUM_THREADS",  # torch
    "OPENBLAS_NUM_THREADS",  # NumPy's matrix products
    "NPROC",  # JAX
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
# glibc keeps freed memory for itself, for all threads together, so that no library pays for page faults.
MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.arena_max=1"
FOUND = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
COMPILED = "float32", "float64"  # the types that numexpr and numba have
ISA: dict[str, dict[str, str]] = {"best": {}}
if "avx2" in fastact.config()["available"]:
    ISA["avx2"] = {
        "FASTACT_ISA": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,+fma",  # else those of the machine
        "NPY_DISABLE_CPU_FEATURES": " ".join(f for f in FOUND if f.startswith(("AVX512", "X86_V4"))),
    }


def environment(threads: int, isa: str = "best") -> dict[str, str]:
    """Return the environment variables that limit every library to these threads and this instruction set."""
    # The threads of numba's other layers wait actively, which disturbs the next measurement.
    others = {"NUMBA_THREADING_LAYER": "workqueue", "GLIBC_TUNABLES": MEMORY}
    return dict.fromkeys(THREADS, str(threads)) | ISA[isa] | others


class Written(NamedTuple):
    """An expression in x, g, y…, and the other names that it uses."""

    expression: str
    names: Mapping[str, Any]


class Library(NamedTuple):
    version: str
    write: Callable[[str, str, str], Written | None]  # by function, pass and dtype
    array: Callable[[Any], Any] = np.asarray  # makes a NumPy array its own
    values: Callable[[Any], Any] = partial(np.asarray, dtype=float)  # and makes it NumPy's again


def expressions(library: str) -> dict[tuple[str, str], str]:
    return {
        (function, pass_): expression
        for function, by_library in (EXPRESSIONS | ROWS | ARRAY_GATES).items()
        if library in by_library
        for pass_, expression in by_pass(*by_library[library]).items()
    }


def writer(
    names: Mapping[str, Any], written: Mapping[tuple[str, str], str]
) -> Callable[[str, str, str], Written | None]:
    def write(function: str, pass_: str, dtype: str) -> Written | None:
        expression = written.get((function, pass_))
        return Written(expression, names) if expression else None

    return write


def fastact_calls() -> dict[tuple[str, str], str]:
    """Return the calls of all functions of fastact."""
    calls = {}
    for f in ELEMENTWISE + OF_ROWS:
        axis = ["axis=axis"] if f.kind == "rows" else []
        arguments = [*f.inputs, *map(str, f.required.values()), *axis]
        calls[f.forward, PASSES[SUFFIXES.index(f.suffix)]] = f"fastact.{f}({', '.join(arguments)})"
    return calls | expressions("fastact")  # which has those of functions of labels, too


def load_fastact() -> Library:
    build = hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()[:8]
    version = f"{fastact.__version__}, build {build} of {fastact.config()['compiler']}"
    return Library(version, writer({"fastact": fastact}, fastact_calls()))


def load_numpy() -> Library:
    import scipy
    from scipy import special

    with suppress(ImportError):
        import ml_dtypes  # noqa: F401  gives NumPy bfloat16
    names = {"np": np, "special": special, "erf": special.erf, **CONSTANTS}
    version = f"{np.__version__} with SciPy {scipy.__version__}"
    return Library(version, writer(names, expressions("NumPy")))


def load_torch() -> Library:
    import torch

    def tensor(array: Any) -> Any:
        if array.dtype.name == "bfloat16":
            return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(array)

    torch.set_grad_enabled(False)
    names = {"torch": torch, "F": torch.nn.functional, "aten": torch.ops.aten, **CONSTANTS}
    return Library(
        torch.__version__, writer(names, expressions("torch")), tensor, lambda tensor: tensor.double().numpy()
    )


def load_jax() -> Library:
    import jax

    config: Any = jax.config
    config.update("jax_enable_x64", True)
    config.update("jax_cpu_enable_async_dispatch", False)  # so that small calls need no change of thread
    forward, from_output = expressions("JAX"), expressions("NumPy")
    modules = {"jnp": jax.numpy, "np": jax.numpy, "nn": jax.nn, "vjp": jax.vjp, **CONSTANTS}

    @cache
    def compiled(function: str, pass_: str) -> Written | None:
        """Return a jitted function of x and, in the vjp, g; from the output, as NumPy users write it."""
        if pass_ == "from_output":
            expression = from_output.get((function, pass_))
        else:
            expression = forward.get((function, "forward"))
        if not expression:
            return None
        words = re.findall(r"\w+", expression)
        arrays = ", ".join(name for name in ("x", "factor", "weight", "bias", "y", "g") if name in words)
        keywords = "".join(f", {name}={name}" for name in ("indices", "axis") if name in words)
        f = eval(f"lambda {arrays}, indices=None, axis=None: {expression}", modules)

        def backward(g: Any, *arrays: Any, **keywords: Any) -> Any:
            gradients = jax.vjp(partial(f, **keywords), *arrays)[1](g)
            return gradients if len(gradients) > 1 else gradients[0]

        call = f"f(g, {arrays}{keywords})" if pass_ == "backward" else f"f({arrays}{keywords})"
        is_tuple = "vjp" in words or (pass_ == "backward" and {"weight", "factor"} & {*words})
        ready = "ready({})" if is_tuple else "{}.block_until_ready()"
        jitted = jax.jit(backward if pass_ == "backward" else f, static_argnames="axis")
        return Written(ready.format(call), {"f": jitted, "ready": jax.block_until_ready})

    return Library(
        jax.__version__, lambda function, pass_, dtype: compiled(function, pass_), jax.numpy.asarray
    )


def load_numexpr() -> Library:
    """Return NumPy's expressions for numexpr, where all their operations are elementwise."""
    import numexpr

    written = expressions("NumPy")

    @cache
    def write(function: str, pass_: str, dtype: str) -> Written | None:
        if dtype not in COMPILED:
            return None
        numbers: dict[str, Any] = {}  # as numbers of this dtype, which literals are not

        def constant(value: float) -> str:
            if isinstance(value, int):
                return str(value)
            numbers[name := f"c{len(numbers)}"] = np.dtype(dtype).type(value)
            return name

        try:
            variables, results, joined = forms.elementwise(written[function, pass_], forms.NUMEXPR, constant)
        except LookupError:
            return None
        for name, value in variables.items():
            results = [re.sub(rf"\b{name}\b", f"({value})", result) for result in results]
        calls = (f"evaluate({result!r})" for result in results)
        return Written(joined.format(*calls), {"np": np, "evaluate": numexpr.evaluate, **numbers})

    return Library(numexpr.__version__, write)


def load_numba() -> Library:
    """Return numba ufuncs of NumPy's expressions, where all their operations are elementwise."""
    import numba

    vectorize: Any = numba.vectorize
    target = "cpu" if numba.get_num_threads() == 1 else "parallel"
    written = expressions("NumPy")

    @cache
    def write(function: str, pass_: str, dtype: str) -> Written | None:
        if dtype not in COMPILED:
            return None
        try:
            variables, results, joined = forms.elementwise(
                written[function, pass_], forms.NUMBA, lambda value: f"F({value!r})"
            )
        except LookupError:
            return None
        names: dict[str, Any] = {"F": np.dtype(dtype).type, "np": np, "erf": math.erf}
        calls = []
        for index, result in enumerate(results):
            used = "".join(f"    {name} = {value}\n" for name, value in variables.items())
            body = f"{used}    return {result}\n"
            arrays = sorted(
                set(re.findall(r"\w+", body))
                & ({"x", "factor", "g", "y", "a", "b", "weight", "bias"} - variables.keys())
            )
            exec(f"def f{index}({', '.join(arrays)}):\n{body}", names)
            number = getattr(numba, dtype)
            names[f"f{index}"] = vectorize([number(*[number] * len(arrays))], target=target)(
                names[f"f{index}"]
            )
            calls.append(f"f{index}({', '.join(arrays)})")
        return Written(joined.format(*calls), names)

    return Library(numba.__version__, write)


LOADERS = {
    "fastact": load_fastact,
    "NumPy": load_numpy,
    "torch": load_torch,
    "JAX": load_jax,
    "numexpr": load_numexpr,
    "numba": load_numba,
}


def load() -> dict[str, Library]:
    """Return fastact and those of its peers that are installed."""
    libraries = {}
    for name, loader in LOADERS.items():
        with suppress(ImportError):
            libraries[name] = loader()
    return libraries
