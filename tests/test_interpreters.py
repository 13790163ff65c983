"""Sub-interpreters cannot import fastact, because NumPy supports only one interpreter."""

import sys

import pytest
from conftest import RunPython

KINDS = ["legacy", "isolated"] if sys.version_info >= (3, 13) else [""]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("imported", [True, False], ids=["imported before", "not imported before"])
def test_sub_interpreters(kind: str, imported: bool, run_python: RunPython) -> None:
    """Each import raises ImportError in fastact or NumPy; the main interpreter stays usable."""
    program = f"""if True:
        import sys
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        if {imported}:
            import fastact
        attempt = '''if True:
            import sys
            sys.path[:] = {{}}
            try:
                import fastact
            except ImportError as error:
                reason = str(error).lower()
                print("refused", "interpreter" in reason or "numpy" in reason, flush=True)
        '''
        for _ in range(3):
            other = interpreters.create(*{kind!r}.split())
            assert interpreters.run_string(other, attempt.format(sys.path)) is None
            interpreters.destroy(other)
        if {imported}:
            assert fastact.relu(-1.0) == 0
    """
    run = run_python("-W", "ignore", "-c", program)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["refused", "True"] * 3
