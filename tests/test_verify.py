"""``python -m fastact verify``."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact import __main__
from fastact.checks import libraries, ruler, verify
from fastact.checks.figures import DERIVATIVE, GRADIENT
from fastact.checks.reference import ACTIVATIONS
from fastact.facts.expressions import EXPRESSIONS


def main(arguments: list[str]) -> Any:
    """Run the command and return its exit status."""
    with pytest.raises(SystemExit) as stop:
        __main__.main(arguments)
    return stop.value.code


@pytest.fixture(autouse=True)
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(verify.DENSITY, ruler.FLOAT32, 1)


def rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if " float" in line][1:]


def wrong_at(x: float, monkeypatch: pytest.MonkeyPatch, value: float = np.nan) -> None:
    """Make relu return this value at x and correct values elsewhere."""
    relu = fastact.relu
    monkeypatch.setattr(fastact, "relu", lambda a: np.where(a == x, a.dtype.type(value), relu(a)))


@pytest.mark.parametrize("name", ["relu", pytest.param("silu", marks=pytest.mark.slow)])
def test_sample_keeps_the_bounds(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", name]) == 0
    out = capsys.readouterr().out
    assert fastact.__version__ in out and fastact.config()["isa"] in out
    assert out.count(f"\n{name} ") == 6  # three passes, two types


@pytest.mark.parametrize("dtype", [ruler.FLOAT32, ruler.FLOAT64], ids=str)
@pytest.mark.parametrize("name", [name for name, a in ACTIVATIONS.items() if a.parameters])
def test_many_parameters_are_tried(name: str, dtype: np.dtype[Any]) -> None:
    drawn = verify.drawn_parameters(name, dtype)
    assert len(drawn) == 60
    for parameters in drawn:  # all of them are allowed
        assert getattr(fastact, name)(np.ones(1, dtype), **parameters).dtype == dtype


@pytest.mark.parametrize("value", [1.0000002, np.nan, np.inf])
def test_wrong_result_is_found(
    value: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong_at(float(np.finfo(np.float32).tiny), monkeypatch, value)
    assert main(["verify", "relu"]) == 1
    captured = capsys.readouterr()
    assert "relu forward float32" in captured.err and "x = 1.1754944e-38 (0x1p-126)" in captured.err
    assert ("inf ulp" in captured.err) == (not np.isfinite(value))
    assert "derivative" not in captured.err


@pytest.mark.parametrize(("x", "value"), [(np.inf, 3.4e38), (-np.inf, -0.1), (np.inf, np.nan)])
def test_wrong_limit_is_found(
    x: float, value: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong_at(x, monkeypatch, value)
    assert main(["verify", "relu"]) == 1
    captured = capsys.readouterr()
    assert f"relu forward float32: {np.float32(value)!s} at x = {x}" in captured.err
    assert re.search("^relu +forward +float32 +0 ", captured.out, re.MULTILINE)  # at finite inputs


def test_backward_of_a_learnable_gives_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastact, "prelu_backward", lambda x, g, alpha: (alpha * g, None), raising=False)
    functions = libraries.ours().functions("prelu")
    x, g = np.array([-1, 8], np.float32)
    for kind in (DERIVATIVE, GRADIENT):
        subject = ruler.Subject("prelu", kind, x.dtype)
        assert ruler.call(subject, functions[kind], [x, g])[0] == 2
        assert ruler.call(subject, functions[kind], [x, g], alpha=0.5)[0] == 4


def test_nan_must_stay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    relu = fastact.relu
    monkeypatch.setattr(fastact, "relu", lambda a: np.nan_to_num(relu(a), posinf=np.inf))
    assert main(["verify", "relu"]) == 1
    assert "x = nan" in capsys.readouterr().err


def test_wrong_reference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ruler, "REFERENCE_ERROR", 1e-18)
    with pytest.raises(ArithmeticError, match="reference of tanh"):
        main(["verify", "tanh"])


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--markdown", "identity"]) == 0
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 6
    assert {line.count("|") for line in table} == {10}
    assert table[2].startswith("| identity | forward | float32 | 0 | 100.0000 | 0 | 0 |")


def test_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "gleu"]) == 2
    message = capsys.readouterr().err
    assert "'gleu'" in message and "gelu" in message


@pytest.mark.parametrize(
    ("module", "extra"), [("click", "cli"), *((m, "verify") for m in ("mpmath", "scipy", "tqdm"))]
)
def test_missing_package(module: str, extra: str, run_python: RunPython) -> None:
    program = f"""if True:
        import sys
        sys.modules[{module!r}] = None
        from fastact.__main__ import main
        main(["verify", "relu"])
    """
    run = run_python("-c", program)
    assert run.returncode == 2
    assert module in run.stderr and f"pip install 'fastact[{extra}]'" in run.stderr


@pytest.mark.slow
def test_exhaustive_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.setattr(verify, "CHUNK", 1 << 12)
    command = ["verify", "tanh", "--exhaustive", "--save", str(file)]

    def run(inputs: int) -> tuple[list[list[str]], Any]:
        monkeypatch.setattr(verify, "INPUTS", inputs)
        assert main(command) == 0
        (figures,) = json.loads(file.read_text()).values()
        return rows(capsys.readouterr().out), figures

    _, figures = run(1 << 13)
    assert [sum(kept["counts"]) for kept in figures.values()] == [1 << 13] * 2
    figures["tanh forward"]["largest"] = 0.875  # can only come from the file
    file.write_text(json.dumps({libraries.library(None).title: figures}))
    printed, figures = run(3 << 12)
    assert [sum(kept["counts"]) for kept in figures.values()] == [3 << 12] * 2
    assert printed[0][:4] == ["tanh", "forward", "float32", "0.875"]
    file.write_text(json.dumps({"another build": figures}))
    monkeypatch.setattr(verify, "INPUTS", 1 << 12)
    assert main(command) == 0
    saved = json.loads(file.read_text())
    assert saved.pop("another build") == figures
    assert [sum(kept["counts"]) for kept in saved.popitem()[1].values()] == [1 << 12] * 2


def test_unreadable_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    file.write_text("not JSON")
    assert main(["verify", "relu", "--exhaustive", "--save", str(file)]) == 2
    assert str(file) in capsys.readouterr().err
    assert file.read_text() == "not JSON"


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["torch", "jax"])
def test_peer(peer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if not importlib.util.find_spec(peer):
        pytest.skip(f"{peer} is not installed")
    monkeypatch.delitem(EXPRESSIONS["binary_step"], {"torch": "torch", "jax": "JAX"}[peer])
    assert main(["verify", "softsign", "tanh", "binary_step", "rms_norm", "--peer", peer]) == 0
    captured = capsys.readouterr()
    softsign = captured.out[captured.out.index("softsign") :].splitlines()[0]
    assert softsign.endswith("nan at x = -inf; nan at x = inf")
    assert np.isfinite(float(softsign.split()[3]))
    assert captured.out.startswith(peer) and "has no binary_step" in captured.err
    assert f"not measured of {peer}: rms_norm" in captured.err
    assert float(captured.out.splitlines()[-1].split()[3]) > 1000  # tanh' in the tails


@pytest.mark.parametrize(
    ("name", "lines"), [("maxout", 4), ("reglu", 4), pytest.param("softmax", 12, marks=pytest.mark.thorough)]
)
def test_rows_keep_the_bounds(name: str, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", name]) == 0
    assert capsys.readouterr().out.count(f"\n{name} ") == lines


def test_wrong_row_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    maxout = fastact.maxout

    def wrong(x: Any) -> Any:
        y = maxout(x)
        y[3:4] += np.spacing(y[3:4]) * 5 * (x.shape[1] == 17)
        return y

    monkeypatch.setattr(fastact, "maxout", wrong)
    assert main(["verify", "maxout"]) == 1
    assert "maxout forward float64: 5 ulp, above 4, at rows of = 17 " in capsys.readouterr().err


def test_of_a_norm(capsys: pytest.CaptureFixture[str]) -> None:
    for pass_, name in (("forward", "rms_norm"), ("backward", "rms_norm_backward")):
        of = ["--of", f"fastact:{name}", "--as", "rms_norm", "--pass", pass_, "--json"]
        assert main(["verify", *of]) == 0
        assert 1 < json.loads(capsys.readouterr().out)["largest"] < 3


@pytest.mark.thorough
def test_dropout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its values, its mask and the share of what is kept; a function with another mask is found."""
    assert main(["verify", "dropout"]) == 0
    out = capsys.readouterr().out
    assert out.count("\ndropout ") == 2 * len(verify.default_types(None, "dropout"))

    right = fastact.dropout

    def other_mask(x: Any, rate: float, seed: int, offset: int = 0) -> Any:
        return right(x, rate, seed, offset + 1)

    def other_scale(x: Any, rate: float, seed: int, offset: int = 0) -> Any:
        return right(x, rate, seed, offset) * np.float32(1 + 2.0**-20)

    def keeps_more(x: Any, rate: float, seed: int, offset: int = 0) -> Any:
        return right(x, rate - 0.01 if x.size > 10_000 and rate == 0.25 else rate, seed, offset)

    for wrong, message in ((other_mask, "the mask"), (other_scale, "ulp, above 1"), (keeps_more, "kept at")):
        monkeypatch.setattr(fastact, "dropout", wrong)
        assert main(["verify", "dropout", "--dtype", "float32"]) == 1
        captured = capsys.readouterr()
        assert message in captured.err and "any gradient" not in captured.err


def test_rows_have_no_exhaustive_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "softmax", "--exhaustive", "--save", str(tmp_path / "figures.json")]) == 0
    captured = capsys.readouterr()
    assert "softmax" in captured.err and "softmax" not in captured.out
