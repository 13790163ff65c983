"""The command ``fastact``; its `verify` is tested in test_verify.py."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import fastact
import pytest
from click.testing import CliRunner, Result
from conftest import RunPython
from fastact.command.cli import command
from fastact.facts.expressions import NUMPY
from matplotlib import image

pytestmark = pytest.mark.thread_unsafe(reason="click's runner takes the place of sys.stdout")


def run(*arguments: str, color: bool = False) -> Result:
    return CliRunner().invoke(command, arguments, color=color)


def test_entry_point_is_the_module() -> None:
    (script,) = entry_points(group="console_scripts", name="fastact")
    assert script.value == "fastact.__main__:main"


def test_version(run_python: RunPython) -> None:
    result = run_python("-m", "fastact", "--version")
    assert (result.returncode, result.stdout) == (0, f"fastact {fastact.__version__}\n")


@pytest.mark.parametrize("name", ["", *command.commands])
def test_help(name: str) -> None:
    result = run(*name.split(), "--help")
    assert result.exit_code == 0 and result.output.startswith("Usage: ")
    commands = re.findall(r"^  (\w+) +[A-Z].*\.$", result.output, re.MULTILINE) if not name else []
    assert set(commands) == ({*command.commands} if not name else set())


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["list", "--nonsense"], ["plot", "relu"], ["plot", "-o", "x"]]
)
def test_usage_errors(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 and "Try '" in result.stderr and not result.stdout


def test_without_click(run_python: RunPython) -> None:
    program = "import sys; sys.modules['click'] = None; from fastact.__main__ import main; main(['info'])"
    result = run_python("-c", program)
    assert result.returncode == 2
    assert result.stderr == "fastact: click is not installed: pip install 'fastact[cli]'\n"


def test_info() -> None:
    result = run("info")
    assert result.exit_code == 0
    for value in (fastact.__version__, fastact.config()["isa"], "python", "numpy"):
        assert value in result.output


def test_list() -> None:
    result = run("list")
    assert result.exit_code == 0
    _, *lines = result.output.splitlines()
    assert [line.partition("(")[0] for line in lines] == fastact.names()
    assert re.search(
        r"^leaky_relu\(x, negative_slope=0.01\) +x if x > 0 else negative_slope·x$", result.output, re.M
    )


def test_color_is_for_terminals() -> None:
    assert "\x1b" in run("list", color=True).output
    assert "\x1b" not in run("list").output


def test_plot(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    result = run(
        "plot", "GELU", "relu", "-o", str(file), "--range", "-2", "3", "--dpi", "50", "--no-derivative"
    )
    assert result.exit_code == 0 and not result.output
    assert image.imread(file).shape[:2] == (250, 400)
    svg = tmp_path / "picture.svg"
    assert run("plot", "elu", "-o", str(svg)).exit_code == 0 and "<svg" in svg.read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["gleu", "-o", "x.png"], 2, "'gleu'; similar names: "),
        (["softmax", "-o", "x.png"], 2, "no graph"),
        (["gelu", "-o", "x.xyz"], 2, "xyz"),
        (["gelu", "-o", "x.png", "--range", "2", "1"], 2, "low < high"),
        (["gelu", "-o", "missing/x.png"], 1, "missing/x.png"),
    ],
)
def test_plot_fails(
    arguments: list[str], status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("plot", *arguments)
    assert result.exit_code == status and message in result.stderr
    assert not list(tmp_path.iterdir())


def test_plot_without_matplotlib(run_python: RunPython) -> None:
    program = "import sys; sys.modules['matplotlib'] = None; from fastact.__main__ import main;"
    result = run_python("-c", f"{program} main(['plot', 'relu', '-o', 'x.png'])")
    assert result.returncode == 2 and "pip install 'fastact[plot]'" in result.stderr


def test_bench() -> None:
    result = run(
        "bench", "silu", "Swish", "softmax", "--size", "1000", "--seconds", "0.001", "--dtype", "float64"
    )
    assert result.exit_code == 0
    _, *lines, mean = [line.split() for line in result.output.splitlines()]
    assert [line[:2] for line in lines] == [
        ["silu", "forward"],
        ["silu", "backward"],
        ["swish", "forward"],
        ["softmax", "forward"],
        ["softmax", "backward"],
    ]
    product = 1.0
    for _, _, theirs, ours, ratio in lines:
        assert float(theirs) > 0 and float(ours) > 0
        product *= float(ratio)
    assert mean[:2] == ["geometric", "mean"]
    assert float(mean[2]) == pytest.approx(product ** (1 / len(lines)), abs=0.1, rel=0.1)


def test_bench_knows_every_expression() -> None:
    result = run("bench", "--size", "64", "--seconds", "0")
    assert result.exit_code == 0 and not result.stderr
    assert {line.split()[0] for line in result.output.splitlines()[1:-1]} == NUMPY.keys()


def test_bench_without_scipy(run_python: RunPython) -> None:
    program = "import sys; sys.modules['scipy'] = None; from fastact.__main__ import main;"
    result = run_python("-c", f"{program} main(['bench', 'gelu', 'relu', '--seconds', '0'])")
    assert result.returncode == 0 and "needs SciPy" in result.stderr
    assert re.search(r"^gelu +forward +nan ", result.stdout, re.MULTILINE)
    assert re.search(r"^relu +forward +[\d.]+ ", result.stdout, re.MULTILINE)
