"""The shell commands of README, CONTRIBUTING and the pages need only what they install."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastact.command import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{n}")
    for page in PAGES
    for n, block in enumerate(re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.M | re.S))
]
INLINE = {f"{page.name}": re.findall(r"`([^`\n]+)`", page.read_text()) for page in PAGES}

each_block = pytest.mark.parametrize("block", BLOCKS)


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command, also within pipelines and lists."""
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, "&&"]:
            if set(word) <= set("|&;<>"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def test_blocks_are_found() -> None:
    assert len(BLOCKS) > 10


@each_block
def test_what_pip_installs(block: str) -> None:
    extras, groups = PROJECT["project"]["optional-dependencies"], PROJECT["dependency-groups"]
    upgraded = False
    for words in commands(block):
        if "install" not in words or "apt-get" in words:
            continue
        upgraded |= "--upgrade" in words and "pip" in words
        for group in (words[k + 1] for k, word in enumerate(words) if word == "--group"):
            assert group in groups
            assert upgraded, "Python 3.11 comes with a pip that does not know --group"
        for names in re.findall(r"(?:\.|fastact)\[([\w,]+)\]", " ".join(words)):
            assert set(names.split(",")) <= extras.keys()


@pytest.mark.parametrize("page", INLINE)
def test_extras_named_in_the_text(page: str) -> None:
    for code in INLINE[page]:
        for names in re.findall(r"(?:\.|fastact)\[([\w,]+)\]", code):
            assert set(names.split(",")) <= PROJECT["project"]["optional-dependencies"].keys(), code


@each_block
def test_scripts_and_their_options(block: str) -> None:
    for words in commands(block):
        while words and "=" in words[0]:  # variables
            words = words[1:]
        if words[:1] == ["python"] and len(words) > 1 and words[1].endswith(".py") and words[1] != "train.py":
            script = ROOT / words[1]
            assert script.is_file(), script
            source = script.read_text()
            for option in (word.partition("=")[0] for word in words[2:] if word.startswith("--")):
                assert option == "--help" or f'"{option}"' in source, (script.name, option)
        if words[:1] == ["bash"]:
            assert (ROOT / words[1]).is_file()


@each_block
def test_own_command(block: str) -> None:
    for words in commands(block):
        if words[:3] == ["python", "-m", "fastact"]:
            words = words[2:]
        if words[:1] == ["fastact"]:
            command = cli.command.commands[words[1]]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words[2:] if word.startswith("-")} <= known


@each_block
def test_presets_and_options_of_cmake(block: str) -> None:
    presets = {p["name"] for p in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
    files = [ROOT / "CMakeLists.txt", *ROOT.glob("*/CMakeLists.txt")]
    sources = "".join(path.read_text() for path in files)
    for words in commands(block):
        for k, word in enumerate(words):
            if word == "--preset" and "cmake" in words:
                assert words[k + 1] in presets
            if option := re.match(r"-D(FASTACT_\w+)=", word):
                assert option[1] in sources


def test_microbenchmarks_are_found_where_readme_builds_them() -> None:
    for page in ("README.md", "bench/limits.py"):
        assert "build/bench/bench/kernels" in (ROOT / page).read_text()
