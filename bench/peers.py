"""fastact beside NumPy/SciPy expressions, torch and JAX, in one process.

A cell is a function, a pass, a dtype and a shape. Within a cell the libraries take turns and the least time
of each counts: so the ratios hold on a busy machine. Every peer's result is checked against fastact's.
"""

import argparse
import json
import math
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path
from time import perf_counter
from timeit import Timer
from typing import Any, NamedTuple

import fastact
import numpy as np
from fastact._core import activations, learnable
from fastact._documentation import REQUIRED
from tqdm import tqdm

PASSES = "forward", "backward", "from_output"
DTYPES = "float32", "float64"
AXES = "1", "0"
ROW_ELEMENTS = 1 << 20  # at least so many in a matrix given to functions of rows
TURN = 3e-4  # seconds: long beside the clock's resolution, short beside the spells of a busy machine

# How a user of each library writes an activation, by pass, from input x, upstream gradient g and output y.
# torch's backward operations are those its autograd calls. For sigmoid, tanh, tanh_shrink and exponential
# they take y, which autograd keeps from the forward pass: they meet fastact's backward from x as well as that
# from y. JAX has its vjp. torch asks for prelu's parameter as an array, weight.
EXPRESSIONS: dict[str, dict[str, Sequence[str]]] = {
    "identity": {
        "NumPy": ("x.copy()", "g.copy()"),
        "torch": ("torch.clone(x)", "torch.clone(g)"),
        "JAX": ("jnp.copy(x)",),
    },
    "binary_step": {
        "NumPy": ("(x >= 0).astype(x.dtype)", "np.zeros_like(x)"),
        "torch": ("(x >= 0).to(x.dtype)", "torch.zeros_like(x)"),
        "JAX": ("jnp.heaviside(x, 1)",),
    },
    "relu": {
        "NumPy": ("np.maximum(x, 0)", "g * (x > 0)", "g * (y > 0)"),
        "torch": ("F.relu(x)", "aten.threshold_backward(g, x, 0)", "aten.threshold_backward(g, y, 0)"),
        "JAX": ("nn.relu(x)",),
    },
    "relu6": {
        "NumPy": ("np.clip(x, 0, 6)", "g * ((x > 0) & (x < 6))"),
        "torch": ("F.relu6(x)", "aten.hardtanh_backward(g, x, 0, 6)"),
        "JAX": ("nn.relu6(x)",),
    },
    "relu_squared": {
        "NumPy": ("np.maximum(x, 0) ** 2", "2 * g * np.maximum(x, 0)"),
        "torch": ("F.relu(x).square()", "2 * g * F.relu(x)"),
        "JAX": ("nn.relu(x) ** 2",),
    },
    "leaky_relu": {
        "NumPy": ("np.maximum(x, 0.01 * x)", "np.where(x > 0, g, 0.01 * g)"),
        "torch": ("F.leaky_relu(x)", "aten.leaky_relu_backward(g, x, 0.01, False)"),
        "JAX": ("nn.leaky_relu(x)",),
    },
    "prelu": {
        "NumPy": ("np.where(x > 0, x, 0.25 * x)",),
        "torch": ("F.prelu(x, weight)",),
        "JAX": ("jnp.where(x > 0, x, 0.25 * x)",),
    },
    "threshold": {
        "NumPy": ("np.where(x > 0, x, 0)", "g * (x > 0)"),
        "torch": ("F.threshold(x, 0, 0)", "aten.threshold_backward(g, x, 0)"),
        "JAX": ("jnp.where(x > 0, x, 0)",),
    },
    "sigmoid": {
        "NumPy": ("1 / (1 + np.exp(-x))", "g * (s := 1 / (1 + np.exp(-x))) * (1 - s)", "g * y * (1 - y)"),
        "torch": ("torch.sigmoid(x)", "aten.sigmoid_backward(g, y)", "aten.sigmoid_backward(g, y)"),
        "JAX": ("nn.sigmoid(x)",),
    },
    "log_sigmoid": {
        "NumPy": ("-np.log1p(np.exp(-x))", "g / (1 + np.exp(x))"),
        "torch": ("F.logsigmoid(x)", "g * torch.sigmoid(-x)"),
        "JAX": ("nn.log_sigmoid(x)",),
    },
    "hard_sigmoid": {
        "NumPy": ("np.clip(x / 6 + 0.5, 0, 1)", "g / 6 * (np.abs(x) < 3)"),
        "torch": ("F.hardsigmoid(x)", "aten.hardsigmoid_backward(g, x)"),
        "JAX": ("nn.hard_sigmoid(x)",),
    },
    "tanh": {
        "NumPy": ("np.tanh(x)", "g * (1 - np.tanh(x) ** 2)", "g * (1 - y * y)"),
        "torch": ("torch.tanh(x)", "aten.tanh_backward(g, y)", "aten.tanh_backward(g, y)"),
        "JAX": ("jnp.tanh(x)",),
    },
    "tanh_shrink": {
        "NumPy": ("x - np.tanh(x)", "g * np.tanh(x) ** 2"),
        "torch": ("F.tanhshrink(x)", "g - aten.tanh_backward(g, x - y)"),
        "JAX": ("x - jnp.tanh(x)",),
    },
    "hard_tanh": {
        "NumPy": ("np.clip(x, -1, 1)", "g * (np.abs(x) < 1)"),
        "torch": ("F.hardtanh(x)", "aten.hardtanh_backward(g, x, -1, 1)"),
        "JAX": ("nn.hard_tanh(x)",),
    },
    "softsign": {
        "NumPy": ("x / (1 + np.abs(x))", "g / (1 + np.abs(x)) ** 2"),
        "torch": ("F.softsign(x)", "g / (1 + x.abs()).square()"),
        "JAX": ("nn.soft_sign(x)",),
    },
    "elu": {
        "NumPy": (
            "np.where(x > 0, x, np.expm1(x))",
            "np.where(x > 0, g, g * np.exp(x))",
            "np.where(y > 0, g, g * (y + 1))",
        ),
        "torch": (
            "F.elu(x)",
            "aten.elu_backward(g, 1, 1, 1, False, x)",
            "aten.elu_backward(g, 1, 1, 1, True, y)",
        ),
        "JAX": ("nn.elu(x)",),
    },
    "celu": {
        "NumPy": ("np.where(x > 0, x, np.expm1(x))", "np.where(x > 0, g, g * np.exp(x))"),
        "torch": ("F.celu(x)", "aten.elu_backward(g, 1, 1, 1, False, x)"),
        "JAX": ("nn.celu(x)",),
    },
    "selu": {
        "NumPy": (
            "scale * np.where(x > 0, x, alpha * np.expm1(x))",
            "scale * np.where(x > 0, g, g * alpha * np.exp(x))",
            "np.where(y > 0, scale * g, g * (y + scale * alpha))",
        ),
        "torch": (
            "torch.selu(x)",
            "aten.elu_backward(g, alpha, scale, 1, False, x)",
            "aten.elu_backward(g, alpha, scale, 1, True, y)",
        ),
        "JAX": ("nn.selu(x)",),
    },
    "exponential": {
        "NumPy": ("np.exp(x)", "g * np.exp(x)", "g * y"),
        "torch": ("torch.exp(x)", "g * y", "g * y"),
        "JAX": ("jnp.exp(x)",),
    },
    "softplus": {
        "NumPy": ("np.log1p(np.exp(x))", "g / (1 + np.exp(-x))", "-g * np.expm1(-y)"),
        "torch": ("F.softplus(x)", "aten.softplus_backward(g, x, 1, 20)"),
        "JAX": ("nn.softplus(x)",),
    },
    "squareplus": {
        "NumPy": ("(x + np.sqrt(x * x + 4)) / 2", "g * (1 + x / np.sqrt(x * x + 4)) / 2"),
        "torch": ("(x + torch.sqrt(x * x + 4)) / 2", "g * (1 + x / torch.sqrt(x * x + 4)) / 2"),
        "JAX": ("nn.squareplus(x)",),
    },
    "silu": {
        "NumPy": ("x / (1 + np.exp(-x))", "g * (s := 1 / (1 + np.exp(-x))) * (1 + x * (1 - s))"),
        "torch": ("F.silu(x)", "aten.silu_backward(g, x)"),
        "JAX": ("nn.silu(x)",),
    },
    "swish": {
        "NumPy": ("x / (1 + np.exp(-x))",),
        "torch": ("F.silu(x)",),
        "JAX": ("nn.swish(x)",),
    },
    "quick_gelu": {
        "NumPy": (
            "x / (1 + np.exp(-1.702 * x))",
            "g * (s := 1 / (1 + np.exp(-1.702 * x))) * (1 + 1.702 * x * (1 - s))",
        ),
        "torch": ("x * torch.sigmoid(1.702 * x)", "aten.silu_backward(g, 1.702 * x)"),
        "JAX": ("x * nn.sigmoid(1.702 * x)",),
    },
    "hard_swish": {
        "NumPy": ("x * np.clip(x + 3, 0, 6) / 6", "g * np.where(np.abs(x) < 3, x / 3 + 0.5, x > 0)"),
        "torch": ("F.hardswish(x)", "aten.hardswish_backward(g, x)"),
        "JAX": ("nn.hard_swish(x)",),
    },
    "gelu": {
        "NumPy": (
            "0.5 * x * (1 + erf(x / sqrt(2)))",
            "g * (0.5 * (1 + erf(x / sqrt(2))) + x * np.exp(-x * x / 2) / sqrt(2 * pi))",
        ),
        "torch": ("F.gelu(x)", "aten.gelu_backward(g, x)"),
        "JAX": ("nn.gelu(x, approximate=False)",),
    },
    "gelu_tanh": {
        "NumPy": (
            "0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))",
            "g * 0.5 * (1 + (t := np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))"
            " + x * (1 - t * t) * sqrt(2 / pi) * (1 + 0.134145 * x * x))",
        ),
        "torch": ("F.gelu(x, approximate='tanh')", "aten.gelu_backward(g, x, approximate='tanh')"),
        "JAX": ("nn.gelu(x, approximate=True)",),
    },
    "mish": {
        "NumPy": (
            "x * np.tanh(np.log1p(np.exp(x)))",
            "g * ((t := np.tanh(np.log1p(np.exp(x)))) + x * (1 - t * t) / (1 + np.exp(-x)))",
        ),
        "torch": ("F.mish(x)", "aten.mish_backward(g, x)"),
        "JAX": ("nn.mish(x)",),
    },
    "hard_shrink": {
        "NumPy": ("np.where(np.abs(x) > 0.5, x, 0)", "g * (np.abs(x) > 0.5)"),
        "torch": ("F.hardshrink(x)", "aten.hardshrink_backward(g, x, 0.5)"),
        "JAX": ("jnp.where(jnp.abs(x) > 0.5, x, 0)",),
    },
    "soft_shrink": {
        "NumPy": ("x - np.clip(x, -0.5, 0.5)", "g * (np.abs(x) > 0.5)"),
        "torch": ("F.softshrink(x)", "aten.softshrink_backward(g, x, 0.5)"),
        "JAX": ("x - jnp.clip(x, -0.5, 0.5)",),
    },
}

# Likewise functions of rows, which lie along `axis` of a matrix; functions of the halves a and b of a row;
# and activations with a learnable weight for each index along `axis`, whose backward pass gives a pair. A
# label is where its row is largest; indices are the labels in as many dimensions as x has. `kept` is what
# else autograd keeps from the forward pass.
ROWS: dict[str, dict[str, Sequence[str]]] = {
    "softmax": {
        "NumPy": (
            "special.softmax(x, axis)",
            "(p := special.softmax(x, axis)) * (g - (g * p).sum(axis, keepdims=True))",
            "y * (g - (g * y).sum(axis, keepdims=True))",
        ),
        "torch": ("torch.softmax(x, axis)", *["aten._softmax_backward_data(g, y, axis, x.dtype)"] * 2),
        "JAX": ("nn.softmax(x, axis)",),
    },
    "log_softmax": {
        "NumPy": (
            "special.log_softmax(x, axis)",
            "g - special.softmax(x, axis) * g.sum(axis, keepdims=True)",
            "g - np.exp(y) * g.sum(axis, keepdims=True)",
        ),
        "torch": (
            "torch.log_softmax(x, axis)",
            *["aten._log_softmax_backward_data(g, y, axis, x.dtype)"] * 2,
        ),
        "JAX": ("nn.log_softmax(x, axis)",),
    },
    "logsumexp": {
        "NumPy": (
            "special.logsumexp(x, axis)",
            "np.expand_dims(g, axis) * np.exp(x - np.expand_dims(y, axis))",
        ),
        "torch": ("torch.logsumexp(x, axis)", "g.unsqueeze(axis) * (x - y.unsqueeze(axis)).exp()"),
        "JAX": ("nn.logsumexp(x, axis)",),
    },
    "softmax_cross_entropy": {
        "kept": ("fastact.log_softmax(x, axis=axis)",),
        "fastact": (
            "fastact.softmax_cross_entropy(x, labels, axis=axis)",
            "fastact.softmax_cross_entropy_backward(x, labels, g, axis=axis)",
        ),
        "NumPy": (
            "special.logsumexp(x, axis) - np.take_along_axis(x, indices, axis).squeeze(axis)",
            "(p := np.exp(kept), np.put_along_axis(p, indices, np.expand_dims(np.expm1(-y), axis), axis),"
            " p * np.expand_dims(g, axis))[2]",
        ),
        "torch": (
            "F.cross_entropy(x, labels, reduction='none') if axis"
            " else F.cross_entropy(x[None], labels[None], reduction='none')[0]",
            "aten._log_softmax_backward_data("
            "torch.zeros_like(x).scatter_(axis, indices, -g.unsqueeze(axis)), kept, axis, x.dtype)",
        ),
        "JAX": ("-jnp.take_along_axis(nn.log_softmax(x, axis), indices, axis).squeeze(axis)",),
    },
    "maxout": {
        "NumPy": ("np.max(x, axis)", "np.expand_dims(g, axis) * (x == np.expand_dims(y, axis))"),
        "torch": (
            "torch.amax(x, axis)",
            "aten.value_selecting_reduction_backward(g, axis, labels, x.shape, False)",
        ),
        "JAX": ("jnp.max(x, axis)",),
    },
    "glu": {
        "NumPy": (
            "a / (1 + np.exp(-b))",
            "np.concatenate((g * (s := 1 / (1 + np.exp(-b))), g * a * s * (1 - s)), axis)",
        ),
        "torch": ("F.glu(x, axis)", "aten.glu_backward(g, x, axis)"),
        "JAX": ("nn.glu(x, axis)",),
    },
    "channel_prelu": {
        "fastact": ("fastact.prelu(x, weight)", "(fastact.prelu_backward(x, g, weight))"),
        "NumPy": (
            "np.where(x > 0, x, weight * x)",
            "np.where(x > 0, g, weight * g), np.where(x > 0, 0, g * x).sum(1 - axis, keepdims=True)",
        ),
        "torch": (
            "aten._prelu_kernel(x, weight)",
            "(d := aten._prelu_kernel_backward(g, x, weight))[0], d[1].sum(1 - axis, keepdim=True)",
        ),
        "JAX": ("jnp.where(x > 0, x, weight * x)",),
    },
    "channel_swish": {
        "kept": ("fastact.sigmoid(weight * x)",),
        "fastact": ("fastact.swish(x, weight)", "(fastact.swish_backward(x, g, weight))"),
        "NumPy": (
            "x / (1 + np.exp(-weight * x))",
            "g * kept + (d := g * x * kept * (1 - kept)) * weight, (d * x).sum(1 - axis, keepdims=True)",
        ),
        "torch": (
            "x * torch.sigmoid(weight * x)",
            "g * kept + (d := aten.sigmoid_backward(g * x, kept)) * weight,"
            " (d * x).sum(1 - axis, keepdim=True)",
        ),
        "JAX": ("x * nn.sigmoid(weight * x)",),
    },
}


def gated(activation: str) -> dict[str, Sequence[str]]:
    """f(a)·b, from the expressions of f(x) and g·f'(x)."""
    halves = {"x": "a", "g": "(g * b)"}
    of_halves = {
        library: [re.sub(r"\b[xg]\b", lambda name: halves[name[0]], expression) for expression in by_pass]
        for library, by_pass in EXPRESSIONS[activation].items()
    }
    concatenate = {"NumPy": "np.concatenate", "torch": "torch.cat"}
    return {
        "kept": (f"fastact.{activation}(a)",),
        "JAX": (f"(lambda a, b: {of_halves['JAX'][0]} * b)(*jnp.split(x, 2, axis))",),
        **{
            library: (f"{of_halves[library][0]} * b", f"{join}(({of_halves[library][1]}, g * kept), axis)")
            for library, join in concatenate.items()
        },
    }


ROWS |= {"reglu": gated("relu"), "geglu": gated("gelu"), "swiglu": gated("silu")}

SELU = {"alpha": 1.6732632423543772, "scale": 1.0507009873554805}

# How one call is made to write into `out`.
INTO_OUT = (
    (r"aten\._softmax_backward_data\((.*)\)", r"aten._softmax_backward_data.out(\1, grad_input=out)"),
    (r"aten\._log_softmax_backward_data\(([^()]*)\)", r"aten._log_softmax_backward_data.out(\1, out=out)"),
    (r"((?:fastact|np|torch)\.\w+\([^()]*)\)", r"\1, out=out)"),
    (r"F\.(\w+)\(([^()]*)\)", r"aten.\1.out(\2, out=out)"),
    (r"aten\.(\w+)\(([^()]*)\)", r"aten.\1.grad_input(\2, grad_input=out)"),
)


def into_out(expression: str) -> str | None:
    """The expression writing into `out`, where it is one call of something that may have such a form."""
    for call, form in INTO_OUT:
        if match := re.fullmatch(call, expression):
            return match.expand(form)
    return None


class Cell(NamedTuple):
    function: str
    pass_: str
    dtype: str
    shape: tuple[int, ...]
    axis: int | None  # of functions of rows


class Library(NamedTuple):
    version: str
    names: dict[str, Any]  # what its expressions refer to
    expressions: Mapping[tuple[str, str], str]  # by function and pass
    array: Callable[[Any], Any]  # makes a NumPy array its own


def expressions(library: str) -> dict[tuple[str, str], str]:
    return {
        (function, pass_): expression
        for function, by_library in (EXPRESSIONS | ROWS).items()
        for pass_, expression in zip(PASSES, by_library.get(library, ()), strict=False)
    }


def load_fastact(threads: int) -> Library:
    fastact.set_num_threads(threads)
    calls = "fastact.{}(x{})", "fastact.{}_backward(x, g{})", "fastact.{}_backward_from_output(y, g{})"
    written = {
        (function, pass_): call.format(function, ", axis=axis" if function in ROWS else "")
        for function in [*(name for name, *_ in activations), *ROWS]
        for pass_, call in zip(PASSES, calls, strict=True)
        if hasattr(fastact, re.split("[.(]", call.format(function, ""))[1])
    }
    for activation, ((_, default),), _ in learnable:
        written[activation, "forward"] = f"fastact.{activation}(x{'' if default else f', {REQUIRED}'})"
    return Library(fastact.__version__, {"fastact": fastact}, written | expressions("fastact"), np.asarray)


def load_numpy(threads: int) -> Library:
    import scipy
    from scipy import special

    version = f"{np.__version__} with SciPy {scipy.__version__}"
    names = {"np": np, "special": special, "erf": special.erf, "sqrt": math.sqrt, "pi": math.pi, **SELU}
    return Library(version, names, expressions("NumPy"), np.asarray)


def load_torch(threads: int) -> Library:
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    names = {"torch": torch, "F": torch.nn.functional, "aten": torch.ops.aten, **SELU}
    return Library(torch.__version__, names, expressions("torch"), torch.from_numpy)


def load_jax(threads: int) -> Library:
    os.environ["NPROC"] = str(threads)  # the size of XLA's pool of threads
    import jax

    config: Any = jax.config
    config.update("jax_enable_x64", True)
    config.update("jax_cpu_enable_async_dispatch", False)  # spares small calls a change of thread
    names: dict[str, Any] = {"jax": jax}
    written = {}
    for (function, _), expression in expressions("JAX").items():
        arrays = "x, weight" if "weight" in expression else "x"
        keywords = "".join(f", {name}={name}" for name in ("indices", "axis") if name in expression)
        f = eval(f"lambda {arrays}, indices=None, axis=None: {expression}", {"jnp": jax.numpy, "nn": jax.nn})

        def backward(g: Any, *arrays: Any, f: Callable[..., Any] = f, **keywords: Any) -> Any:
            gradients = jax.vjp(partial(f, **keywords), *arrays)[1](g)
            return gradients if len(gradients) > 1 else gradients[0]

        names[function] = jax.jit(f, static_argnames="axis")
        names[f"{function}_backward"] = jax.jit(backward, static_argnames="axis")
        written[function, "forward"] = f"{function}({arrays}{keywords}).block_until_ready()"
        ready = "jax.block_until_ready({})" if "weight" in arrays else "{}.block_until_ready()"
        written[function, "backward"] = ready.format(f"{function}_backward(g, {arrays}{keywords})")
    return Library(jax.__version__, names, written, jax.numpy.asarray)


def load(threads: int) -> dict[str, Library]:
    """fastact, and those of its peers that are installed."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    libraries = {"fastact": load_fastact(threads)}
    for name, loader in {"NumPy": load_numpy, "torch": load_torch, "JAX": load_jax}.items():
        with suppress(ImportError):
            libraries[name] = loader(threads)
    return libraries


def least_times(timers: Mapping[str, Timer], seconds: float) -> dict[str, float]:
    """The least time of a call in nanoseconds, over turns taken for so many seconds."""
    calls = {}
    for name, timer in timers.items():
        timer.timeit(2)  # warms caches and allocator
        calls[name] = next(n for n in (1 << k for k in range(40)) if timer.timeit(n) > TURN)
    least = dict.fromkeys(timers, math.inf)
    end = perf_counter() + seconds
    while perf_counter() < end:
        for name, timer in timers.items():
            least[name] = min(least[name], timer.timeit(calls[name]) / calls[name])
    return {name: 1e9 * time for name, time in least.items()}


def checked_timers(
    libraries: Mapping[str, Library], cell: Cell, arrays: Mapping[str, Any], out: bool
) -> dict[str, Timer]:
    timers: dict[str, Timer] = {}
    for name, library in libraries.items():
        expression = library.expressions.get((cell.function, cell.pass_))
        if expression and out:
            expression = into_out(expression)
        if not expression:
            continue
        names = library.names | {key: library.array(array) for key, array in arrays.items()}
        names["axis"] = cell.axis
        with suppress(*[AttributeError, TypeError] if out else []):  # not everything has an out= form
            result = eval(expression, names)
            results = [
                np.asarray(part).copy() for part in (result if isinstance(result, tuple) else [result])
            ]
            if not timers:
                expected = results
            for ours, theirs in zip(expected, results, strict=True):
                np.testing.assert_allclose(theirs, ours, 1e-3, 1e-5, err_msg=f"{name}: {expression}")
            timers[name] = Timer(expression, globals=names)
    return timers


def inputs(cell: Cell, forward: str, spread: float) -> dict[str, Any]:
    """The arrays by the names they have in expressions."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, spread, cell.shape).astype(cell.dtype)
    each = [n if i == cell.axis else 1 for i, n in enumerate(cell.shape)]
    arrays = {"x": x, "weight": np.full(each, REQUIRED, cell.dtype)}
    names = {"fastact": fastact, "axis": cell.axis}
    if cell.axis is not None:
        arrays["a"], arrays["b"] = np.array_split(x, 2, cell.axis)
        arrays["labels"] = x.argmax(cell.axis)
        arrays["indices"] = np.expand_dims(arrays["labels"], cell.axis)
        for expression in ROWS[cell.function].get("kept", ()):
            arrays["kept"] = eval(expression, names | arrays)
    y = arrays["y"] = eval(forward, names | arrays)
    arrays["g"] = rng.normal(0, 1, y.shape).astype(cell.dtype)
    arrays["out"] = np.empty_like(y if cell.pass_ == "forward" else x)
    return arrays


def measure(libraries: Mapping[str, Library], cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    forward = libraries["fastact"].expressions[cell.function, "forward"]
    timers = checked_timers(libraries, cell, inputs(cell, forward, options.spread), options.out)
    size = math.prod(cell.shape)
    times = {name: time / size for name, time in least_times(timers, options.seconds).items()}
    peer = min(times.keys() - {"fastact"}, key=times.__getitem__, default=None)
    return {
        "function": cell.function,
        "pass": cell.pass_,
        "dtype": cell.dtype,
        "shape": "x".join(map(str, cell.shape)) + " axis 0" * (cell.axis == 0),
        "ns_per_element": times,
        "fastest_peer": peer,
        "ratio": times["fastact"] / times[peer] if peer else None,
    }


def cells_asked_for(options: argparse.Namespace) -> list[Cell]:
    """Arrays of all sizes for functions of elements, matrices with rows of all lengths for those of rows."""
    cells = []
    for function in options.only:
        shapes: list[tuple[tuple[int, ...], int | None]] = [((size,), None) for size in options.sizes]
        if function in ROWS:
            lengths = [n + n % 2 if function.endswith("glu") else n for n in options.rows]
            matrices = [(-(-ROW_ELEMENTS // n), n) for n in lengths]
            shapes = [
                (m if axis == "1" else m[::-1], int(axis)) for axis, m in product(options.axis, matrices)
            ]
        asked = product(getattr(options, "pass"), options.dtype, shapes)
        cells += [Cell(function, pass_, dtype, *shape) for pass_, dtype, shape in asked]
    return cells


def compare(libraries: Mapping[str, Library], options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print every cell asked for."""
    calls = libraries["fastact"].expressions
    there = [
        cell
        for cell in cells_asked_for(options)
        if (call := calls.get((cell.function, cell.pass_))) and (not options.out or into_out(call))
    ]
    cells = [measure(libraries, cell, options) for cell in tqdm(there, unit="cell", disable=None)]

    columns = "".join(f"{name:>9}" for name in libraries)
    print(f"\n{'ns/element':42}{'shape':>18}{columns}    ratio to the fastest peer")
    for cell in cells:
        times = cell["ns_per_element"]
        columns = "".join(f"{times[name]:9.3f}" if name in times else f"{'-':>9}" for name in libraries)
        ratio = f"{cell['ratio']:9.2f}{' slower' * (cell['ratio'] > 1)}" if cell["fastest_peer"] else ""
        print(f"{cell['function']:22}{cell['pass']:12}{cell['dtype']:8}{cell['shape']:>18}{columns}{ratio}")

    compared = sorted((cell for cell in cells if cell["fastest_peer"]), key=lambda cell: -cell["ratio"])
    if not compared:
        return {"cells": cells}
    print("\nHighest ratios")
    for cell in compared[:8]:
        where = f"{cell['function']} {cell['pass']} {cell['dtype']} {cell['shape']}"
        print(f"{cell['ratio']:6.2f} of {cell['fastest_peer']:6} {where}")
    mean = math.exp(sum(math.log(cell["ratio"]) for cell in compared) / len(compared))
    slower = sum(cell["ratio"] > 1 for cell in compared)
    print(f"\nGeometric mean {mean:.3f} over {len(compared)} cells, {slower} of them slower than a peer")
    return {"geometric_mean": mean, "slower": slower, "cells": cells}


def compare_calls(libraries: Mapping[str, Library], options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print what a call on four elements costs, beside np.exp's."""
    x = np.linspace(-1, 1, 4, dtype=np.float32)
    names = {"np": np, "fastact": fastact, "x": x, "g": x, "y": abs(x)}
    written = libraries["fastact"].expressions.items()
    calls = ["np.exp(x)", *(call for (name, _), call in written if name in options.only and name not in ROWS)]
    times = least_times({call: Timer(call, globals=names) for call in calls}, len(calls) * options.seconds)
    print(f"\n{'a call on four elements':46}{'ns':>6}   ratio to np.exp")
    for call, time in times.items():
        print(f"{call:46}{time:6.0f}{time / times['np.exp(x)']:9.2f}")
    return {"ns_per_call": times}


def processor() -> str:
    with suppress(OSError):
        if found := re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()):
            return found[1]
    return platform.processor() or platform.machine()


def some_of(choices: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := set(chosen) - set(choices):
            message = f"unknown {', '.join(sorted(unknown))}; choose from {', '.join(choices)}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return parse


def positive_integer(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def positive_integers(text: str) -> list[int]:
    return [positive_integer(number) for number in text.split(",")]


def parse_options() -> argparse.Namespace:
    names = [*(name for name, *_ in activations + learnable), *ROWS]
    parser = argparse.ArgumentParser(description=__doc__)
    for option, parse, default, metavar, meaning in (
        ("--only", some_of(names), ",".join(names), "NAME,...", "functions"),
        ("--pass", some_of(PASSES), "forward,backward", "PASS,...", f"of {', '.join(PASSES)}"),
        ("--dtype", some_of(DTYPES), "float32", "DTYPE,...", f"of {', '.join(DTYPES)}"),
        ("--sizes", positive_integers, "4096,65536,1048576", "N,...", "elements, for all other functions"),
        ("--rows", positive_integers, "10,64,1024,50257", "N,...", "lengths of rows, for functions of rows"),
        ("--axis", some_of(AXES), "1,0", "AXIS,...", "along which they lie in a matrix"),
        ("--threads", positive_integer, 1, "N", "of every library"),
        ("--spread", float, 2.0, "SIGMA", "deviation of the inputs, above 15 too wide for naive expressions"),
        ("--seconds", float, 1.5, "S", "for each cell"),
    ):
        text = f"{meaning} (default: %(default)s)"
        parser.add_argument(option, type=parse, default=default, metavar=metavar, help=text)
    parser.add_argument("--out", action="store_true", help="write into out=, where a library can")
    parser.add_argument("--calls", action="store_true", help="measure calls on four elements, beside np.exp")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements to FILE")
    options = parser.parse_args()
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json: no folder {options.json.parent}")
    return options


def main() -> None:
    options = parse_options()
    libraries = load(options.threads)
    setting = {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        **{name: library.version for name, library in libraries.items()},
        "instruction set": fastact.config()["isa"],
        "compiler": fastact.config()["compiler"],
        "threads": options.threads,
        "inputs": f"normal, deviation {options.spread:g}",
        "outputs": "into out=" if options.out else "fresh",
    }
    for key, value in setting.items():
        print(f"{key:16}{value}")
    report = (compare_calls if options.calls else compare)(libraries, options)
    if options.json:
        options.json.write_text(json.dumps({"setting": setting, **report}, indent=1) + "\n")


if __name__ == "__main__":
    main()
