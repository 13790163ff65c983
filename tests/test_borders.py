"""No kernel reads or writes a byte outside its arrays."""

import signal
import sys
from pathlib import Path

import fastact
import pytest
from conftest import RunPython

PROGRAM = Path(__file__).parent / "borders.py"
BEST, *OTHERS = fastact.config()["available"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pages are protected by POSIX's mprotect")


@pytest.mark.slow
@pytest.mark.parametrize("isa", [BEST, *(pytest.param(isa, marks=pytest.mark.thorough) for isa in OTHERS)])
def test_borders(isa: str, run_python: RunPython) -> None:
    run = run_python(str(PROGRAM), FASTACT_ISA=isa)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("at_end", [False, True])
def test_straying_is_noticed(at_end: bool, run_python: RunPython) -> None:
    """A stray access is detected; otherwise test_borders would prove nothing."""
    program = f"""if True:
        import sys
        sys.path.append({str(PROGRAM.parent)!r})
        import numpy as np
        from borders import Fenced

        x = Fenced().put(np.zeros(3), {at_end})
        stride = 2 * x.itemsize if {at_end} else -2 * x.itemsize
        np.lib.stride_tricks.as_strided(x[1:], (2,), (stride,)).sum()
    """
    assert run_python("-c", program).returncode == -signal.SIGSEGV
