"""How near every kernel comes to what the processor can do, as a Markdown table (needs clang++ and llvm-mca).

The bound is llvm-mca's count of how long the processor's execution units are busy with one round of the
loop, whatever order the instructions come in; the code is clang's. The measured figures are those of the
microbenchmarks: cycles per element in the first-level cache, and time over that of a copy (identity in the
same pass) in the second-level cache and beyond all caches.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fastact.command.markdown import heading, line

REPOSITORY = Path(__file__).parents[1]
L1, L2, MEMORY = 1 << 11, 1 << 16, 1 << 24  # the sizes in kernels.cpp

SOURCE = """
#include "simd/{isa}.hpp"
#include "kernels/elements/loop.hpp"

using namespace fastact;
using V = simd::Vec<simd::{backend}, float>;

template <class F, std::size_t... k>
V apply(F f, const V* parameters, std::index_sequence<k...>) {{ return f(parameters[k]...); }}

#define LOOP(name, pass, expression, parameter_count)                                                   \\
  [[gnu::flatten]] void name##_##pass(const float* x, const float* g, float* y, const float* p, long n) {{\\
    const V parameters[] = {{V(p[0]), V(p[1])}};                                                        \\
    for (long i = 0; i < n; i += V::size) {{                                                            \\
      asm volatile("# one V" ::: "memory");                                                             \\
      const auto f = [&](auto... parameter) {{ return expression; }};                                   \\
      apply(f, parameters, std::make_index_sequence<parameter_count>{{}}).store(y + i);                 \\
    }}                                                                                                  \\
  }}
#define ONE(...) +1
#define BOTH(name, ...)                                                                        \\
  LOOP(name, forward, activations::name::forward(V::load(x + i), parameter...),                \\
       0 FASTACT_EACH_PARAMETER(ONE, __VA_ARGS__))                                             \\
  LOOP(name, backward,                                                                         \\
       activations::gradient<activations::name>(V::load(x + i), V::load(g + i), parameter...), \\
       0 FASTACT_EACH_PARAMETER(ONE, __VA_ARGS__))
FASTACT_ACTIVATIONS(BOTH)
constexpr long elements = V::size;
extern "C" const char size[elements];
const char size[elements] = {{}};
"""


def tool(name: str) -> str:
    for candidate in (*(f"{name}-{version}" for version in range(30, 15, -1)), name):
        if path := shutil.which(candidate):
            return path
    raise SystemExit(f"{name} is not installed; Debian has it in the packages clang and llvm")


def loops(assembly: str) -> Iterator[tuple[str, str, int, str]]:
    """Yield the name and pass of each function, and how many V its loop computes in a round by what code.

    Blocks with a call are left out, because few inputs take them; so is a loop that consists of such blocks.
    """
    functions = r"^_Z\d+(\w+)_(forward|backward)PKf\w*:(.*?)^\.Lfunc_end"
    for name, pass_, body in re.findall(functions, assembly, re.DOTALL | re.MULTILINE):
        code: dict[str, str] = {}  # by the first block of the loop
        for block in re.split(r"^(?=\.L|# %)", body, flags=re.MULTILINE):
            first = re.search(r"in Loop: Header=(\w+)|^\.L(\w+):.*This Inner Loop Header", block)
            if first and not re.search(r"\bcall", block):
                loop = first[1] or first[2]
                code[loop] = code.get(loop, "") + block
        usual = max(code.values(), key=len)
        yield name, pass_, usual.count("# one V"), usual


def bounds(isa: str, processor: str) -> dict[tuple[str, str], float]:
    """Return the cycles per element by activation and pass."""
    level, backend = {"avx512": ("x86-64-v4", "Avx512"), "avx2": ("x86-64-v3", "Avx2")}[isa]
    command = [
        *(tool("clang++"), f"-I{REPOSITORY / 'cpp'}", f"-I{REPOSITORY / 'cpp/include'}"),
        *("-std=c++20", "-O3", "-ffp-contract=off", "-mllvm", "-inline-threshold=100000", "-w"),
        *(f"-march={level}", "-mprefer-vector-width=512", "-S", "-x", "c++", "-", "-o", "-"),
    ]
    source = SOURCE.format(isa=isa, backend=backend)
    assembly = subprocess.run(command, input=source, check=True, stdout=subprocess.PIPE, text=True).stdout
    size = re.search(r"\.size\s+size, (\d+)", assembly)
    assert size
    found = list(loops(assembly))
    marked = "# LLVM-MCA-BEGIN {0} {1}\n{3}\n# LLVM-MCA-END {0} {1}\n"
    regions = "".join(marked.format(*loop) for loop in found)
    command = [tool("llvm-mca"), f"-mcpu={processor}", "-instruction-info=0", "-resource-pressure=0"]
    report = subprocess.run(command, input=regions, check=True, stdout=subprocess.PIPE, text=True).stdout
    cycles = re.findall(r"Block RThroughput: ([\d.]+)", report)
    return {
        (name, pass_): float(busy) / count / int(size[1])
        for (name, pass_, count, _), busy in zip(found, cycles, strict=True)
    }


def measured(program: Path, isa: str, seconds: float) -> dict[str, float]:
    """Return the seconds per element by benchmark, and per cycle."""
    sizes = "|".join(map(str, (L1, L2, MEMORY)))
    command = [
        str(program),
        f"--benchmark_filter=^(cycle|[a-z0-9_]+/(forward|backward)/float32/{isa}/({sizes}))$",
        f"--benchmark_min_time={seconds}",
        "--benchmark_repetitions=3",
        "--benchmark_enable_random_interleaving=true",
        "--benchmark_format=json",
    ]
    runs = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)[
        "benchmarks"
    ]
    least: dict[str, float] = {}
    for run in runs:
        if run["run_type"] == "iteration":
            name = run["run_name"]
            least[name] = min(least.get(name, float("inf")), run["time/element"])
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--kernels", type=Path, default=REPOSITORY / "build/bench/bench/kernels", help="the microbenchmarks"
    )
    parser.add_argument("--isa", choices=["avx512", "avx2"], default="avx512")
    parser.add_argument(
        "--mcpu", default="native", help="llvm-mca's name of the processor; default: this one"
    )
    parser.add_argument("--seconds", type=float, default=0.02, metavar="S", help="for each figure")
    options = parser.parse_args()
    if not os.access(options.kernels, os.X_OK):
        parser.error(f"{options.kernels} is not there; README.md says how to build the microbenchmarks")
    time = measured(options.kernels.resolve(), options.isa, options.seconds)
    print(f"### {options.isa}\n")
    columns = "activation", "pass", "bound", "cycles/element", "times the bound", "times a copy, L2", "memory"
    print(heading(columns, (name not in ("activation", "pass") for name in columns)))
    for (name, pass_), bound in bounds(options.isa, options.mcpu).items():
        in_l1, *far = (time[f"{name}/{pass_}/float32/{options.isa}/{size}"] for size in (L1, L2, MEMORY))
        copies = [time[f"identity/{pass_}/float32/{options.isa}/{size}"] for size in (L2, MEMORY)]
        cycles = in_l1 / time["cycle"]
        beside = (f"{t / copy:.2f}" for t, copy in zip(far, copies, strict=True))
        print(line([name, pass_, f"{bound:.3f}", f"{cycles:.3f}", f"{cycles / bound:.2f}", *beside]))
    print()


if __name__ == "__main__":
    main()
