"""The library for WebAssembly, run by node, gives the bits of tests/bits.txt."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not find_spec("ziglang"), reason="pip install ziglang to compile to WebAssembly"),
    pytest.mark.skipif(not shutil.which("node"), reason="apt-get install nodejs to run WebAssembly"),
    pytest.mark.skipif(not (ROOT / "cpp/kernels").is_dir(), reason="the sources are not here"),
]


def test_bits() -> None:
    """Two processes, since it takes long. Without --single-threaded, node 20 often crashes while it ends."""
    sys.path.insert(0, str(ROOT / "docs" / "explore"))
    from make_page import WASM, compile_programs

    compile_programs("bits")
    program: list[str | Path] = [
        "node",
        "--no-warnings",
        "--single-threaded",
        ROOT / "tests/consumer/wasi.mjs",
        WASM / "tests/consumer/bits.wasm",
    ]
    types = ("float32", "float64", "float16", "bfloat16")
    runs = [
        subprocess.Popen([*program, *some], stdout=subprocess.PIPE, text=True)
        for some in (types[:1], types[1:])
    ]
    shown = [line for run in runs for line in run.communicate()[0].splitlines()]
    assert not any(run.returncode for run in runs)
    expected = (ROOT / "tests" / "bits.txt").read_text().splitlines()
    assert sorted(shown) == sorted(expected)
