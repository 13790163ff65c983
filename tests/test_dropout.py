"""Dropout keeps the elements that its definition names, in every layout, type and chunking."""

import ctypes
import pickle
from fractions import Fraction
from itertools import product
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact import _core

FUNCTIONS = [fastact.dropout, fastact.dropout_backward]
each = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
Array = np.ndarray[Any, Any]
rng = np.random.default_rng(1)


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox 4x32-10 as Salmon et al. define it, in Python's integers."""
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        low = 0xFFFFFFFF
        counter = [
            second >> 32 ^ counter[1] ^ key[0],
            second & low,
            first >> 32 ^ counter[3] ^ key[1],
            first & low,
        ]
        key = [(key[0] + 0x9E3779B9) & low, (key[1] + 0xBB67AE85) & low]
    return counter


def number(place: int, seed: int) -> int:
    """The number of this place in the stream, times 2**32."""
    counter = place // 4
    return philox([counter & 0xFFFFFFFF, counter >> 32, 0, 0], [seed & 0xFFFFFFFF, seed >> 32])[place % 4]


def kept(size: int, rate: float, seed: int, offset: int = 0) -> Array:
    numbers = (Fraction(number(offset + i, seed), 2**32) for i in range(size))
    return np.array([u >= Fraction(rate) for u in numbers], bool)


def test_reference() -> None:
    """The known answers that the authors publish with Random123 (kat_vectors)."""
    answers = {
        ("00000000 00000000 00000000 00000000", "00000000 00000000"): "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff"): "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0"): "d16cfe09 94fdcceb 5001e420 24126ea1",
    }
    for (counter, key), answer in answers.items():
        words = [[int(word, 16) for word in text.split()] for text in (counter, key)]
        assert " ".join(f"{word:08x}" for word in philox(*words)) == answer


@pytest.mark.parametrize(
    ("seed", "offset"), [(0, 0), (2**64 - 1, 0), (0x299F31D0A4093822, 2**34 - 6), (1, 2**62 - 1)]
)
def test_numbers(seed: int, offset: int) -> None:
    """An element is kept at a rate that equals its number, and dropped at one that is 2**-32 larger."""
    x = np.ones(70)
    for i in range(70):
        u = number(offset + i, seed)
        assert fastact.dropout(x, u / 2**32, seed, offset)[i] != 0
        if u + 1 < 2**32:
            assert fastact.dropout(x, (u + 1) / 2**32, seed, offset)[i] == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@each
def test_values(f: Any, dtype: str) -> None:
    """Kept elements are within an ulp of x / (1 - rate), which 2**-60 more digits than the type's decide."""
    if dtype == "bfloat16":
        kind = pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes").bfloat16
    else:
        kind = np.dtype(dtype).type
    x = rng.normal(0, 10, 1000).astype(kind)
    x[:4] = -0.0, np.inf, -np.inf, np.nan
    for rate in (0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1 - 2**-20, 2**-40):
        y, keeps = f(x, rate, 7), kept(x.size, rate, 7)
        assert y.dtype == kind and (y[~keeps] == 0).all() and not np.signbit(y[~keeps]).any()
        exact = np.array([float(Fraction(float(v)) / (1 - Fraction(rate))) for v in x[4:][keeps[4:]]])
        given = y[4:][keeps[4:]].astype(float)
        ulp = np.spacing(np.abs(exact).astype(kind).astype(np.float32 if dtype != "float64" else float))
        if dtype in ("float16", "bfloat16"):
            ulp = np.abs(exact) * 2.0 ** -(10 if dtype == "float16" else 7)
        finite = np.abs(exact) < float(np.finfo(np.float32 if dtype == "bfloat16" else kind).max)
        assert (np.abs(given - exact)[finite] <= ulp[finite]).all()
        special = y[:4][keeps[:4]].astype(float)
        np.testing.assert_array_equal(special, x[:4][keeps[:4]].astype(float))
        np.testing.assert_array_equal(np.signbit(special), np.signbit(x[:4][keeps[:4]].astype(float)))
    np.testing.assert_array_equal(f(x, 0.0, 3).view(np.uint8), x.view(np.uint8))
    assert not f(x, 1 - 2**-53, 3).any()


@each
def test_subnormal_and_largest(f: Any) -> None:
    for kind in (np.float32, np.float64):
        info = np.finfo(kind)
        x = np.array([info.smallest_subnormal, -info.tiny, info.max, -info.max], kind)
        np.testing.assert_array_equal(f(x, 0.0, 1), x)
        with np.errstate(all="raise"):
            y = f(np.tile(x, 100), 0.5, 1)
        keeps = kept(400, 0.5, 1)
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(y[keeps], np.tile(2 * x, 100)[keeps])


@each
def test_layouts(f: Any) -> None:
    """The order is C's whatever the strides are; out and in-place calls give the same bits."""
    x = rng.normal(size=(7, 33, 5)).astype(np.float32)
    expected = f(np.ravel(x), 0.3, 5, 11).reshape(x.shape)
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        laid = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
        np.testing.assert_array_equal(f(laid, 0.3, 5, 11), expected)
    wide = np.zeros((14, 33, 15), np.float32)
    strided = wide[::-2, ::-1, ::3]
    strided[...] = x
    np.testing.assert_array_equal(f(strided, 0.3, 5, 11), expected)
    assert f(strided, 0.3, 5, 11, out=strided) is strided
    np.testing.assert_array_equal(strided, expected)
    assert not wide[1::2].any() or not wide[::2].any()
    out = np.empty((7, 33, 5), np.float64)
    np.testing.assert_array_equal(f(x, 0.3, seed=5, offset=11, out=out), expected)
    overlapping = np.arange(20.0, dtype=np.float32)
    wanted = f(overlapping[:-1].copy(), 0.5, 1)
    np.testing.assert_array_equal(f(overlapping[:-1], 0.5, 1, out=overlapping[1:]), wanted)
    swapped = x.astype(">f4")
    np.testing.assert_array_equal(f(swapped, 0.3, 5, 11), expected)
    np.testing.assert_array_equal(f(x.tolist(), 0.3, 5, 11).astype(np.float32), expected)
    assert f(np.ones((3, 0, 4)), 0.5, 1).shape == (3, 0, 4)
    assert isinstance(f(np.float32(1), 0.0, 1), np.float32) and isinstance(f(1, 0.0, 1), float)
    assert f(np.ones(3, np.int8), 0.5, 1).dtype == np.float16


def test_parts_and_types() -> None:
    """A part with its own offset has the whole array's mask, and so have all types."""
    x = np.ones(1000)
    whole = fastact.dropout(x, 0.4, 2, 17)
    for begin, end in product((0, 1, 2, 3, 63, 64, 200), (500, 513, 1000)):
        np.testing.assert_array_equal(fastact.dropout(x[begin:end], 0.4, 2, 17 + begin), whole[begin:end])
    for kind in (np.float16, np.float32, np.int16):
        np.testing.assert_array_equal(fastact.dropout(x.astype(kind), 0.4, 2, 17) != 0, whole != 0)


def test_threads() -> None:
    x = rng.normal(size=(501, 1001)).astype(np.float32)
    threads, grain = fastact.get_num_threads(), _core.set_grain(1)
    results = []
    try:
        for n in (1, 2, 5):
            fastact.set_num_threads(n)
            results.append([fastact.dropout(a, 0.2, 3, 1) for a in (x, x.T.copy().T, x[:, ::2])])
    finally:
        fastact.set_num_threads(threads)
        _core.set_grain(grain)
    for result in results[1:]:
        for a, b in zip(result, results[0], strict=True):
            np.testing.assert_array_equal(a, b)


def test_instruction_sets(run_python: RunPython) -> None:
    program = (
        "import hashlib, numpy as np, fastact; x = np.random.default_rng(1).normal(size=10007);"
        "print([hashlib.md5(fastact.dropout(x.astype(t), r, 9, o)).hexdigest()"
        " for t in 'efd' for r in (0.1, 0.5) for o in (0, 3)])"
    )
    outputs = {run_python("-c", program, FASTACT_ISA=isa).stdout for isa in fastact.config()["available"]}
    assert len(outputs) == 1


@each
def test_errors(f: Any) -> None:
    name, x = f.__name__, np.full(3, 7.0, np.float32)
    out = np.full(3, 5.0, np.float32)
    array = "x" if name == "dropout" else "g"
    refusals: list[tuple[Any, str, tuple[Any, ...], dict[str, Any]]] = [
        *(
            (ValueError, f"rate is {r}; 0 <= rate < 1", (x, float(r), 1), {"out": out})
            for r in ("1", "-0.5", "nan")
        ),
        (TypeError, "rate must be a number, not 'a'", (x, "a", 1), {"out": out}),
        (TypeError, "seed must be an integer, not 1.5", (x, 0.5, 1.5), {"out": out}),
        (ValueError, "seed is -1; 0 <= seed < 2**64", (x, 0.5, -1), {"out": out}),
        (ValueError, f"seed is {2**64}", (x, 0.5, 2**64), {"out": out}),
        (ValueError, f"offset is {2**63}; 0 <= offset < 2**63", (x, 0.5, 1, 2**63), {"out": out}),
        (ValueError, r"out has shape (2,) where (3,) is required", (x, 0.5, 1), {"out": out[:2]}),
        (TypeError, "out has dtype int64, to which float32", (x, 0.5, 1), {"out": np.zeros(3, int)}),
        (TypeError, "out must be an array", (x, 0.5, 1), {"out": [1.0]}),
        (TypeError, f"{array} has dtype complex128", (x.astype(complex), 0.5, 1), {}),
        (TypeError, f"{array} has dtype {np.dtype(np.longdouble)}", (x.astype(np.longdouble), 0.5, 1), {}),
        (TypeError, "seed is missing", (x, 0.5), {}),
        (TypeError, "no argument is called 'axis'", (x, 0.5, 1), {"axis": 0}),
    ]
    for exception, message, arguments, keywords in refusals:
        with pytest.raises(exception) as caught:
            f(*arguments, **keywords)
        assert message in str(caught.value) and str(caught.value).startswith(f"{name}: ")
    assert (out == 5).all()
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        f(x, 0.5, 1, out=out)


@each
def test_pickle(f: Any) -> None:
    assert pickle.loads(pickle.dumps(f)) is f


def test_containers() -> None:
    x = rng.normal(size=(6, 4)).astype(np.float32)
    expected = fastact.dropout(x, 0.5, 1)

    class Tagged(np.ndarray[Any, Any]):
        pass

    assert type(fastact.dropout(x.view(Tagged), 0.5, 1)) is Tagged
    masked: Any = fastact.dropout(np.ma.masked_array(x, x > 1), 0.5, 1)
    np.testing.assert_array_equal(masked.mask, x > 1)
    np.testing.assert_array_equal(masked.data, expected)

    class Tensor:  # as torch's: wraps results, without an __array_ufunc__
        def __init__(self, data: Any) -> None:
            self.data = data

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return self.data

        def __array_wrap__(self, data: Any, context: Any = None, return_scalar: bool = False) -> "Tensor":
            return Tensor(data)

    wrapped: Any = fastact.dropout(Tensor(x), 0.5, 1)
    assert type(wrapped) is Tensor
    np.testing.assert_array_equal(wrapped.data, expected)

    class Other:
        __array_ufunc__ = None

    with pytest.raises(TypeError, match="x is a Other; a NumPy array is required"):
        fastact.dropout(Other(), 0.5, 1)


def test_pandas() -> None:
    pd = pytest.importorskip("pandas", reason="pip install pandas to try its objects")
    x = rng.normal(size=(6, 4)).astype(np.float32)
    expected = fastact.dropout(x, 0.5, 1)
    frame = pd.DataFrame(x, index=list("abcdef"), columns=list("ABCD"))
    pd.testing.assert_frame_equal(
        fastact.dropout(frame, 0.5, 1), pd.DataFrame(expected, index=list("abcdef"), columns=list("ABCD"))
    )
    series = fastact.dropout(frame["A"], 0.5, 1)
    pd.testing.assert_series_equal(
        series, pd.Series(fastact.dropout(x[:, 0], 0.5, 1), index=list("abcdef"), name="A")
    )


def test_xarray() -> None:
    xarray = pytest.importorskip("xarray", reason="pip install xarray to try its objects")
    x = rng.normal(size=(6, 4)).astype(np.float32)
    given = xarray.DataArray(x, dims=("row", "column"), coords={"row": range(6)}, name="x")
    result = fastact.dropout(given, 0.5, 1)
    xarray.testing.assert_identical(result, given.copy(data=fastact.dropout(x, 0.5, 1)))
    with pytest.raises(TypeError, match="Dataset"):
        fastact.dropout(given.to_dataset(), 0.5, 1)


@each
def test_dask(f: Any) -> None:
    """The mask is that of the whole array, whatever its chunks; nothing is computed early."""
    da = pytest.importorskip("dask.array", reason="pip install dask to try its arrays")
    x = rng.normal(size=(20, 7, 9)).astype(np.float32)
    expected = f(x, 0.3, 4, 5)
    for chunks in ((20, 7, 9), (3, 7, 9), (6, 2, 4), (1, 1, 1), (20, 7, 1)):
        lazy = f(da.from_array(x, chunks), 0.3, 4, 5)
        assert isinstance(lazy, da.Array) and lazy.dtype == x.dtype and lazy.shape == x.shape
        np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)
    counted = da.from_array(np.arange(20), 6)
    np.testing.assert_array_equal(f(counted, 0.3, 4).compute(), f(np.arange(20), 0.3, 4))
    with pytest.raises(ValueError, match="rate"):
        f(counted, 1.5, 4)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        f(counted[counted > 3], 0.5, 4)


def test_autograd() -> None:
    autograd = pytest.importorskip("autograd", reason="pip install 'fastact[autograd]' to differentiate")
    import fastact.autograd

    x = rng.normal(size=9)
    slope = autograd.elementwise_grad(lambda x: fastact.dropout(x, 0.5, 1) ** 2)
    np.testing.assert_allclose(
        slope(x), 2 * fastact.dropout_backward(fastact.dropout(x, 0.5, 1), 0.5, 1), 1e-15
    )
    second = autograd.elementwise_grad(slope)
    np.testing.assert_allclose(second(x), 8.0 * kept(9, 0.5, 1), 1e-15)


def test_numba() -> None:
    numba = pytest.importorskip("numba", reason="pip install 'fastact[numba]' for numba's functions")
    compiled = numba.njit(lambda x, seed: fastact.dropout(x, 0.3, seed, 2))
    x = rng.normal(size=(5, 77)).astype(np.float32)
    np.testing.assert_array_equal(compiled(x, 2**63), fastact.dropout(x, 0.3, 2**63, 2))
    np.testing.assert_array_equal(compiled(x.T, 4), fastact.dropout(x.T, 0.3, 4, 2))
    with pytest.raises(ValueError, match="0 <= rate < 1"):
        numba.njit(lambda x: fastact.dropout_backward(x, 1.0, 1))(x)


@each
def test_c(f: Any) -> None:
    library = ctypes.CDLL(fastact.get_library())
    library.fastact_error_message.restype = ctypes.c_char_p
    for kind in (np.float32, np.float64):
        x = rng.normal(size=1001).astype(kind)
        y = np.full_like(x, 5)
        c = getattr(library, f"fastact_{f.__name__}_f{y.itemsize * 8}")

        def call(rate: float, offset: int, c: Any = c, x: Array = x, y: Array = y) -> Any:
            pointers = (ctypes.c_void_p(a.ctypes.data) for a in (x, y))
            return c(
                *pointers,
                *map(ctypes.c_size_t, (y.size,)),
                ctypes.c_double(rate),
                ctypes.c_uint64(2**63),
                ctypes.c_uint64(offset),
            )

        assert call(1.0, 0) == 1 and b"0 <= rate < 1 is required" in library.fastact_error_message(1)
        assert call(0.5, 2**63) == 1 and (y == 5).all()
        assert call(0.5, 7) == 0
        np.testing.assert_array_equal(y, f(x, 0.5, 2**63, 7))
