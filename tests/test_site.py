"""The examples on the pages of the documentation give the printed output."""

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [page for page in sorted(DOCS.glob("*.md")) if "```pycon" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_pages(page: Path) -> None:
    """All examples of a page form one session."""
    session = "\n".join(re.findall(r"^```pycon\n(.*?)^```", page.read_text(), re.M | re.S))
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, None, None)
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failures.append)
    assert not failures, "".join(failures)


# What scikit-learn says of the few iterations of an example.
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All programs in the README form one session, too."""
    monkeypatch.chdir(tmp_path)  # where it saves a picture
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS.parent / "README.md").read_text(), re.M | re.S)
    assert len(blocks) > 5
    exec("\n".join(blocks), {})
