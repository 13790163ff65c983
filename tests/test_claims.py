"""The page of other libraries' faults is written from measurements, and says what is so."""

import importlib.util
from pathlib import Path

import claims
import fastact
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"
INSTALLED = [name for name in claims.LIBRARIES if importlib.util.find_spec(name)]


@pytest.mark.parametrize("library", INSTALLED)
def test_fastact_is_right_at_every_input(library: str) -> None:
    rows = list(claims.claims([library]))
    assert len(rows) == sum(claim.library == library for claim in claims.CLAIMS)
    for row in rows:
        assert float(row[-2]) <= 1, row


def test_what_is_said_of_numpy() -> None:
    """Formulas that overflow or cancel do so with every version and processor."""
    found = {(row[1], row[2]): row for row in claims.claims(["numpy"])}
    assert found["`softplus`, forward", "91"][3] == "inf"
    sigmoid = found["`sigmoid`, forward", "-89"]
    assert sigmoid[3] == "0" and float(sigmoid[4]) == pytest.approx(2.2273635617957438e-39)
    assert float(sigmoid[-3]) > 1e6


@pytest.mark.thorough
@pytest.mark.skipif("avx512" not in fastact.config()["available"], reason="compares AVX-512 with AVX2")
def test_results_that_depend_on_the_processor() -> None:
    """Those of fastact do not. NumPy's may, with one version and not with another."""
    for library, function, count, *numbers in claims.differences(["fastact", "numpy"]):
        assert library == "numpy" and function.startswith("`")
        some, total = (int(number.replace(",", "")) for number in count.split(" of "))
        assert 0 < some < total
        _, best, avx2, _ = map(float, numbers)
        assert best != avx2


def test_page_lists_every_claim() -> None:
    lines = [line.split(" | ")[:3] for line in PAGE.read_text(encoding="utf-8").splitlines()]
    listed = {(library.removeprefix("| "), function, x) for library, function, x in filter(is_row, lines)}
    for claim in claims.CLAIMS:
        function = claims.described(claim.name, claim.pass_, claim.dtype)
        assert (claim.library, function, f"{claim.x:.9g}") in listed, claim


def is_row(cells: list[str]) -> bool:
    return len(cells) == 3
