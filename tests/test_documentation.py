"""Documentation, signatures and stubs agree with the compiled list of functions."""

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
from fastact.functions.registry import DROPOUT, FUSED, LEARNABLE, NORMS, OF_ROWS, OF_TWO
from functions import FROM_OUTPUT, FUNCTIONS, Function, each_forward, each_function

README = Path(__file__).parents[1] / "README.md"
ROWS = [f.name for f in OF_ROWS + FUSED + LEARNABLE]
TWO = [*(f.name for f in OF_TWO), *NORMS]
each_function_of_two = pytest.mark.parametrize("f", OF_TWO, ids=str)
each_row_function = pytest.mark.parametrize("f", OF_ROWS + FUSED + LEARNABLE, ids=str)
OTHER_NAMES = {
    "Activation",
    "Mixed",
    "check_gradient",
    "config",
    "get",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_num_threads",
    "memory_pool",
    "mixed",
}
OTHER_NAMES |= {*DROPOUT, "names", "plot", "set_num_threads", "show_config"}
METHODS = {f"{kind}.{way}_config" for kind in ("Activation", "Mixed") for way in ("from", "to")}


def test_public_names() -> None:
    assert set(fastact.__all__) - {"__version__"} == {f.name for f in FUNCTIONS} | {*ROWS, *TWO} | OTHER_NAMES
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
def test_row_docstring(f: Function) -> None:
    doc = inspect.getdoc(f.function) or ""
    for section in ("Parameters", "Returns", "Raises", "Notes", "References", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in doc, section
    described = doc.split("\nReturns\n")[0]
    for parameter in inspect.signature(f.function).parameters:
        assert re.search(rf"^(\w+, )*{parameter}(, \w+)*( : |$)", described, re.MULTILINE), parameter
    assert "ulp" in doc or "exact" in doc or "rounded" in doc or "error" in doc
    assert max(map(len, doc.splitlines())) <= 110


@pytest.mark.parametrize("name", sorted({f.name for f in FUNCTIONS} | {*ROWS, *TWO} | OTHER_NAMES | METHODS))
def test_examples_of_docstrings(name: str) -> None:
    doc = attrgetter(name)(fastact).__doc__
    test = doctest.DocTestParser().get_doctest(doc, {"np": np, "fastact": fastact}, name, None, None)
    assert test.examples or name in OTHER_NAMES
    failures: list[str] = []
    doctest.DocTestRunner().run(test, out=failures.append)
    assert not failures, "".join(failures)


@pytest.mark.parametrize("name", ["accuracy", "autograd", "diagnostics", "initializers"])
def test_examples_of_modules(name: str) -> None:
    module = import_module(f"fastact.{name}")
    results = doctest.testmod(module, extraglobs={"np": np, "fastact": fastact})
    assert results.attempted and not results.failed
    for public in module.__all__:
        doc = getattr(module, public).__doc__
        assert max(map(len, doc.splitlines())) <= 110, public


@each_function_of_two
def test_docstring_and_signature_of_two(f: Function) -> None:
    test_docstring(f)
    test_signature(f)
    assert "ulp" in f.function.__doc__ and max(map(len, f.function.__doc__.splitlines())) <= 110
    assert re.search(rf"^\|.*`{f.forward}(`|\()", README.read_text(), re.MULTILINE)


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
def test_row_signature(f: Function) -> None:
    """Arrays come first and have no default; all other arguments have one."""
    parameters = list(inspect.signature(f.function).parameters.values())
    arrays = [p for p in parameters if p.default is p.empty]
    assert arrays == parameters[: len(arrays)]
    defaults = {p.name: p.default for p in parameters[len(arrays) :]}
    assert "out" in defaults
    if f.kind in ("rows", "fused"):
        assert [p.name for p in arrays] == list(f.inputs)
        assert defaults.items() >= {"axis": -1, "out": None}.items()


@each_forward
def test_readme_lists(f: Function) -> None:
    assert re.search(rf"^\|.*`{f.name}(`|\()", README.read_text(), re.MULTILINE)


@each_row_function
def test_readme_lists_row_functions(f: Function) -> None:
    assert re.search(rf"^\|.*`{f.forward}(`|\()", README.read_text(), re.MULTILINE)


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
    for extra in ("", ", axis=0", ", out=x", ", axis=(0, 1)", ", axis=None"):
        yield f"fastact.{name}({arrays}{extra})"


@pytest.mark.slow
def test_stubs(tmp_path: Path, run_python: RunPython) -> None:
    """A user's program passes mypy --strict, which infers each result for an array of the input's dtype."""
    calls = [call for f in FUNCTIONS for call in typed_calls(f)]
    calls += [call for f in OF_TWO if len(f.results) == 1 for call in typed_calls(f)]
    calls += [call for f in OF_ROWS for call in typed_row_calls(f.name)]
    single = "(float32|_32Bit)"
    pairs = {
        "fastact.prelu_backward(x, x, beta)": f"{single}.*float64",
        "fastact.prelu_backward(x, x, np.float64(1))": f"{single}.*float64",
        "fastact.prelu_backward(x, x, 0.25, out=(x, None))": f"{single}.*{single}",
        "fastact.swish_backward(x, x)": f"{single}.*{single}",
        "fastact.silu_gate_backward(x, x, x)": f"{single}.*{single}",
        "fastact.silu_gate_backward(x, x, x, out=(x, None))": f"{single}.*{single}",
        "fastact.softmax_cross_entropy_with_gradient(x, labels)": f"{single}.*{single}",
        "fastact.softmax_cross_entropy_with_gradient(x, labels, 0, out=(None, x))": f"{single}.*{single}",
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
        "    fastact.softmax([1.0, 2.0])\n"
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
    run = run_python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path.parent / "mypy"), str(program))
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
        "fastact.softmax(1.0, dtype=float)",
        "fastact.glu(1.0, axis=0.0)",
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
    run = run_python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path.parent / "mypy"), str(program))
    refused = {int(line.split(":")[1]) - 2 for line in run.stdout.splitlines() if ": error:" in line}
    assert refused == set(range(len(mistakes))), run.stdout
