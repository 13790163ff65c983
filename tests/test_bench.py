"""The benchmark programs: what they measure and report, not the times."""

import json
import math
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import document
import fastact
import forms
import libraries
import measure
import numpy as np
import peers
import picture
import pytest
import report
from conftest import RunPython
from fastact.command.bench import least_times
from fastact.facts.expressions import ROWS, by_pass
from measure import Cell

CALLS = libraries.fastact_calls()
SETTING = {"processor": "slow"}


def cell(
    function: str = "relu", pass_: str = "forward", output: str = "fresh", dtype: str = "float32"
) -> Cell:
    shape, axis = ((6, 10), 1) if function in ROWS else ((100,), None)
    return Cell(function, pass_, dtype, shape, axis, 2.0, output, 1, "best")


def measurement(ours: float, **peers: float) -> report.Measurement:
    return report.Measurement(cell(), {report.OURS: ours, **peers}, [])


@pytest.fixture(scope="module")
def numpy_and_fastact() -> dict[str, libraries.Library]:
    return {"fastact": libraries.load_fastact(), "NumPy": libraries.load_numpy()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", peers.OUTPUTS)
@pytest.mark.parametrize(("function", "pass_"), CALLS)
def test_numpy_expressions_agree(
    function: str, pass_: str, output: str, dtype: str, numpy_and_fastact: dict[str, libraries.Library]
) -> None:
    found = measure.timers(numpy_and_fastact, cell(function, pass_, output, dtype=dtype))
    assert None not in found.values()
    assert output == "out" or found.keys() == numpy_and_fastact.keys()


def test_wrong_expression_is_found(numpy_and_fastact: dict[str, libraries.Library]) -> None:
    wrong = libraries.Library("", libraries.writer({}, {("relu", "forward"): "x + 1"}))
    assert measure.timers(numpy_and_fastact | {"wrong": wrong}, cell())["wrong"] is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("np.tanh(x)", "np.tanh(x, out=out)"),
        ("g * (x > 0)", "np.multiply(g, x > 0, out=out)"),
        ("x / (1 + x.abs())", "np.divide(x, 1 + x.abs(), out=out)"),
        ("g - aten.tanh_backward(g, y)", "np.subtract(g, aten.tanh_backward(g, y), out=out)"),
        (
            "aten._softmax_backward_data(g, (y := f(x)), axis, x.dtype)",
            "aten._softmax_backward_data.out(g, (y := f(x)), axis, x.dtype, grad_input=out)",
        ),
        ("F.elu(x)", "aten.elu.out(x, out=out)"),
        ("aten.silu_backward(g, x)", "aten.silu_backward.grad_input(g, x, grad_input=out)"),
        ("f(x).block_until_ready()", None),
        ("g, g.sum(axis)", None),
        ("f(x), g", None),
        ("x.copy()", "np.copyto(out, x)"),
        ("(x >= 0).to(x.dtype)", "torch.ge(x, 0, out=out)"),
    ],
)
def test_into_out(expression: str, expected: str | None) -> None:
    assert forms.into_out(expression) == expected
    assert forms.into_out("g / x.abs()", "torch") == "torch.divide(g, x.abs(), out=out)"


def test_elementwise_forms() -> None:
    expression = "g * (s := 1 / (1 + np.exp(-x))) * (1 + x * (1 - s)) + np.clip(x, 0, sqrt(4)) ** 2"
    variables, results, joined = forms.elementwise(expression, forms.NUMBA, lambda value: f"F({value})")
    assert variables == {"s": "F(1) / (F(1) + np.exp(-x))"}
    assert results == ["g * s * (F(1) + x * (F(1) - s)) + min(max(x, F(0)), F(2.0)) ** 2"]
    assert joined == "{}"


def test_forms_of_a_concatenation() -> None:
    expression = "np.concatenate((g * (t := np.tanh(b)), g * a * t), axis)"
    variables, results, joined = forms.elementwise(expression, forms.NUMEXPR, str)
    assert variables == {"t": "tanh(b)"} and results == ["g * t", "g * a * t"]
    assert joined == "np.concatenate(({}, {}), axis)"


@pytest.mark.parametrize("expression", ["g * x.sum()", "special.softmax(x, axis)", "erf(x)", "x.copy()"])
def test_not_elementwise(expression: str) -> None:
    with pytest.raises(LookupError):
        forms.elementwise(expression, forms.NUMEXPR, str)


@pytest.mark.parametrize("isa", libraries.ISA)
def test_environment_holds_libraries(isa: str, run_python: RunPython) -> None:
    program = "import fastact; print(fastact.get_num_threads(), fastact.config()['isa'])"
    held = run_python("-c", program, **libraries.environment(3, isa)).stdout.split()
    assert held == ["3", isa.replace("best", fastact.config()["isa"])]


def test_least_times() -> None:
    class Clock:
        """A clock with which each second call takes twice as long."""

        def __init__(self, seconds: float) -> None:
            self.seconds, self.calls = seconds, 0

        def timeit(self, number: int) -> float:
            self.calls += 1
            return self.seconds * number * (1 + self.calls % 2)

    timers: Any = {"fast": Clock(1e-6), "slow": Clock(1e-3)}
    assert least_times(timers, 0.01) == pytest.approx({"fast": 1e3, "slow": 1e6})


def test_figures() -> None:
    figures = report.Figures.of([0.5, 2.0, math.nan, 0.125])
    assert figures == pytest.approx((3, 0.5, 0.5, 2.0, 1, 1))
    assert report.Figures.of([1.0, 1.04]) == pytest.approx((2, math.sqrt(1.04), 1.02, 1.04, 1, 0))
    assert report.Figures.of([math.nan]) is None


def test_ratio_is_to_the_fastest_peer() -> None:
    m = measurement(2.0, torch=4.0, JAX=1.0)
    assert (m.fastest_peer, m.ratio(), m.ratio("torch")) == ("JAX", 2.0, 0.5)
    assert math.isnan(measurement(2.0).ratio())


def test_groups() -> None:
    slower = report.Measurement(cell(pass_="backward"), {report.OURS: 4.0, "NumPy": 2.0}, [])
    groups = report.groups([measurement(1.0, NumPy=2.0, torch=1.0), slower])
    kinds = {"functions of elements", "forward", "backward"}
    assert groups.keys() == {"all cells", *kinds, "beside NumPy alone", "beside torch alone"}
    assert groups["all cells"] == pytest.approx((2, math.sqrt(2), 1.5, 2.0, 1, 1))
    assert groups["forward"].mean == 1.0 and groups["beside NumPy alone"].mean == pytest.approx(1.0)


def test_worst_first() -> None:
    fast, slow, alone = measurement(1.0, NumPy=2.0), measurement(3.0, NumPy=2.0), measurement(1.0)
    assert report.worst([alone, fast, slow]) == [slow, fast]


def test_document_names_what_is_slower() -> None:
    training = {"setting": SETTING, "milliseconds": {"digits": {"NumPy": [2.0, 1.0], "torch": [1.0]}}}
    fast, slow = measurement(1.0, NumPy=2.0), measurement(3.0, JAX=2.0)
    text = document.document(SETTING, [fast, slow], training)
    setting = "float32, deviation 2, fresh, 1 thread, best"
    assert f"| relu | forward | 100 elements | {setting} | 3.000 | 2.000 | JAX | 1.50 | memory |" in text
    assert f"| {setting} | 2 | 0.866 | 1.000 | 1.50 | 1 | 1 |" in text
    assert "| digits | torch | 1.000 |  | 0.50 |" in text
    assert "Nowhere." in document.document(SETTING, [fast], training)


def test_options() -> None:
    (full,) = peers.parse_options(["--preset=full", "--dtype=float64"]).parts
    assert full.dtype == ["float64"] and full.output == ["fresh", "out"] and full.spread == [2, 10]
    (brief,) = peers.parse_options([]).parts
    assert brief.sizes == [4096, 65536, 1048576]


def test_the_page_has_all_types_spreads_outputs_and_threads() -> None:
    page = peers.cells(peers.parse_options(["--preset=page"]))
    assert len(page) == len(set(page)) < 4000
    processes = [key for key, _ in groupby(page, key=lambda cell: (cell.isa, cell.threads))]
    assert len(processes) == len(set(processes))
    for elements in (True, False):
        of = [cell for cell in page if (cell.axis is None) == elements]
        assert {cell.dtype for cell in of} == set(peers.DTYPES)
        assert {cell.isa for cell in of} == libraries.ISA.keys()
        assert {cell.output for cell in of} == {"fresh", "out"} and {cell.threads for cell in of} >= {1}
        assert {cell.spread for cell in of} == ({2, 10} if elements else {2})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "rellu"], "unknown rellu; choose from identity, "),
        (["--pass", "sideways"], "unknown sideways; choose from forward, backward, from_output"),
        (["--sizes", "0"], "argument --sizes"),
        (["--json", "no/such/folder/file"], "no folder no/such/folder"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        peers.parse_options(arguments)
    assert message in capsys.readouterr().err


def test_cells_are_those_that_fastact_has() -> None:
    options = peers.parse_options(
        ["--only=silu,glu", "--pass=forward,from_output", "--sizes=8", "--rows=5", "--columns=4"]
    )
    silu, *glu = peers.cells(options)
    assert (silu.function, silu.pass_, silu.shape) == ("silu", "forward", (8,))
    assert [(c.shape[c.axis], c.axis) for c in glu if c.axis is not None] == [(6, 1), (4, 0)]


def test_a_gradient_from_x_is_not_handed_the_output() -> None:
    passes = by_pass("f(x)", "g * y * y")
    assert passes == {"forward": "f(x)", "backward": "g * (y := f(x)) * y", "from_output": "g * y * y"}
    assert by_pass("f(x)", "g * x", "g * y")["backward"] == "g * x"


def fake_measured(stops_after: int, setting: dict[str, str] = SETTING) -> Any:
    def measured(asked: Sequence[Cell], seconds: float) -> Iterator[dict[str, Any]]:
        yield {"setting": setting}
        for number, cell in enumerate(asked):
            if number == stops_after:
                raise KeyboardInterrupt
            line = {**cell._asdict(), "ns_per_element": {report.OURS: 1.0, "NumPy": 2.0}, "wrong": []}
            yield json.loads(json.dumps(line))

    return measured


def options_for(file: Path | None) -> Namespace:
    options = peers.parse_options(["--only", "relu,softmax"])
    options.json = file
    return options


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "peers.jsonl"
    asked = peers.cells(options_for(file))
    monkeypatch.setattr(peers, "measured", fake_measured(3))
    with pytest.raises(KeyboardInterrupt):
        peers.run(options_for(file))
    assert [m.cell for m in report.read(file)[1]] == asked[:3]
    monkeypatch.setattr(peers, "measured", fake_measured(len(asked) - 3))
    setting, measurements = peers.run(options_for(file))
    assert setting == SETTING and [m.cell for m in measurements] == asked
    assert len(file.read_text().splitlines()) == 1 + len(asked)


def test_another_setting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "peers.jsonl"
    monkeypatch.setattr(peers, "measured", fake_measured(1))
    with pytest.raises(KeyboardInterrupt):
        peers.run(options_for(file))
    monkeypatch.setattr(peers, "measured", fake_measured(1, {"processor": "fast"}))
    with pytest.raises(SystemExit, match="another setting"):
        peers.run(options_for(file))


def test_inputs_are_of_the_type_and_finite() -> None:
    arrays = measure.inputs(cell("softmax", dtype="float16"), CALLS["softmax", "forward"])
    assert {arrays[name].dtype for name in "xgy"} == {np.dtype(np.float16)}
    assert {arrays[name].ctypes.data % 64 for name in ("x", "g", "y", "out")} == {0}
    assert np.isfinite(arrays["g"]).all() and arrays["y"].shape == fastact.softmax(arrays["x"]).shape


def test_picture_shows_times_of_the_size_asked_for(tmp_path: Path) -> None:
    of = Cell("gelu", "forward", "float32", (64,), None, 2.0, "fresh", 1, "best")
    others = of._replace(shape=(9,)), of._replace(pass_="backward"), of._replace(threads=2)
    measurements = [report.Measurement(c, {report.OURS: 9.0}, []) for c in others]
    measurements.append(report.Measurement(of, {report.OURS: 1.0, "torch": 2.0}, []))
    found = picture.times(measurements, "forward", 64)
    gelu = picture.NAMES.index("gelu")
    assert (found[report.OURS][gelu], found["torch"][gelu]) == (1.0, 2.0)
    assert math.isnan(found["JAX"][gelu]) and math.isnan(found[report.OURS][0])

    errors = {name: [math.inf, *values[1:]] for name, values in found.items()}
    picture.draw({"forward": (found, errors)}, tmp_path / "beside.svg")
    text = (tmp_path / "beside.svg").read_text()
    assert all(f"<!-- {name} -->" in text for name in (*picture.NAMES, *picture.LIBRARIES))


def test_picture_shows_errors_of_what_a_library_has() -> None:
    assert picture.error(report.OURS, "sigmoid", "derivative") < 1
    assert picture.error("NumPy", "sigmoid", "forward") > 1e6  # 0 far below, where sigmoid is not
    assert picture.error("NumPy", "gelu", "forward") > 1  # written with SciPy's erf
    assert math.isnan(picture.error("NumPy", "gelu", "backward_from_output"))
