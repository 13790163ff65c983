"""The C++ sources depend on each other in one order, and callers of kernels see nothing but the contract."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

CPP = Path(__file__).parents[1] / "cpp"
pytestmark = pytest.mark.skipif(not (CPP / "kernels").is_dir(), reason="the sources are not here")

# Each room, the lowest first, and what of lower rooms it may include.
ROOMS = {
    "include": "fastact/.*",
    "simd": "",
    "math": "simd/.*",
    "functions": "math/.*|fastact/list.hpp",
    "kernels": "functions/.*|math/.*|simd/.*|fastact/list.hpp",
    "runtime": "kernels/interface.hpp|simd/environment.hpp",
    "api": "runtime/.*|kernels/interface.hpp|fastact/.*",
    "numpy": "runtime/.*|kernels/interface.hpp",
}
# The contract knows no mathematics, and the catalogue collects what functions say of themselves.
EXCEPTIONS = {
    "kernels/interface.hpp": "fastact/list.hpp|simd/half.hpp",
    "runtime/catalogue.cpp": "runtime/.*|kernels/interface.hpp|functions/.*/list.hpp",
}
OUTSIDE = re.compile(r"(immintrin|arm_neon)\.h|(numpy|pybind11)/.*")


def sources() -> list[str]:
    return sorted(str(p.relative_to(CPP)) for p in CPP.rglob("*.?pp") if p.suffix in (".cpp", ".hpp"))


@cache
def includes(source: str) -> list[str]:
    text = (CPP / source).read_text(encoding="utf-8")
    return re.findall(r'^#include ["<](.+)[">]$', text, re.MULTILINE)


def own(name: str) -> str | None:
    """Return the source file that an include names, if it belongs to the library."""
    path = f"include/{name}" if name.startswith("fastact/") else name
    return path if (CPP / path).is_file() else None


def reached(source: str) -> Iterator[str]:
    seen, pending = set[str](), [source]
    while pending:
        for name in includes(pending.pop()):
            path = own(name)
            if path and path not in seen:
                seen.add(path)
                pending.append(path)
                yield path


@pytest.mark.parametrize("source", sources())
def test_includes_point_downwards(source: str) -> None:
    room = source.partition("/")[0]
    pattern = EXCEPTIONS.get(source, rf"{room}/.*|{ROOMS[room]}")
    wrong = [name for name in includes(source) if own(name) and not re.fullmatch(pattern, name)]
    assert not wrong


@pytest.mark.parametrize("source", sources())
def test_few_files_know_of_numpy_and_intrinsics(source: str) -> None:
    found = {match[0] for name in includes(source) if (match := OUTSIDE.fullmatch(name))}
    if source == "numpy/api.hpp":
        assert all(name.startswith(("numpy/", "pybind11/")) for name in found)
    elif source.startswith("simd/"):
        assert all(name.endswith("intrin.h") or name == "arm_neon.h" for name in found)
    else:
        assert not {name for name in found if own(name) is None}


@pytest.mark.parametrize("source", [s for s in sources() if s.startswith(("api/", "numpy/", "runtime/"))])
def test_callers_of_kernels_see_no_mathematics(source: str) -> None:
    if source != "runtime/catalogue.cpp":
        assert not [path for path in reached(source) if path.startswith(("math/", "functions/"))]
