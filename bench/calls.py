"""Time calls on four elements, of each function, beside np.exp's."""

import argparse
import json
from pathlib import Path
from timeit import Timer

import fastact
import numpy as np
import report
from expressions import ROWS
from fastact._bench import clock, least_times
from libraries import fastact_calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.4, metavar="S", help="for each call")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times to FILE")
    options = parser.parse_args()
    x = np.linspace(-1, 1, 4, dtype=np.float32)
    names = {"np": np, "fastact": fastact, "x": x, "g": x, "y": abs(x)}
    calls = ["np.exp(x)", *(call for (name, _), call in fastact_calls().items() if name not in ROWS)]
    timers = {call: Timer(call, timer=clock(1), globals=names) for call in calls}
    times = least_times(timers, len(calls) * options.seconds)
    relative = {call: time / times["np.exp(x)"] for call, time in times.items()}
    rows = [[call, f"{time:.0f}", f"{relative[call]:.2f}"] for call, time in times.items()]
    print(report.text([["a call on four elements", "ns", "relative to np.exp"], *rows]))
    if options.json:
        options.json.write_text(json.dumps({"ns_per_call": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()
