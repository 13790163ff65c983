"""fastact and its peers: how each is loaded, and what it is called with."""

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
from expressions import EXPRESSIONS, ROWS
from fastact import _core
from fastact._documentation import REQUIRED
from fastact._expressions import CONSTANTS

PASSES = "forward", "backward", "from_output"

# Libraries read how many threads to use when they are imported.
THREADS = (
    "FASTACT_NUM_THREADS",
    "OMP_NUM_THREADS",  # torch
    "OPENBLAS_NUM_THREADS",  # NumPy's matrix products
    "NPROC",  # JAX
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
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
    """The variables that hold every library to so many threads and this instruction set."""
    # numba's other pools wait busily and so disturb whoever is measured next.
    return dict.fromkeys(THREADS, str(threads)) | ISA[isa] | {"NUMBA_THREADING_LAYER": "workqueue"}


class Written(NamedTuple):
    """An expression in x, g, y…, and what else it refers to."""

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
        for function, by_library in (EXPRESSIONS | ROWS).items()
        for pass_, expression in zip(PASSES, by_library.get(library, ()), strict=False)
    }


def writer(
    names: Mapping[str, Any], written: Mapping[tuple[str, str], str]
) -> Callable[[str, str, str], Written | None]:
    def write(function: str, pass_: str, dtype: str) -> Written | None:
        expression = written.get((function, pass_))
        return Written(expression, names) if expression else None

    return write


def fastact_calls() -> dict[tuple[str, str], str]:
    """The calls of all that fastact has."""
    templates = "fastact.{}(x{})", "fastact.{}_backward(x, g{})", "fastact.{}_backward_from_output(y, g{})"
    calls = {
        (function, pass_): call.format(function, ", axis=axis" if function in ROWS else "")
        for function in [*(name for name, *_ in _core.activations), *ROWS]
        for pass_, call in zip(PASSES, templates, strict=True)
        if hasattr(fastact, re.split("[.(]", call.format(function, ""))[1])
    }
    for activation, ((_, default),), _ in _core.learnable:
        calls[activation, "forward"] = f"fastact.{activation}(x{'' if default else f', {REQUIRED}'})"
    return calls | expressions("fastact")


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
    config.update("jax_cpu_enable_async_dispatch", False)  # spares small calls a change of thread
    written = expressions("JAX")

    @cache
    def compiled(function: str, pass_: str) -> Written | None:
        expression = written.get((function, "forward"))
        if not expression or pass_ == "from_output":
            return None
        arrays = "x, weight" if "weight" in expression else "x"
        keywords = "".join(f", {name}={name}" for name in ("indices", "axis") if name in expression)
        f = eval(f"lambda {arrays}, indices=None, axis=None: {expression}", {"jnp": jax.numpy, "nn": jax.nn})

        def backward(g: Any, *arrays: Any, **keywords: Any) -> Any:
            gradients = jax.vjp(partial(f, **keywords), *arrays)[1](g)
            return gradients if len(gradients) > 1 else gradients[0]

        call = f"f({arrays}{keywords})" if pass_ == "forward" else f"f(g, {arrays}{keywords})"
        ready = "ready({})" if pass_ == "backward" and "weight" in arrays else "{}.block_until_ready()"
        jitted = jax.jit(f if pass_ == "forward" else backward, static_argnames="axis")
        return Written(ready.format(call), {"f": jitted, "ready": jax.block_until_ready})

    return Library(
        jax.__version__, lambda function, pass_, dtype: compiled(function, pass_), jax.numpy.asarray
    )


def load_numexpr() -> Library:
    """NumPy's expressions where their operations are elementwise."""
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
    """Ufuncs from NumPy's expressions where their operations are elementwise."""
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
            arrays = sorted(set(re.findall(r"\w+", body)) & {"x", "g", "y", "a", "b", "kept", "weight"})
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
    """fastact, and those of its peers that are installed."""
    libraries = {}
    for name, loader in LOADERS.items():
        with suppress(ImportError):
            libraries[name] = loader()
    return libraries
