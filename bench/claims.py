"""Write docs/claims.md: inputs at which other libraries are wrong, with the exact value and that of fastact.

Every figure is measured with the versions that are installed.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import fastact
import numpy as np
from fastact import accuracy
from fastact.checks import ruler
from fastact.checks.accuracy import float_errors
from fastact.checks.figures import FORWARD
from fastact.checks.libraries import library as load
from fastact.checks.reference import ACTIVATIONS, mp
from fastact.command.markdown import heading, line
from fastact.facts.expressions import EXPRESSIONS
from libraries import ISA, environment
from measure import processor

SECOND = "second derivative"
LIBRARIES = "torch", "jax", "numpy", "scipy"
PROMOTING = "gelu", "selu"  # their NumPy expressions return float32 or float64 for float16


class Claim(NamedTuple):
    """An input at which a library may be wrong."""

    library: str
    name: str
    pass_: str
    x: float
    cause: str
    dtype: str = "float32"


CLAIMS = [
    Claim("torch", "gelu", "forward", -5.6, "1 + erf(x/√2) cancels"),
    Claim("torch", "gelu", "forward", -10.0, "1 + erf(x/√2) cancels"),
    Claim("torch", "gelu", "forward", 3.3e38, "an intermediate result overflows"),
    Claim("torch", "gelu", "forward", -math.inf, "-inf times 0"),
    Claim("torch", "gelu", "derivative", -6.0, "1 + erf(x/√2) cancels"),
    Claim("torch", "gelu_tanh", "forward", -5.7, "1 + tanh cancels"),
    Claim("torch", "gelu_tanh", "derivative", -1e20, "0 times infinity"),
    Claim("torch", "tanh", "derivative", 9.02, "1 - y² cancels"),
    Claim("torch", "tanh", "derivative", 20.0, "1 - y² cancels"),
    Claim("torch", "sigmoid", "derivative", 20.0, "y(1 - y) cancels"),
    Claim("torch", "sigmoid", "forward", -89.0, "e^-x overflows"),
    Claim("torch", "silu", "forward", -90.0, "e^-x overflows"),
    Claim("torch", "silu", SECOND, 40.41, "1 - σ(x) is 0"),
    Claim("torch", "mish", "forward", -102.36106, "e^x is subnormal and has few digits"),
    Claim("torch", "mish", "derivative", -1.1924312, "terms cancel at a root"),
    Claim("torch", "hard_swish", "forward", 1e38, "6x overflows before it is divided by 6"),
    Claim("torch", "softsign", "forward", math.inf, "infinity divided by infinity"),
    Claim("jax", "gelu", "forward", -13.05, "a subnormal factor is flushed to zero"),
    Claim("jax", "gelu_tanh", "forward", -5.0, "1 + tanh cancels"),
    Claim("jax", "gelu_tanh", "derivative", -1e20, "0 times infinity"),
    Claim("jax", "tanh", "derivative", 20.0, "1 - y² cancels"),
    Claim("jax", "elu", "derivative", -30.0, "(e^x - 1) + 1 cancels"),
    Claim("jax", "silu", SECOND, 40.41, "1 - σ(x) is 0"),
    Claim("jax", "mish", "derivative", -1.1924312, "terms cancel at a root"),
    Claim("numpy", "sigmoid", "forward", -89.0, "e^-x overflows"),
    Claim("numpy", "sigmoid", "forward", -12.0, "e^-x overflows", "float16"),
    Claim("numpy", "log_sigmoid", "forward", -101.0, "e^-x overflows"),
    Claim("numpy", "softplus", "forward", 91.0, "e^x overflows"),
    Claim("numpy", "gelu", "forward", -8.8, "1 + erf(x/√2) cancels"),
    Claim("numpy", "tanh", "derivative", 9.95, "1 - y² cancels"),
    Claim("scipy", "sigmoid", "forward", -89.0, "e^-x overflows"),
    Claim("scipy", "silu", "forward", -90.0, "e^-x overflows"),
]


def second_derivative(library: str, name: str, x: Any) -> Any:
    """The second derivative, as the user of a library obtains it."""
    if library == "torch":
        torch = import_module("torch")
        leaf = torch.from_numpy(x).requires_grad_()
        y = getattr(torch.nn.functional, name)(leaf).sum()
        (slope,) = torch.autograd.grad(y, leaf, create_graph=True)
        return torch.autograd.grad(slope.sum(), leaf)[0].numpy()
    if library == "jax":
        jax = import_module("jax")
        f = getattr(jax.nn, name)
        return np.asarray(jax.vmap(jax.grad(jax.grad(f)))(x))
    import_module("fastact.autograd")
    gradient = import_module("autograd").elementwise_grad
    return gradient(gradient(getattr(fastact, name)))(x)


def value(claim: Claim, library: str) -> Any:
    """Return the results of the library for inputs that lie in the middle of a longer array."""
    x = np.full(64, claim.x, ruler.dtype(claim.dtype))
    if claim.pass_ == SECOND:
        return second_derivative(library, claim.name, x)[16]
    f = accuracy.peer(library, claim.name, claim.pass_)  # type: ignore[arg-type]
    with np.errstate(all="ignore"):
        return f(x)[16] if claim.pass_ == "forward" else f(x, np.ones_like(x))[16]


def exact(claim: Claim) -> float:
    x = ruler.dtype(claim.dtype).type(claim.x)
    if claim.pass_ == SECOND:
        return float(mp.diff(ACTIVATIONS[claim.name].exact_derivative, mp.mpf(float(x))))
    return float(accuracy.exact(claim.name, x, pass_=claim.pass_).high)  # type: ignore[arg-type]


def error(result: Any, right: float, dtype: str) -> str:
    """The error of a result in ulp."""
    found = float_errors(np.array([result], ruler.dtype(dtype)), np.array([right]))[0]
    return "infinite" if np.isinf(found) else f"{found:.3g}"


def described(name: str, pass_: str, dtype: str) -> str:
    return f"`{name}`, {pass_}" + f", {dtype}" * (dtype != "float32")


def claims(libraries: list[str]) -> Iterator[list[str]]:
    """The rows of the first table."""
    for claim in CLAIMS:
        if claim.library not in libraries:
            continue
        theirs, right, ours = value(claim, claim.library), exact(claim), value(claim, "fastact")
        numbers = [f"{number:.9g}" for number in (claim.x, theirs, right, ours)]
        errors = [error(result, right, claim.dtype) for result in (theirs, ours)]
        function = described(claim.name, claim.pass_, claim.dtype)
        yield [claim.library, function, *numbers, *errors, claim.cause]


def subjects(libraries: list[str]) -> Iterator[tuple[str, ruler.Subject]]:
    """Every function of the libraries; NumPy's forward passes also in float16."""
    for library in libraries:
        for name in EXPRESSIONS:
            for kind in functions(library, name):
                yield library, ruler.Subject(name, kind, ruler.FLOAT32)
                if library == "numpy" and kind == FORWARD and name not in PROMOTING:
                    yield library, ruler.Subject(name, kind, ruler.dtype("float16"))


def functions(library: str, name: str) -> dict[str, Any]:
    return load(None if library == "fastact" else library).functions(name)


def inputs(subject: ruler.Subject) -> tuple[Any, ...]:
    """A sample, or every number of float16; infinities and NaN included."""
    return tuple(map(np.concatenate, zip(*ruler.elements(subject), strict=True)))


def results(libraries: list[str]) -> Iterator[Any]:
    for library, subject in subjects(libraries):
        yield ruler.call(subject, functions(library, subject.name)[subject.kind], inputs(subject))[0]


def differences(libraries: list[str]) -> Iterator[list[str]]:
    """The rows of the second table; every instruction set needs a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for isa in ISA:
            command = [sys.executable, __file__, "--values", f"{folder}/{isa}.npz", "--libraries", *libraries]
            subprocess.run(command, check=True, env=os.environ | environment(1, isa))
        files = [np.load(f"{folder}/{isa}.npz") for isa in ISA]
        for number, (library, subject) in enumerate(subjects(libraries)):
            pair = [file[f"arr_{number}"] for file in files]
            different = np.flatnonzero((pair[0] != pair[1]) & ~(np.isnan(pair[0]) & np.isnan(pair[1])))
            if not different.size:
                continue
            arrays = inputs(subject)
            right = ruler.expected_values(subject, arrays)
            errors = np.maximum(*(ruler.errors(subject, arrays, result) for result in pair))
            at = different[errors[different].argmax()]
            numbers = [f"{float(values[at]):.9g}" for values in (arrays[0], *pair, right)]
            function = described(subject.name, subject.kind, subject.dtype.name)
            yield [library, function, f"{different.size:,} of {right.size:,}", *numbers]


PAGE = """\
# Faults of other libraries, input by input

The following command computes every number on this page, for the installed ones of torch, JAX, NumPy and
SciPy:

```sh
pip install '.[autograd,bench,verify]'
python bench/claims.py > docs/claims.md
```

The versions are: {versions}.

Inputs and results are float32 unless stated otherwise. The exact value is computed with 200 bits and rounded
to nine digits for the table. Errors are in ulp, units in the last place of the exact value. A derivative is
the backward pass with the upstream gradient 1. NumPy and SciPy stand for the expressions in
`python/fastact/facts/expressions.py`.

These errors come from formulas in floating-point arithmetic. They need not be bugs: a library may prefer
speed, or flush subnormal numbers to zero, as JAX does. `fastact.accuracy.measure` finds the largest error of
any function, and [Accuracy](accuracy.md) contains the largest errors of all functions of torch, JAX and
fastact.

{claims}
"""
PROCESSORS = """
## Results that depend on the processor

Each library computed the same functions at the same inputs twice, on the processor {processor}: with all
instruction sets, which include AVX-512, and restricted to AVX2. Some libraries, such as MKL in torch, also
distinguish vendors, so that a processor of another vendor may give a longer or a shorter table. It lists the
functions whose results differ, the number of inputs at which they differ, and the input with the largest
error. The results of fastact are compared too{own}.

{differences}
"""


def table(columns: dict[str, bool], rows: list[list[str]]) -> str:
    return "\n".join([heading(columns, columns.values()), *map(line, rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    installed = [name for name in LIBRARIES if find_spec(name)]
    parser.add_argument("--libraries", nargs="+", default=installed, help="default: those installed")
    parser.add_argument("--values", type=Path, metavar="FILE", help="write results to FILE, and no page")
    options = parser.parse_args()
    if options.values:
        np.savez(options.values, *results(options.libraries))
        return
    columns = {"library": False, "function": False, "x": True, "result": True, "exact value": True}
    columns |= {"fastact": True, "error": True, "error of fastact": True, "cause": False}
    versions = ", ".join(load(name).title for name in options.libraries)
    print(PAGE.format(versions=versions, claims=table(columns, list(claims(options.libraries)))), end="")
    if "avx512" not in fastact.config()["available"]:
        return
    rows = list(differences(["fastact", *options.libraries]))
    columns = {"library": False, "function": False, "inputs": True, "x": True}
    columns |= {"AVX-512": True, "AVX2": True, "exact value": True}
    own = "" if any(row[0] == "fastact" for row in rows) else ", and do not differ anywhere"
    print(PROCESSORS.format(processor=processor(), own=own, differences=table(columns, rows)), end="")


if __name__ == "__main__":
    main()
