"""Builds the page that computes: python docs/explore/make_page.py FOLDER.

Its module is compiled in build/wasm, by CMake and the compiler of the PyPI package ziglang.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import fastact
import numpy as np
from docutils.utils.math.latex2mathml import tex2mathml
from fastact import _core
from fastact.facts.elements import ENTRIES
from fastact.facts.latex import latex
from fastact.functions.registry import REQUIRED

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WASM = ROOT / "build" / "wasm"
FILES = ("index.html", "explore.css", "explore.js")


def compile_programs(*targets: str) -> None:
    """Compile targets of CMake to WebAssembly."""
    found = find_spec("ziglang")
    if found is None or not found.submodule_search_locations:
        sys.exit("WebAssembly is compiled by zig: pip install ziglang")
    zig = Path(found.submodule_search_locations[0], "zig")
    toolchain: tuple[str | Path, ...] = (
        "--toolchain",
        ROOT / "cpp" / "zig.cmake",
        f"-DZIG={zig}",
        "-DZIG_TARGET=wasm32-wasi",
    )
    environment = {k: v for k, v in os.environ.items() if k != "CMAKE_CXX_COMPILER_LAUNCHER"}
    configure: list[str | Path] = [
        "cmake",
        *toolchain,
        "-S",
        ROOT,
        "-B",
        WASM,
        "-G",
        "Ninja",
        "-DFASTACT_TESTS=ON",
    ]
    compile: list[str | Path] = ["cmake", "--build", WASM, "--target", *targets]
    for command in (configure, compile):
        subprocess.run(command, env=environment, stdout=sys.stderr, check=True)


def formula(left: str, right: str) -> str:
    return str(tex2mathml(f"{left} = {latex(right)}"))


def required(name: str, parameters: int) -> str:
    """Return what is required of the parameters, an expression in their names; "" if nothing is."""
    try:
        getattr(fastact, name)(np.empty(0), *[np.nan] * parameters)
    except ValueError as error:
        return str(error).rpartition("; ")[2].removesuffix(" is required")
    return ""


def functions() -> list[dict[str, object]]:
    """Return what the page says of each activation."""
    return [
        {
            "name": name,
            "learnable": (name, parameters, from_output) in _core.learnable,
            "parameters": [(p, REQUIRED if default is None else default) for p, default in parameters],
            "required": required(name, len(parameters)),
            "formula": formula("f(x)", ENTRIES[name].formula),
            "derivative": formula("f'(x)", ENTRIES[name].derivative),
        }
        for name, parameters, from_output in _core.activations + _core.learnable
    ]


def make_page(folder: Path) -> None:
    """Write the page to the folder."""
    compile_programs("module")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(HERE / name, folder / name)
    code = base64.b64encode((WASM / "fastact.wasm").read_bytes()).decode()
    script = f'"use strict";\nconst MODULE = "{code}";\n'
    script += f"const FUNCTIONS = {json.dumps(functions(), ensure_ascii=False)};\n"
    (folder / "module.js").write_text(script, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    make_page(parser.parse_args().folder)
