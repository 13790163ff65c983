"""Documentation, signatures and stubs say what the compiled list of activations says."""

import doctest
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
import stubs
from conftest import RunPython
from fastact import _core
from functions import FROM_OUTPUT, FUNCTIONS, Function, each_forward, each_function

README = Path(__file__).parents[1] / "README.md"
ROWS = sorted(name for name, f in vars(_core).items() if isinstance(f, np.ufunc) and f.signature)
each_row_function = pytest.mark.parametrize("name", ROWS)
OTHER_NAMES = {
    "Activation",
    "config",
    "get",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "memory_pool",
}
OTHER_NAMES |= {"names", "plot", "set_num_threads", "show_config"}
METHODS = {"Activation.from_config", "Activation.to_config"}


def test_public_names() -> None:
    assert set(fastact.__all__) - {"__version__"} == {f.name for f in FUNCTIONS} | {*ROWS} | OTHER_NAMES
    assert set(fastact.__all__) <= set(dir(fastact))


@each_function
def test_docstring(f: Function) -> None:
    doc = inspect.getdoc(f.function) or ""
    for section in ("Parameters", "Returns", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in doc, section
    for parameter in (*f.inputs, *(name for name, _ in f.defaults)):
        assert re.search(rf"^{parameter}(, \w+)* : ", doc, re.MULTILINE), parameter
    assert (f.suffix == FROM_OUTPUT) <= ("error" in doc)


@each_row_function
def test_row_docstring(name: str) -> None:
    doc = inspect.getdoc(getattr(fastact, name)) or ""
    for section in ("Parameters", "Returns", "Raises", "Notes", "References", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in doc, section
    described = doc.split("\nReturns\n")[0]
    for parameter in inspect.signature(getattr(fastact, name)).parameters:
        assert re.search(rf"^(\w+, )*{parameter}(, \w+)*( : |$)", described, re.MULTILINE), parameter
    assert "ulp" in doc or "exact" in doc or "rounded" in doc or "error" in doc
    assert max(map(len, doc.splitlines())) <= 110


@pytest.mark.parametrize("name", sorted({f.name for f in FUNCTIONS} | {*ROWS} | OTHER_NAMES | METHODS))
def test_examples_of_docstrings(name: str) -> None:
    doc = attrgetter(name)(fastact).__doc__
    test = doctest.DocTestParser().get_doctest(doc, {"np": np, "fastact": fastact}, name, None, None)
    assert test.examples or name in OTHER_NAMES
    failures: list[str] = []
    doctest.DocTestRunner().run(test, out=failures.append)
    assert not failures, "".join(failures)


@pytest.mark.parametrize("name", ["autograd", "diagnostics", "initializers"])
def test_examples_of_modules(name: str) -> None:
    module = import_module(f"fastact.{name}")
    results = doctest.testmod(module, extraglobs={"np": np, "fastact": fastact})
    assert results.attempted and not results.failed
    for public in module.__all__:
        doc = getattr(module, public).__doc__
        assert max(map(len, doc.splitlines())) <= 110, public


@each_function
def test_signature(f: Function) -> None:
    function: Any = f.function
    parameters = inspect.signature(function).parameters
    positional = [p for p in parameters.values() if p.kind != p.KEYWORD_ONLY and p.name != "out"]
    assert [p.name for p in positional] == [*f.inputs, *(name for name, _ in f.defaults)]
    defaults = {name: parameters[name].empty if value is None else value for name, value in f.parameters}
    assert {p.name: p.default for p in positional[len(f.inputs) :]} == defaults
    assert {"out", "where", "casting", "order", "dtype", "subok"} <= set(parameters)


@each_row_function
def test_row_signature(name: str) -> None:
    """Arrays come first and have no default; the rest is what the function takes."""
    parameters = list(inspect.signature(getattr(fastact, name)).parameters.values())
    arrays = [p for p in parameters if p.default is p.empty]
    assert arrays == parameters[: len(arrays)]
    defaults = {p.name: p.default for p in parameters[len(arrays) :]}
    assert "out" in defaults
    if name not in {f"{activation}_backward" for activation, *_ in _core.learnable}:
        assert len(arrays) == getattr(_core, name).nin
        assert defaults.items() >= {"axis": -1, "out": None, "casting": "same_kind", "dtype": None}.items()


@each_forward
def test_readme_lists(f: Function) -> None:
    assert re.search(rf"^\|.*`{f.name}(`|\()", README.read_text(), re.MULTILINE)


@each_row_function
def test_readme_lists_row_functions(name: str) -> None:
    forward, _, _ = name.partition("_backward")
    assert re.search(rf"^\|.*`{forward}(`|\()", README.read_text(), re.MULTILINE)


def test_stubs_are_those_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    stubs.main()
    assert Path(fastact.__file__).with_name("__init__.pyi").read_text() == capsys.readouterr().out


def typed_calls(f: Function) -> Iterator[str]:
    extras: list[dict[str, Any]] = [{}, {"out": "x"}, *({name: 0.5} for name, _ in f.parameters)]
    for extra in extras:
        keywords = (f"{key}={value}" for key, value in (f.required | extra).items())
        yield f"fastact.{f.name}({', '.join([*['x'] * len(f.inputs), *keywords])})"


def typed_row_calls(name: str) -> Iterator[str]:
    parameters = inspect.signature(getattr(fastact, name)).parameters
    arrays = ", ".join(
        "labels" if p.name == "labels" else "x" for p in parameters.values() if p.default is p.empty
    )
    for extra in ("", ", axis=0", ", out=x", ", casting='safe'"):
        yield f"fastact.{name}({arrays}{extra})"


@pytest.mark.slow
def test_stubs(tmp_path: Path, run_python: RunPython) -> None:
    """A user's program passes mypy --strict, which knows each result for an array of the input's dtype."""
    calls = [call for f in FUNCTIONS for call in typed_calls(f)]
    learnable = {f"{activation}_backward" for activation, *_ in _core.learnable}
    calls += [call for name in ROWS if name not in learnable for call in typed_row_calls(name)]
    single = "(float32|_32Bit)"
    pairs = {
        "fastact.prelu_backward(x, x, beta)": f"{single}.*float64",
        "fastact.prelu_backward(x, x, np.float64(1))": f"{single}.*float64",
        "fastact.prelu_backward(x, x, 0.25, out=(x, None))": f"{single}.*{single}",
        "fastact.swish_backward(x, x)": f"{single}.*{single}",
    }
    calls += pairs
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np\nfrom numpy.typing import NDArray\n\nimport fastact\n\n\n"
        "def use(x: NDArray[np.float32], where: NDArray[np.bool_], beta: NDArray[np.float64],\n"
        "        labels: NDArray[np.int32]) -> None:\n"
        + "".join(f"    reveal_type({call})\n" for call in calls)
        + "    fastact.relu(x, where=where, dtype=np.float64, casting='safe', order='C', subok=False)\n"
        "    fastact.relu(1.0)\n"
        "    fastact.softplus(x, beta=beta)\n"
        "    fastact.softmax([1.0, 2.0], dtype=np.float32)\n"
        "    fastact.softmax_cross_entropy(x, [1, 2], axis=0)\n"
        "    fastact.logsumexp(x, keepdims=True)\n"
        "    fastact.set_num_threads(fastact.get_num_threads())\n"
        "    fastact.show_config()\n"
        "    print(fastact.__version__ + fastact.get_include() + fastact.get_cmake_dir())\n"
        "    print(fastact.config()['isa'])\n"
        "    gelu = fastact.get('gelu', like='jax')\n"
        "    print(gelu(x), gelu.backward(x, x), gelu.formula.upper(), fastact.get(abs)(-1))\n"
        "    fastact.plot([gelu, 'relu'], range=(-1, 1))\n"
        "    with fastact.memory_pool(limit=2**20) as pool:\n"
        "        print(pool.statistics()['hits'])\n"
    )
    run = run_python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program))
    assert run.returncode == 0, run.stdout + run.stderr
    revealed = re.findall(r'Revealed type is "(.*)"', run.stdout)
    assert len(revealed) == len(calls)
    for call, kind in zip(calls, revealed, strict=True):
        assert "ndarray" in kind and re.search(pairs.get(call, single), kind), (call, kind)


@pytest.mark.slow
def test_stubs_refuse_mistakes(tmp_path: Path, run_python: RunPython) -> None:
    mistakes = [
        "fastact.relu(1.0, nonsense=2)",
        "fastact.relu_backward(1.0)",
        "fastact.softplus(1.0, alpha=1.0)",
        "fastact.prelu(1.0)",
        "fastact.prelu_backward(1.0, 1.0)",
        "fastact.softmax(1.0, where=True)",
        "fastact.glu(1.0, axis=None)",
        "fastact.softmax_cross_entropy(1.0)",
        "fastact.set_num_threads('two')",
        "fastact.memory_pool(limit='1 GiB')",
        "fastact.get('gelu', like='tensorflow')",
        "fastact.get('gelu').name = 'silu'",
        "fastact.plot(1.0)",
        "fastact.no_such_function",
    ]
    program = tmp_path / "program.py"
    program.write_text("import fastact\n" + "\n".join(mistakes) + "\n")
    run = run_python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program))
    refused = {int(line.split(":")[1]) - 2 for line in run.stdout.splitlines() if ": error:" in line}
    assert refused == set(range(len(mistakes))), run.stdout
