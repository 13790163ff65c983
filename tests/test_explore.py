"""The page that computes, in headless Chromium: it has the bits of Python, and its controls work."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import fastact
import numpy as np
import pytest
from fastact import _core

ROOT = Path(__file__).parents[1]
LINKS = sorted(
    link
    for page in (*ROOT.glob("docs/lessons/*.py"), *ROOT.glob("docs/*.md"))
    for link in re.findall(r"explore/index\.html#([\w=&.,+-]+)", page.read_text(encoding="utf-8"))
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [package for package in ("ziglang", "playwright", "docutils") if not find_spec(package)]
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        bool(MISSING), reason=f"pip install {' '.join(MISSING)} to test the page that computes"
    ),
    pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium to test the page that computes"),
    pytest.mark.skipif(not (ROOT / "cpp/kernels").is_dir(), reason="the sources are not here"),
    pytest.mark.thread_unsafe(reason="one browser"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explore")
    sys.path.insert(0, str(ROOT / "docs" / "explore"))
    from make_page import make_page

    make_page(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(site: Path, browser: Any) -> Iterator[Any]:
    """The page; that it asks for nothing but its own files, and that no script fails, is tested with it."""
    context = browser.new_context(offline=True)
    opened = context.new_page()
    errors: list[str] = []
    requests: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto((site / "index.html").as_uri())
    opened.wait_for_selector("html[data-ready=true]")
    yield opened
    assert not errors and all(url.startswith(site.as_uri()) for url in requests)
    context.close()


def value(page: Any, id: str) -> float:
    return float(page.get_attribute(f"#{id}", "data-value"))


def set_range(page: Any, id: str, number: float) -> None:
    page.eval_on_selector(f"#{id}", f"e => {{ e.value = {number}; e.dispatchEvent(new Event('input')); }}")


@pytest.mark.parametrize("bits", [32, 64])
def test_every_function_has_the_bits_of_python(page: Any, bits: int) -> None:
    dtype = np.dtype(f"float{bits}")
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 8, 200), [-100, -20, -0.7517916, -0.0, 1e-30, 88, 200]]).astype(dtype)
    array = f"Float{bits}Array.from({json.dumps(x.astype(float).tolist())})"
    for name, parameters, _ in _core.activations + _core.learnable:
        values = [0.25 if default is None else default for _, default in parameters]
        arguments = f"{json.dumps(name)}, {bits}, x, {values}"
        y = page.evaluate(f"() => {{ const x = {array}; return [...forward({arguments})].map(String); }}")
        np.testing.assert_array_equal(
            np.array(y, float).astype(dtype), getattr(fastact, name)(x, *values), err_msg=name
        )
        arguments = f"{json.dumps(name)}, {bits}, x, ones(x), {values}"
        dx = page.evaluate(f"() => {{ const x = {array}; return [...backward({arguments})].map(String); }}")
        expected = getattr(fastact, f"{name}_backward")(x, np.ones_like(x), *values)
        expected = expected[0] if isinstance(expected, tuple) else expected
        np.testing.assert_array_equal(np.array(dx, float).astype(dtype), expected, err_msg=name)


def test_the_usual_formula_fails_where_it_does(page: Any) -> None:
    """The page opens at sigmoid(-100), where 1 / (1 + exp(-x)) is 0 in float32."""
    assert value(page, "f") == fastact.sigmoid(np.float32(-100)) > 0
    assert value(page, "f-exact") == fastact.sigmoid(-100.0)
    assert page.inner_text("#f-usual") == "0"
    assert "bad" in page.get_attribute("#f-error", "class")
    page.fill("#x", "0.5")
    assert value(page, "f") == fastact.sigmoid(np.float32(0.5))
    assert float(page.inner_text("#f-error").removesuffix(" ulp")) < 2


def test_controls_of_the_function(page: Any) -> None:
    def picture() -> str:
        return str(page.eval_on_selector("#curve", "e => e.toDataURL()"))

    before = picture()
    page.select_option("#name", "softplus")
    page.fill("#x", "1.5")
    assert value(page, "f") == fastact.softplus(np.float32(1.5))
    page.wait_for_url("**#name=softplus&x=1.5")
    set_range(page, "p-beta", 2)
    assert value(page, "f") == fastact.softplus(np.float32(1.5), 2.0)
    assert value(page, "d") == fastact.softplus_backward(np.float32(1.5), np.float32(1), 2.0)
    page.select_option("#name", "swish")  # whose parameter is learnable
    expected, _ = fastact.swish_backward(np.float32(1.5), np.float32(1))
    assert value(page, "d") == expected
    page.select_option("#name", "softplus")
    set_range(page, "p-beta", 2)
    set_range(page, "p-beta", -1)  # not allowed, and not taken
    assert value(page, "f") == fastact.softplus(np.float32(1.5), 2.0)
    after = picture()
    assert after != before
    page.select_option("#other", "relu")
    assert picture() != after and page.inner_text("#other-legend") == "relu"
    set_range(page, "range", 1)
    assert page.inner_text("#range-value") == "10"
    page.focus("#curve")
    page.keyboard.press("ArrowRight")
    assert value(page, "f") == fastact.softplus(np.float32(1.6), 2.0)
    page.keyboard.press("Home")
    assert page.input_value("#x") == "-10"
    page.mouse.move(*(page.locator("#curve").bounding_box()[k] + 60 for k in ("x", "y")))
    assert page.input_value("#x") != "-10"
    page.click("#places button:first-child")
    assert page.input_value("#x") == "-0.7517916"


def test_depth(page: Any) -> None:
    def verdict(name: str, initialization: str, layers: int) -> str:
        page.select_option("#depth-name", name)
        page.select_option("#initialization", initialization)
        set_range(page, "layers", layers)
        assert page.locator("#layers-table tbody tr").count() == layers
        return str(page.inner_text("#verdict"))

    assert "all is well" in verdict("relu", "he", 10)
    assert "vanishes" in verdict("tanh", "small", 10)
    assert "saturated" in verdict("tanh", "large", 10)
    assert "explodes" in verdict("relu", "large", 20)
    assert "vanishes" in verdict("sigmoid", "glorot", 10)
    verdict("relu", "he", 4)
    set_range(page, "bias", -3)
    assert "dead" in page.inner_text("#verdict")
    set_range(page, "bias", 0)
    before = page.inner_text("#layers-table")
    page.click("#again")
    assert page.inner_text("#layers-table") != before


def test_softmax(page: Any) -> None:
    def shown() -> Any:
        return np.array(json.loads(page.get_attribute("#probabilities", "data-value")), np.float32)

    x = np.array([2, 1, 0.5, -1, 0], np.float32)
    np.testing.assert_array_equal(shown(), fastact.softmax(x))
    assert np.float32(value(page, "logsumexp")) == fastact.logsumexp(x)
    set_range(page, "temperature", 1)
    np.testing.assert_array_equal(shown(), fastact.softmax(x / np.float32(10)))
    set_range(page, "temperature", 0)
    page.focus("#bars input[type=range]")
    page.keyboard.press("ArrowUp")
    x[0] = 2.05
    np.testing.assert_array_equal(shown(), fastact.softmax(x))
    page.check("#bars .bar:nth-child(2) input[type=checkbox]")
    np.testing.assert_array_equal(np.delete(shown(), 1), fastact.softmax(np.delete(x, 1)))
    assert shown()[1] == 0
    page.click("#shift")
    np.testing.assert_array_equal(
        np.delete(shown(), 1), fastact.softmax(np.float32(np.delete(x, 1) + 1000.0))
    )
    page.click("#reset")
    set_range(page, "count", 7)
    np.testing.assert_array_equal(
        shown(), fastact.softmax(np.array([2, 1, 0.5, -1, 0, 1.5, -0.5], np.float32))
    )


def opened_at(page: Any, site: Path, address: str) -> dict[str, str]:
    """The settings of the page that is opened anew at this address."""
    page.goto("about:blank")
    page.goto(f"{(site / 'index.html').as_uri()}#{address}")
    page.wait_for_selector("html[data-ready=true]")
    shown = page.evaluate("() => Object.entries(settings(state)).map(([key, value]) => [key, String(value)])")
    return dict(shown)


def test_an_address_opens_the_page_at_its_settings(site: Path, page: Any) -> None:
    address = "name=leaky_relu&negative_slope=0.5&x=-2&depth=relu&initialization=he&layers=3"
    opened_at(page, site, f"{address}&logits=0,1,4&masked=1&temperature=2")
    assert value(page, "f") == -1 and page.input_value("#depth-name") == "relu"
    assert page.locator("#layers-table tbody tr").count() == 3
    first, masked, last = json.loads(page.get_attribute("#probabilities", "data-value"))
    assert masked == 0
    np.testing.assert_array_equal(
        np.array([first, last], np.float32), fastact.softmax(np.array([0, 2], np.float32))
    )


def test_the_address_follows_the_controls(site: Path, page: Any) -> None:
    page.select_option("#name", "celu")
    set_range(page, "p-alpha", 2)
    page.select_option("#depth-name", "elu")
    page.check("#bars .bar:nth-child(2) input[type=checkbox]")
    set_range(page, "temperature", 0.5)
    before = page.evaluate("settings(state)")
    page.wait_for_url("**temperature=*")
    opened_at(page, site, page.url.partition("#")[2])
    assert page.evaluate("settings(state)") == before


@pytest.mark.parametrize(
    "address",
    ["name=no&depth=&x=&temperature=-1", "logits=1,a&masked=?", "logits=1&depth=prelu", "name=celu&alpha=0"],
)
def test_what_an_address_must_not_hold_is_passed_over(site: Path, page: Any, address: str) -> None:
    settings = opened_at(page, site, address)
    assert settings["logits"] == "2,1,0.5,-1,0" and settings["x"] == "-100" and settings["depth"] == "tanh"
    assert settings["name"] == ("celu" if "celu" in address else "sigmoid")
    assert settings.get("alpha", "1") == "1" and float(settings["temperature"]) > 0


@pytest.mark.parametrize("link", LINKS)
def test_links_of_the_documentation(site: Path, page: Any, link: str) -> None:
    """A lesson's link shows the part of the page that it means, at settings that the page knows."""
    wanted = dict(parse_qsl(link))
    part = page.locator(f"#{wanted.pop('at')}")
    assert opened_at(page, site, link).items() >= wanted.items()
    assert -1 < part.bounding_box()["y"] < page.viewport_size["height"] / 2


def test_the_lessons_link_to_the_page() -> None:
    assert {dict(parse_qsl(link))["at"] for link in LINKS} == {"function", "depth", "softmax"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_and_dark_mode(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 27)"
    assert dark == (scheme == "dark")
