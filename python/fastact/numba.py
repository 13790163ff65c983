"""The functions for use inside numba's ``@njit``, with the same bits as outside.

Numba loads this module itself (entry point ``numba_extensions``), so a program imports only ``fastact`` and
``numba``. Arrays are passed to the functions of ``fastact/fastact.h``. A number is passed to a function of
one number, which LLVM calls from its own loops, or to a variant of it for vector registers if the instruction
set has one. These functions run in the floating-point environment of the caller and may leave exception flags
set.

Numbers and arrays of float32, float64 and integers are supported; float16 and bfloat16, which numba lacks,
are not. Arrays that are not contiguous are copied. Parameters are numbers; the learnable ones of ``prelu``
and ``swish`` may also have one element for each index along one axis. The ``axis`` of functions of rows and
of norms is one integer, and ``keepdims`` is a constant.
"""

import re
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.core.typing.templates import infer, infer_global, make_overload_template
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import as_dtype, from_dtype

import fastact

from . import _core
from .functions.registry import (
    DROPOUT,
    ELEMENTWISE,
    FROM_OUTPUT,
    FUSED,
    LEARNABLE,
    NORMS,
    OF_ROWS,
    OF_TWO,
    Function,
    Norm,
)
from .functions.rows import DEFAULTS

SUFFIXES = {types.float32: "f32", types.float64: "f64"}


# Functions of one number.


def _declare(module: ir.Module, name: str, type: ir.FunctionType) -> ir.Function:
    """Declare a pure function, which LLVM may vectorize and whose repeated calls it may merge."""
    function = cgutils.get_or_insert_function(module, type, name)
    for attribute in ("nounwind", "willreturn", "memory(none)"):
        set.add(function.attributes, attribute)  # the add() of llvmlite rejects some attributes
    return function


def _declare_variant(module: ir.Module, name: str, scalar: ir.Function, lanes: int) -> None:
    """Tell LLVM's vectorizer about the vector variant of a scalar function."""
    register, count = ir.VectorType(scalar.function_type.return_type, lanes), len(scalar.function_type.args)
    vector = _declare(module, name, ir.FunctionType(register, [register] * count))
    variant = f"_ZGV_LLVM_N{lanes}{'v' * count}_{scalar.name}({name})"
    set.add(scalar.attributes, f'"vector-function-abi-variant"="{variant}"')
    # LLVM drops declarations that are not marked as used.
    used = module.globals.get("llvm.compiler.used")
    if used is None:
        used = ir.GlobalVariable(module, ir.ArrayType(ir.PointerType(), 0), "llvm.compiler.used")
        used.linkage, used.section = "appending", "llvm.metadata"
        used.initializer = ir.Constant(used.value_type, [])
    functions = [f for f in used.initializer.constant if f is not vector] + [vector]
    used.value_type = ir.ArrayType(ir.PointerType(), len(functions))
    used.initializer = ir.Constant(used.value_type, functions)


def _define(source: str, **names: Any) -> Any:
    """Return the function that the source defines; the names are its globals."""
    exec(source, names)
    return names[source.removeprefix("def ").partition("(")[0]]


def _symbol(name: str, loop: types.Float) -> str:
    """Return the LLVM symbol of the function of one number."""
    return f"fastact_{name}_single_{SUFFIXES[loop]}"


def _add_symbols() -> None:
    """Register the functions of one number with LLVM.

    Code from numba's cache may call vector functions that the instruction set in use does not have.
    """
    for (name, dtype), (address, vector, _) in _core.singles().items():
        symbol = _symbol(name, getattr(types, dtype))
        binding.add_symbol(symbol, address)
        if vector:
            binding.add_symbol(f"{symbol}_vector", vector)


def _single(name: str, loop: types.Float, arrays: int, parameters: int) -> Any:
    """Return the function of one number, as an intrinsic."""
    lanes = _core.singles()[name, str(loop)][2]
    symbol = _symbol(name, loop)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        element = context.get_value_type(loop)
        function = _declare(builder.module, symbol, ir.FunctionType(element, [element] * len(values)))
        if lanes:
            _declare_variant(builder.module, f"{symbol}_vector", function, lanes)
        return builder.call(function, values)

    values = [f"a{i}" for i in range(arrays + parameters)]
    signature = loop(*[loop] * len(values))
    source = f"def single(context, {', '.join(values)}): return signature, generate"
    return intrinsic(_define(source, signature=signature, generate=generate))


# Types. They are known when a call is compiled.


def _is_given(type: Any) -> bool:
    return not isinstance(type, types.NoneType | types.Omitted) and type is not None


def _loop(name: str, given: list[Any]) -> Any:
    """Return the type of the computation: that of the arrays or, without arrays, that of the numbers."""
    arrays = [a.dtype for a in given if isinstance(a, types.Array)]
    if any(isinstance(a, types.Array) and a.ndim == 0 for a in given):
        raise NumbaTypeError(f"{name}: 0-dimensional arrays are not supported; pass a number")
    for a in arrays or given:
        if not isinstance(a, types.Number | types.Boolean):
            raise NumbaTypeError(f"{name}: arrays or real numbers are required, not {a}")
    try:
        first, *others = [as_dtype(a) for a in arrays or given]
        dtype = _core.identity.resolve_dtypes((first, None))[-1]
        for other in others:
            dtype = _core.identity_backward.resolve_dtypes((dtype, other, None))[-1]
        loop = from_dtype(dtype)
    except Exception:
        loop = None
    if loop not in SUFFIXES:
        raise NumbaTypeError(f"{name}: the result must be float32 or float64, and {given} gives neither")
    return loop


def _array(argument: str, type: Any, loop: types.Number, shape: str) -> str:
    """Return the expression that converts an argument to a contiguous array of the computation's type."""
    if not isinstance(type, types.Array):
        return f"np.full({shape}, {argument}, np.{loop})"
    if type.dtype == loop:
        return argument if type.layout == "C" else f"np.ascontiguousarray({argument})"
    return f"np.ascontiguousarray({argument}.astype(np.{loop}))"


def _check(condition: str, message: str) -> str:
    """Return the line that raises ValueError if the condition holds."""
    return f"    if {condition}: raise ValueError({message!r})\n"


def _output(
    name: str, out: Any, loop: types.Float, ndim: int, shape: str, result: str = "result", given: str = "out"
) -> str:
    """Return the lines that define the result: the given output or a new array."""
    if not _is_given(out):
        return f"    {result} = np.empty({shape}, np.{loop})\n"
    if not isinstance(out, types.Array) or (out.dtype, out.layout, out.ndim) != (loop, "C", ndim):
        raise NumbaTypeError(
            f"{name}: out must be a contiguous array of {ndim} dimensions and {loop}, not {out}"
        )
    return (
        _check(f"{given}.shape != {shape}", f"{name}: out does not have the shape of the result")
        + f"    {result} = {given}\n"
    )


def _external(name: str, loop: types.Float, kinds: str) -> types.ExternalFunction:
    """Return a function of fastact.h; kinds: arrays a, masks b, labels l, sizes n, numbers p, seeds u."""
    kind = {
        "a": types.CPointer(loop),
        "b": types.CPointer(types.uint8),
        "l": types.CPointer(types.int64),
        "n": types.uintp,
        "p": types.float64,
        "u": types.uint64,
    }
    return types.ExternalFunction(f"fastact_{name}_{SUFFIXES[loop]}", types.int32(*[kind[k] for k in kinds]))


def _overload(name: str, function: Any, typed: Any) -> None:
    """Do what `numba.extending.overload` does, but register the function under a key that is not a ufunc.

    Numba fuses calls of ufuncs with arrays into loops, in which a number can turn float32 into float64.
    """

    def key() -> None: ...

    key.__name__ = name
    options = {"nopython": True, "no_cpython_wrapper": True}
    template = make_overload_template(key, typed, options, True, "never")
    infer(template)
    infer_global(function, types.Function(template))


# Activations.


def _required(name: str, arrays: int, parameters: int) -> str:
    """Return the condition on the parameters as an expression in their names; "" if there is none."""
    if parameters:
        try:
            getattr(fastact, name)(*[np.empty(0)] * arrays, *[np.nan] * parameters)
        except ValueError as error:
            return str(error).rpartition("; ")[2].removesuffix(" is required")
    return ""


def _add_activation(f: Function) -> None:
    name, arrays, names = f.name, f.inputs, [parameter for parameter, _ in f.parameters]
    defaults = [p if default is None else f"{p}={default!r}" for p, default in f.parameters]
    arguments = ", ".join([*arrays, *defaults, "out=None"])
    required = _required(name, len(arrays), len(names))

    def choose(given: list[Any], values: list[Any], out: Any) -> Any:
        loop = _loop(name, given)
        space: dict[str, Any] = {"np": np, "inf": np.inf}
        numbers = [f"np.{loop}({p})" for p in names]
        body = ""
        if required:
            condition = required
            for p, number in zip(names, numbers, strict=True):
                condition = re.sub(rf"\b{p}\b", number, condition)
            body = _check(f"not ({condition})", f"{name}: {required} is required")
        if any(isinstance(p, types.Array) for p in values):
            return _with_channels(name, arguments, names[0], given, values[0], out, loop)
        if not any(isinstance(a, types.Array) for a in given):
            if _is_given(out):
                raise NumbaTypeError(f"{name}: out requires arrays")
            space["single"] = _single(name, loop, len(arrays), len(names))
            call = ", ".join(f"np.{loop}({a})" for a in (*arrays, *names))
            return _define(f"def compute({arguments}):\n{body}    return single({call})", **space)
        first, ndim = next(
            (n, t.ndim) for n, t in zip(arrays, given, strict=True) if isinstance(t, types.Array)
        )
        for a, type in zip(arrays, given, strict=True):
            if isinstance(type, types.Array):
                if type.ndim != ndim:
                    raise NumbaTypeError(
                        f"{name}: the arrays must have the same shape; see numpy.broadcast_to"
                    )
                body += _check(f"{a}.shape != {first}.shape", f"{name}: the arrays must have the same shape")
        for a, type in zip(arrays, given, strict=True):
            body += f"    {a}_ = {_array(a, type, loop, f'{first}.shape')}\n"
        body += _output(name, out, loop, ndim, f"{first}.shape")
        if f.suffix == FROM_OUTPUT:  # fastact.h has no such functions
            space["single"] = _single(name, loop, len(arrays), len(names))
            for a in ("result", *(f"{a}_" for a in arrays)):
                body += f"    flat_{a} = {a}.reshape(-1)\n"
            call = ", ".join([*(f"flat_{a}_[i]" for a in arrays), *numbers])
            body += f"    for i in range(result.size): flat_result[i] = single({call})\n    return result"
        else:
            space["call"] = _external(name, loop, "a" * (len(arrays) + 1) + "n" + "p" * len(names))
            call = ", ".join([*(f"{a}_.ctypes" for a in arrays), "result.ctypes", "result.size", *names])
            body += _check(f"call({call}) != 0", f"{name}: the C function failed") + "    return result"
        return _define(f"def compute({arguments}):\n{body}", **space)

    source = f"def typed({arguments}): return choose([{', '.join(arrays)}], [{', '.join(names)}], out)"
    _overload(f.name, f.function, _define(source, choose=choose))


def _add_gate_backward(f: Function) -> None:
    name = f.name
    message = f"{name}: the arrays must be of one shape"

    def choose(given: list[Any]) -> Any:
        loop = _loop(name, given)
        is_array = isinstance(given[0], types.Array)
        if any(
            isinstance(t, types.Array) != is_array or (is_array and t.ndim != given[0].ndim) for t in given
        ):
            raise NumbaTypeError(message)
        body = _check("a.shape != b.shape or a.shape != g.shape", message) if is_array else ""
        for argument, type in zip("abg", given, strict=True):
            body += f"    {argument}_ = {_array(argument, type, loop, '1')}\n"
        body += (
            "    da, db = np.empty_like(a_), np.empty_like(a_)\n"
            "    p, q, r, s, t = a_.ctypes, b_.ctypes, g_.ctypes, da.ctypes, db.ctypes\n"
            f"{_check('call(p, q, r, s, t, da.size) != 0', f'{name}: the C function failed')}"
            f"    return {'da, db' if is_array else 'da[0], db[0]'}"
        )
        call = _external(name, loop, "aaaaan")
        return _define(f"def compute(a, b, g):\n{body}", np=np, call=call)

    source = "def typed(a, b, g): return choose([a, b, g])"
    _overload(f.name, f.function, _define(source, choose=choose))


# Learnable parameters: one number, or one number for each index along one axis.


@register_jitable
def _around(shape: Any, axis: int) -> Any:
    """Return the numbers of elements (outer, length, inner) before, along and after an axis."""
    outer, inner = 1, 1
    for i in range(axis):
        outer *= shape[i]
    for i in range(axis + 1, len(shape)):
        inner *= shape[i]
    return outer, shape[axis], inner


@register_jitable
def _channels(shape: Any, parameter: Any) -> Any:
    """Return (outer, length, inner) for the one axis along which a parameter of this shape varies."""
    before = len(shape) - len(parameter)
    axis = -1
    for i in range(len(parameter)):
        if parameter[i] != 1:
            if axis >= 0 or parameter[i] != shape[before + i]:
                raise ValueError("the parameter must have one element, or one for each index along one axis")
            axis = before + i
    if axis < 0:
        n = 1
        for i in range(len(shape)):
            n *= shape[i]
        return 1, 1, n
    return _around(shape, axis)


def _channel_types(name: str, x: Any, parameter: Any, loop: types.Float) -> None:
    if not isinstance(x, types.Array) or parameter.ndim > x.ndim or parameter.dtype != loop:
        raise NumbaTypeError(f"{name}: an array of parameters must have x's dtype and at most its dimensions")


def _with_channels(name: str, arguments: str, p: str, given: Any, parameter: Any, out: Any, loop: Any) -> Any:
    (x,) = given
    _channel_types(name, x, parameter, loop)
    body = (
        f"    x_, p_ = {_array('x', x, loop, '')}, {_array(p, parameter, loop, '')}\n"
        f"{_output(name, out, loop, x.ndim, 'x.shape')}"
        f"    outer, length, inner = channels(x.shape, {p}.shape)\n"
        f"    a, b, c = x_.ctypes, p_.ctypes, result.ctypes\n"
        f"{_check('call(a, b, c, outer, length, inner) != 0', f'{name}: a parameter is not allowed')}"
        f"    return result"
    )
    call = _external(f"{name}_channels", loop, "aaannn")
    return _define(f"def compute({arguments}):\n{body}", np=np, channels=_channels, call=call)


def _add_learnable(f: Function) -> None:
    name, ((p, default),) = f.name, f.parameters
    arguments = f"x, g, {p if default is None else f'{p}={default!r}'}"
    message = f"{name}: a parameter is not allowed"

    def choose(x: Any, g: Any, parameter: Any) -> Any:
        loop = _loop(name, [x, g])
        call = _external(name, loop, "aaaaannn")
        is_array, is_number = isinstance(x, types.Array), not isinstance(parameter, types.Array)
        if not is_number:
            _channel_types(name, x, parameter, loop)
        if isinstance(g, types.Array) != is_array or (is_array and g.ndim != x.ndim):
            raise NumbaTypeError(f"{name}: x and g must have the same shape")
        body = _check("x.shape != g.shape", f"{name}: x and g must have the same shape") if is_array else ""
        body += (
            f"    x_, g_ = {_array('x', x, loop, '1')}, {_array('g', g, loop, '1')}\n"
            f"    p_ = {_array(p, parameter, loop, '1')}\n"
            f"    dx, dp = np.empty_like(x_), np.empty_like(p_)\n"
            f"    outer, length, inner = channels(x_.shape, p_.shape)\n"
            f"    a, b, c, d, e = x_.ctypes, g_.ctypes, p_.ctypes, dx.ctypes, dp.ctypes\n"
            f"{_check('call(a, b, c, d, e, outer, length, inner) != 0', message)}"
            f"    return {'dx' if is_array else 'dx[0]'}, {'dp[0]' if is_number else 'dp'}"
        )
        return _define(f"def compute({arguments}):\n{body}", np=np, channels=_channels, call=call)

    source = f"def typed({arguments}): return choose(x, g, {p})"
    _overload(f.name, f.function, _define(source, choose=choose))


# Functions of rows. For a row, an array of the C function holds the row, half of it, or one number, which may
# be a label.

KINDS = {"n": "row", "m": "half", "": "one"}


@register_jitable
def _without(shape: Any, axis: int) -> Any:
    rest = shape[1:]
    for i in range(axis):
        rest = tuple_setitem(rest, i, shape[i])
    return rest


def _is_truth(name: str, argument: str, type: Any) -> bool:
    """Return the truth value of an argument that determines types."""
    value = getattr(type, "literal_value", getattr(type, "value", type))
    if not isinstance(value, bool):
        raise NumbaTypeError(f"{name}: {argument} must be True or False in the call itself, not {type}")
    return value


def _mask(name: str, where: Any) -> str:
    """Return the line that makes an array of the mask, "" without a mask."""
    if getattr(where, "literal_value", getattr(where, "value", where)) is True:
        return ""
    if not isinstance(getattr(where, "dtype", where), types.Boolean):
        raise NumbaTypeError(f"{name}: where must be a bool or an array of them, not {where}")
    mask = "np.broadcast_to(where, shape)" if isinstance(where, types.Array) else "np.full(shape, where)"
    return f"    where_ = np.ascontiguousarray({mask}).view(np.uint8)\n"


def _options(name: str, options: dict[str, Any], loop: types.Float) -> str:
    """Return the lines that make arrays of the options that a cross-entropy is given."""
    weights, ignored = options["weights"], options["ignore_label"]
    body = ""
    if _is_given(weights):
        if getattr(weights, "ndim", 0) != 1 or not isinstance(weights.dtype, types.Integer | types.Float):
            raise NumbaTypeError(f"{name}: weights must be an array with one real number for each class")
        body = _check("weights.shape != (length,)", f"{name}: weights must have one number for each class")
        body += f"    weights_ = {_array('weights', weights, loop, '')}\n"
    if _is_given(ignored):
        if not isinstance(ignored, types.Integer):
            raise NumbaTypeError(f"{name}: ignore_label must be an integer, not {ignored}")
        body += "    ignore_label_ = np.full(1, ignore_label, np.int64)\n"
    return body


def _add_rows(f: Function) -> None:
    name, names, outputs = f.name, f.inputs, [KINDS[core] for core in f.results]
    options = f.options

    def choose(given: list[Any], options: dict[str, Any]) -> Any:
        x, ndim = given[0], getattr(given[0], "ndim", 0)
        if not isinstance(x, types.Array) or ndim == 0:
            raise NumbaTypeError(f"{name}: an array of rows is required, not {x}")
        axis, out = options["axis"], options["out"]
        if not isinstance(getattr(axis, "value", axis), int | types.Integer):
            raise NumbaTypeError(f"{name}: axis must be one integer, not {axis}")
        inputs = [KINDS[operand.core] for operand in f.operands]
        if f.labels is not None:
            labels = getattr(given[f.labels], "dtype", given[f.labels])
            if not isinstance(labels, types.Integer | types.Float):
                raise NumbaTypeError(f"{name}: labels must be integers or probabilities, not {labels}")
            inputs[f.labels] = "label" if isinstance(labels, types.Integer) else "row"
        loop = _loop(name, [t for t, kind in zip(given, inputs, strict=True) if kind != "label"])
        keeps = "keepdims" in options and _is_truth(name, "keepdims", options["keepdims"])
        shapes = {"row": "shape", "half": "tuple_setitem(shape, k, length // 2)", "one": "without(shape, k)"}
        if keeps:
            shapes["one"] = "tuple_setitem(shape, k, 1)"
        elif ndim == 1:
            shapes["one"] = "1"
        shapes["label"] = shapes["one"]
        dimensions = {"row": ndim, "half": ndim, "one": ndim - (not keeps), "label": ndim - 1}
        body = (
            f"    shape, k = {names[0]}.shape, axis + {ndim} if axis < 0 else axis\n"
            f"{_check(f'not 0 <= k < {ndim}', f'{name}: axis is out of bounds')}"
            f"    outer, length, inner = around(shape, k)\n"
        )
        for a, type, kind in zip(names, given, inputs, strict=True):
            if dimensions[kind] == 0:
                if isinstance(type, types.Array):
                    raise NumbaTypeError(f"{name}: {a} must be a number if {names[0]} is a single row")
            elif not isinstance(type, types.Array) or type.ndim != dimensions[kind]:
                raise NumbaTypeError(f"{name}: the shape of {a} does not match that of {names[0]}")
            else:
                body += _check(f"{a}.shape != {shapes[kind]}", f"{name}: the shape of {a} does not match")
            body += f"    {a}_ = {_array(a, type, types.int64 if kind == 'label' else loop, '1')}\n"
        mask = _mask(name, options["where"]) if "where" in options else ""
        body += mask
        given_outs = [(out, "out")]
        if len(outputs) > 1:
            if _is_given(out) and not (isinstance(out, types.BaseTuple) and len(out) == len(outputs)):
                raise NumbaTypeError(f"{name}: out must be a tuple of {len(outputs)} arrays, not {out}")
            given_outs = [(out[i] if _is_given(out) else None, f"out[{i}]") for i in range(len(outputs))]
        returned = []
        for i, (output, (given_out, place)) in enumerate(zip(outputs, given_outs, strict=True)):
            is_number = dimensions[output] == 0
            if is_number and _is_given(given_out):
                raise NumbaTypeError(f"{name}: out requires an array as the result")
            body += _output(name, given_out, loop, dimensions[output], shapes[output], f"result{i}", place)
            returned.append(f"result{i}[0]" if is_number else f"result{i}")
        results = [(f"result{i}.ctypes", "a") for i in range(len(outputs))]
        of_inputs = [(f"{a}_.ctypes", "a") for a in names]
        function, failed = name, f"{name}: a length is not allowed"
        if f.labels is None:
            passed = [*of_inputs, *([("where_.ctypes", "b")] if mask else []), *results]
            function += "_where" if mask else ""
        else:
            body += _options(name, options, loop)
            left_out = ("0", "n")
            is_label = inputs[f.labels] == "label"
            weights, ignored = (
                (f"{a}_.ctypes", kind) if _is_given(options[a]) else left_out
                for a, kind in (("weights", "a"), ("ignore_label", "l"))
            )
            labels = (of_inputs[f.labels][0], "l") if is_label else left_out
            passed = [of_inputs[0], labels, left_out if is_label else of_inputs[f.labels], weights, ignored]
            passed += [("label_smoothing", "p"), of_inputs[2] if len(names) > 2 else left_out]
            by_kind = dict(zip(outputs, results, strict=True))
            passed += [by_kind.get("one", left_out), by_kind.get("row", left_out)]
            function = "softmax_cross_entropy_general"
            failed = f"{name}: a label, a length or an option is not allowed"
        call = ", ".join([*(expression for expression, _ in passed), "outer, length, inner"])
        body += f"{_check(f'call({call}) != 0', failed)}    return {', '.join(returned)}"
        return _define(
            f"def compute({signature}):\n{body}",
            np=np,
            around=_around,
            without=_without,
            tuple_setitem=tuple_setitem,
            call=_external(function, loop, "".join(kind for _, kind in passed) + "nnn"),
        )

    signature = ", ".join([*names, *(f"{option}={DEFAULTS[option]!r}" for option in options)])
    passed_on = ", ".join(f"{option}={option}" for option in options)
    source = f"def typed({signature}): return choose([{', '.join(names)}], dict({passed_on}))"
    _overload(f.name, f.function, _define(source, choose=choose))


# Norms, along one axis. The address 0, passed as a number, stands for what is left out.


def _add_norm(norm: Norm) -> None:
    name, names, rows = norm.name, norm.arguments, norm.arguments[: norm.rows]
    defaults = [a if a in names[: norm.required] else f"{a}=None" for a in names]
    arguments = ", ".join([*defaults, "axis=-1", f"eps={norm.eps!r}", "out=None"])
    failed = f"{name}: 0 <= eps < inf is required, and an element in each row"

    def choose(given: list[Any], axis: Any, out: Any) -> Any:
        x = given[0]
        if not isinstance(x, types.Array) or x.ndim == 0:
            raise NumbaTypeError(f"{name}: an array of rows is required, not {x}")
        if not isinstance(getattr(axis, "value", axis), int | types.Integer):
            raise NumbaTypeError(f"{name}: axis must be one integer, not {axis}")
        loop = _loop(name, given[: norm.rows])
        body = (
            f"    k = axis + {x.ndim} if axis < 0 else axis\n"
            f"{_check(f'not 0 <= k < {x.ndim}', f'{name}: axis is out of bounds')}"
            "    outer, length, inner = around(x.shape, k)\n"
        )
        pointers, kinds = [], ""
        for a, type in zip(names, given, strict=True):
            kinds += "a" if _is_given(type) else "n"
            if not _is_given(type):
                pointers.append("0")
                continue
            ndim, shape = (x.ndim, "x.shape") if a in rows else (1, "(length,)")
            if not isinstance(type, types.Array) or type.ndim != ndim or (ndim == 1 and type.dtype != loop):
                required = f"{ndim} dimensions" + ("" if a in rows else f" and {loop}")
                raise NumbaTypeError(f"{name}: {a} must be an array of {required}, not {type}")
            body += _check(f"{a}.shape != {shape}", f"{name}: the shape of {a} does not match that of x")
            body += f"    {a}_ = {_array(a, type, loop, '')}\n"
            pointers.append(f"{a}_.ctypes")
        count = len(norm.results)
        if count > 1 and _is_given(out) and not (isinstance(out, types.BaseTuple) and len(out) == count):
            raise NumbaTypeError(f"{name}: out must be a tuple of {count} arrays, not {out}")
        results = [f"result{i}" for i in range(count)]
        for i, result in enumerate(results):
            type, place = (out[i], f"out[{i}]") if count > 1 and _is_given(out) else (out, "out")
            ndim, shape = (1, "(length,)") if i else (x.ndim, "x.shape")
            body += _output(name, type, loop, ndim, shape, result, place)
        call = ", ".join([*pointers, *(f"{result}.ctypes" for result in results)])
        body += _check(f"call({call}, outer, length, inner, eps) != 0", failed)
        body += f"    return {', '.join(results)}"
        call = _external(name, loop, f"{kinds}{'a' * count}nnnp")
        return _define(f"def compute({arguments}):\n{body}", np=np, around=_around, call=call)

    source = f"def typed({arguments}): return choose([{', '.join(names)}], axis, out)"
    _overload(name, norm.function, _define(source, choose=choose))


# Dropout.


def _add_dropout(name: str) -> None:
    x = DROPOUT[name]
    message = f"{name}: 0 <= rate < 1 and 0 <= offset < 2**63 are required"

    def choose(given: Any, seed: Any, offset: Any, out: Any) -> Any:
        if not isinstance(given, types.Array):
            raise NumbaTypeError(f"{name}: an array is required, not {given}")
        for argument, type in (("seed", seed), ("offset", offset)):
            if not isinstance(getattr(type, "value", type), int | types.Integer):
                raise NumbaTypeError(f"{name}: {argument} must be an integer, not {type}")
        loop = _loop(name, [given])
        body = (
            f"    x_ = {_array(x, given, loop, '')}\n{_output(name, out, loop, given.ndim, f'{x}.shape')}"
            + _check("seed < 0", f"{name}: 0 <= seed < 2**64 is required")
            + _check("call(x_.ctypes, result.ctypes, result.size, rate, seed, offset) != 0", message)
            + "    return result"
        )
        call = _external(name, loop, "aanpuu")
        return _define(f"def compute({x}, rate, seed, offset=0, out=None):\n{body}", np=np, call=call)

    source = f"def typed({x}, rate, seed, offset=0, out=None): return choose({x}, seed, offset, out)"
    _overload(name, getattr(fastact, name), _define(source, choose=choose))


def register() -> None:
    """Register the functions with numba, which calls this function when it is first used."""
    binding.load_library_permanently(fastact.get_library())
    _add_symbols()
    for functions, add in (
        (ELEMENTWISE, _add_activation),
        ([f for f in OF_TWO if len(f.results) == 1], _add_activation),
        ([f for f in OF_TWO if len(f.results) > 1], _add_gate_backward),
        (LEARNABLE, _add_learnable),
        (OF_ROWS + FUSED, _add_rows),
    ):
        for f in functions:
            add(f)
    for norm in NORMS.values():
        _add_norm(norm)
    for name in DROPOUT:
        _add_dropout(name)
