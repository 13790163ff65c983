"""fastact beside NumPy/SciPy expressions, torch and JAX, in one process.

A cell is an activation, a pass, a dtype and a size. Within a cell the libraries take turns and the least time
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

SELU = {"alpha": 1.6732632423543772, "scale": 1.0507009873554805}

# How one call is made to write into `out`.
INTO_OUT = (
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


class Library(NamedTuple):
    version: str
    names: dict[str, Any]  # what its expressions refer to
    expressions: Mapping[tuple[str, str], str]  # by activation and pass
    array: Callable[[Any], Any]  # makes a NumPy array its own


def expressions(library: str) -> dict[tuple[str, str], str]:
    return {
        (activation, pass_): expression
        for activation, by_library in EXPRESSIONS.items()
        for pass_, expression in zip(PASSES, by_library.get(library, ()), strict=False)
    }


def load_fastact(threads: int) -> Library:
    fastact.set_num_threads(threads)
    calls = "fastact.{}(x)", "fastact.{}_backward(x, g)", "fastact.{}_backward_from_output(y, g)"
    written = {
        (activation, pass_): call.format(activation)
        for activation, _, has_from_output in activations
        for pass_, call in zip(PASSES, calls[: 2 + has_from_output], strict=False)
    }
    for activation, ((_, default),), _ in learnable:
        written[activation, "forward"] = f"fastact.{activation}(x{'' if default else f', {REQUIRED}'})"
    return Library(fastact.__version__, {"fastact": fastact}, written, np.asarray)


def load_numpy(threads: int) -> Library:
    import scipy
    from scipy.special import erf

    version = f"{np.__version__} with SciPy {scipy.__version__}"
    names = {"np": np, "erf": erf, "sqrt": math.sqrt, "pi": math.pi, **SELU}
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
    names: dict[str, Any] = {}
    written = {}
    for (activation, _), expression in expressions("JAX").items():
        f = eval(f"lambda x: {expression}", {"jnp": jax.numpy, "nn": jax.nn})
        names[activation] = jax.jit(f)
        names[f"{activation}_backward"] = jax.jit(lambda x, g, f=f: jax.vjp(f, x)[1](g)[0])
        written[activation, "forward"] = f"{activation}(x).block_until_ready()"
        written[activation, "backward"] = f"{activation}_backward(x, g).block_until_ready()"
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
    libraries: Mapping[str, Library], activation: str, pass_: str, arrays: Mapping[str, Any], out: bool
) -> dict[str, Timer]:
    timers: dict[str, Timer] = {}
    for name, library in libraries.items():
        expression = library.expressions.get((activation, pass_))
        if expression and out:
            expression = into_out(expression)
        if not expression:
            continue
        names = library.names | {key: library.array(array) for key, array in arrays.items()}
        with suppress(*[AttributeError, TypeError] if out else []):  # not everything has an out= form
            result = np.asarray(eval(expression, names)).copy()
            if not timers:
                expected = result
            np.testing.assert_allclose(result, expected, 1e-3, 1e-5, err_msg=f"{name}: {expression}")
            timers[name] = Timer(expression, globals=names)
    return timers


def measure(
    libraries: Mapping[str, Library], cell: tuple[str, str, str, int], options: argparse.Namespace
) -> dict[str, Any]:
    activation, pass_, dtype, size = cell
    rng = np.random.default_rng(0)
    x, g = (rng.normal(0, deviation, size).astype(dtype) for deviation in (options.spread, 1))
    arrays = {"x": x, "g": g, "weight": np.full(1, REQUIRED, dtype), "out": np.empty_like(x)}
    arrays["y"] = eval(libraries["fastact"].expressions[activation, "forward"], {"fastact": fastact, "x": x})
    timers = checked_timers(libraries, activation, pass_, arrays, options.out)
    times = {name: time / size for name, time in least_times(timers, options.seconds).items()}
    peer = min(times.keys() - {"fastact"}, key=times.__getitem__, default=None)
    return {
        "activation": activation,
        "pass": pass_,
        "dtype": dtype,
        "size": size,
        "ns_per_element": times,
        "fastest_peer": peer,
        "ratio": times["fastact"] / times[peer] if peer else None,
    }


def compare(libraries: Mapping[str, Library], options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print every cell asked for."""
    asked = product(options.only, getattr(options, "pass"), options.dtype, options.sizes)
    there = [cell for cell in asked if cell[:2] in libraries["fastact"].expressions]
    cells = [measure(libraries, cell, options) for cell in tqdm(there, unit="cell", disable=None)]

    columns = "".join(f"{name:>9}" for name in libraries)
    print(f"\n{'ns/element':32}{'elements':>11}{columns}    ratio to the fastest peer")
    for cell in cells:
        times = cell["ns_per_element"]
        columns = "".join(f"{times[name]:9.3f}" if name in times else f"{'-':>9}" for name in libraries)
        ratio = f"{cell['ratio']:9.2f}{' slower' * (cell['ratio'] > 1)}" if cell["fastest_peer"] else ""
        print(f"{cell['activation']:12}{cell['pass']:12}{cell['dtype']:8}{cell['size']:11}{columns}{ratio}")

    compared = sorted((cell for cell in cells if cell["fastest_peer"]), key=lambda cell: -cell["ratio"])
    if not compared:
        return {"cells": cells}
    print("\nHighest ratios")
    for cell in compared[:8]:
        where = f"{cell['activation']} {cell['pass']} {cell['dtype']} {cell['size']}"
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
    calls = ["np.exp(x)", *(call for (activation, _), call in written if activation in options.only)]
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
    names = [name for name, *_ in activations + learnable]
    parser = argparse.ArgumentParser(description=__doc__)
    for option, parse, default, metavar, meaning in (
        ("--only", some_of(names), ",".join(names), "NAME,...", "activations"),
        ("--pass", some_of(PASSES), "forward,backward", "PASS,...", f"of {', '.join(PASSES)}"),
        ("--dtype", some_of(DTYPES), "float32", "DTYPE,...", f"of {', '.join(DTYPES)}"),
        ("--sizes", positive_integers, "4096,65536,1048576", "N,...", "elements"),
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
