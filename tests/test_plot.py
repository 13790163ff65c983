"""``fastact.plot``, with matplotlib."""

from collections.abc import Iterator

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact.facts.elements import COMPOSED, ENTRIES
from matplotlib import pyplot
from matplotlib.figure import Figure


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.mark.parametrize("name", [*ENTRIES, *COMPOSED])
def test_graphs_are_those_of_function_and_derivative(name: str) -> None:
    f = fastact.get(name)
    ax = fastact.plot(name, range=(-4, 2))
    graph, slope = ax.lines[2:4]  # after the axes
    for line in (graph, slope):
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert (x[0], x[-1]) == (-4, 2) and np.all(np.diff(x) >= 0)
        drawn = ~np.isnan(y)
        expected = f(x)
        if line is slope:
            expected = f.backward(x, np.ones_like(x))
            expected = expected[0] if f.learnable else expected
        np.testing.assert_array_equal(y[drawn], expected[drawn])
    assert slope.get_linestyle() == "--" and graph.get_linestyle() == "-"
    assert ax.get_title() == f.title


@pytest.mark.parametrize(
    ("name", "jumps", "of_slope"),
    [
        ("gelu", [], []),
        ("relu", [], [0]),
        ("hard_shrink", [-0.5, 0.5], [-0.5, 0.5]),
        ("binary_step", [0], []),
    ],
)
def test_lines_are_broken_where_there_are_jumps(name: str, jumps: list[float], of_slope: list[float]) -> None:
    lines = fastact.plot(name).lines[2:4]
    for line, expected in zip(lines, (jumps, of_slope), strict=True):
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        np.testing.assert_allclose(x[np.isnan(y)], expected, atol=1e-15)


def test_several() -> None:
    leaky_relu = fastact.get("leaky_relu", negative_slope=0.2)
    ax = fastact.plot(["relu", leaky_relu, "GELU"], derivative=False)
    legend = ax.get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["relu", "leaky_relu\nnegative_slope = 0.2", "gelu"]
    graphs = ax.lines[2:]
    assert len({line.get_color() for line in graphs}) == len(graphs) == 3
    both = fastact.plot(["relu", "gelu"])
    colors = [line.get_color() for line in both.lines[2:6]]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    assert both.figure is not ax.figure


def test_given_axes_are_drawn_on() -> None:
    axes = Figure().subplots(1, 2)
    assert fastact.plot("tanh", ax=axes[1]) is axes[1]
    assert not axes[0].lines and axes[1].lines
    assert not pyplot.get_fignums()
    with pyplot.rc_context():
        before = dict(pyplot.rcParams)
        fastact.plot("tanh", ax=axes[1])
        assert dict(pyplot.rcParams) == before


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="softmax has no graph"):
        fastact.plot("softmax")
    with pytest.raises(ValueError, match=r"'gleu'; similar names: .*gelu"):
        fastact.plot(["relu", "gleu"])
    with pytest.raises(ValueError, match="low < high"):
        fastact.plot("relu", range=(1, 1))
    with pytest.raises(TypeError, match="an activation or its name"):
        fastact.plot([np.tanh])  # type: ignore[list-item]
    assert not pyplot.get_fignums()


def test_without_matplotlib(run_python: RunPython) -> None:
    run = run_python(
        "-c", "import sys; sys.modules['matplotlib'] = None; import fastact; fastact.plot('relu')"
    )
    assert "ImportError" in run.stderr and "pip install 'fastact[plot]'" in run.stderr
