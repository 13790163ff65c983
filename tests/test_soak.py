"""``python -m fastact soak`` passes, and detects errors."""

import itertools
import re
import signal
import threading
from _thread import interrupt_main
from typing import Any

import fastact
import pytest
from click.testing import CliRunner, Result
from conftest import UNSANITIZED, RunPython
from fastact.command.cli import command

pytestmark = pytest.mark.thread_unsafe(reason="soak sets the number of threads, its runner sys.stdout")

SUMMARY = re.compile(
    r"\d+ s, \d+ threads: ([\d,]+) calls, ([\d,]+) elements, (\d+) wrong; ([\d,]+) different ones,"
    r" ([\d,]+) compared with the reference; resident memory (\d+) MiB at first, \d+ at last, \d+ at most"
)


def figures(summary: str) -> list[int]:
    found = SUMMARY.match(summary)
    assert found, summary
    return [int(figure.replace(",", "")) for figure in found.groups()]


def soak(*arguments: str, seconds: float = 6) -> tuple[Result, list[int]]:
    before = fastact.get_num_threads()
    result = CliRunner().invoke(command, ["soak", "--minutes", str(seconds / 60), *arguments])
    assert fastact.get_num_threads() == before
    return result, figures(result.stdout)


def test_all_is_well(run_python: RunPython) -> None:
    """The soak runs in its own process, where memory left by other tests cannot count as growth."""
    result = run_python("-m", "fastact", "soak", "--minutes", "0.05", "--threads", "4")
    assert result.returncode == 0, result.stderr
    calls, elements, wrong, different, exact, _ = figures(result.stdout)
    assert not wrong
    assert calls and elements > calls and different > exact > 0


def test_wrong_bits_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    relu, count = fastact.relu, itertools.count()

    def seldom_wrong(*args: Any, **keywords: Any) -> Any:
        y = relu(*args, **keywords)
        if next(count) % 500 == 499 and y.size:
            y[...] += 1
        return y

    monkeypatch.setattr(fastact, "relu", seldom_wrong)
    result, (_, _, wrong, *_) = soak("relu")
    assert result.exit_code == 1 and wrong
    assert re.search(r"^relu\(\w+\[.*\]\): ", result.stderr, re.MULTILINE)


@UNSANITIZED
def test_growth_is_noticed(run_python: RunPython) -> None:
    """The soak runs in its own process, where memory left by other tests cannot hide growth."""
    program = """if True:
        import threading
        import fastact
        from fastact.command.cli import command

        relu, kept = fastact.relu, []

        def leaking(*args, **keywords):
            if threading.current_thread() is threading.main_thread():  # some MiB with the calls of each round
                kept.append(b"x" * (1 << 17))
            return relu(*args, **keywords)

        fastact.relu = leaking
        command(["soak", "--minutes", "0.1", "relu"])
    """
    result = run_python("-c", program)
    assert result.returncode == 1 and "grown by" in result.stderr
    assert not figures(result.stdout)[2]


def test_interrupt_ends_it_with_a_summary() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells may have it ignored
    timer = threading.Timer(2, interrupt_main)
    timer.start()
    try:
        result, (_, _, wrong, *_) = soak("relu", seconds=600)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 130 and not wrong and not result.stderr


def test_without_psutil(run_python: RunPython) -> None:
    program = "import sys; sys.modules['psutil'] = None; from fastact.__main__ import main; main(['soak'])"
    result = run_python("-c", program)
    assert result.returncode == 2
    assert "psutil is not installed: pip install 'fastact[soak]'" in result.stderr
