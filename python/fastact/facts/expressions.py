"""How users of each library write each function, as data for the comparisons in benchmarks and `verify`."""

import math
import re
from collections.abc import Sequence

from ..functions.registry import GATES

# The names in the expressions: functions of numbers, and the constants of selu.
CONSTANTS = {"sqrt": math.sqrt, "pi": math.pi, "alpha": 1.6732632423543772, "scale": 1.0507009873554805}

# For each function and library up to three expressions: the value from the input x; the gradient from x and
# the upstream gradient g; the gradient from the output y and g. JAX needs only the first, because it has vjp.
# The backward operations of torch are those that its autograd calls. If y occurs in the second expression,
# see `by_pass`. torch takes the parameter of prelu as an array, weight.
# SciPy's special functions and the vector functions of MKL, VML, have expressions of their own if they differ
# from those of NumPy. Only their errors are measured.
EXPRESSIONS: dict[str, dict[str, Sequence[str]]] = {
    "identity": {
        "NumPy": ("x.copy()", "g.copy()"),
        "torch": ("torch.clone(x)", "torch.clone(g)"),
        "JAX": ("jnp.copy(x)",),
    },
    "binary_step": {
        "NumPy": ("(x >= 0).astype(x.dtype)", "np.zeros_like(x)"),
        "torch": ("(x >= 0).to(x.dtype)", "torch.zeros_like(x)"),
        "JAX": ("jnp.heaviside(x, 1)",),
    },
    "relu": {
        "NumPy": ("np.maximum(x, 0)", "g * (x > 0)", "g * (y > 0)"),
        "torch": ("F.relu(x)", "aten.threshold_backward(g, x, 0)", "aten.threshold_backward(g, y, 0)"),
        "JAX": ("nn.relu(x)",),
    },
    "relu6": {
        "NumPy": ("np.clip(x, 0, 6)", "g * ((x > 0) & (x < 6))"),
        "torch": ("F.relu6(x)", "aten.hardtanh_backward(g, x, 0, 6)"),
        "JAX": ("nn.relu6(x)",),
    },
    "relu_squared": {
        "NumPy": ("np.maximum(x, 0) ** 2", "2 * g * np.maximum(x, 0)"),
        "torch": ("F.relu(x).square()", "2 * g * F.relu(x)"),
        "JAX": ("nn.relu(x) ** 2",),
    },
    "leaky_relu": {
        "NumPy": ("np.maximum(x, 0.01 * x)", "np.where(x > 0, g, 0.01 * g)"),
        "torch": ("F.leaky_relu(x)", "aten.leaky_relu_backward(g, x, 0.01, False)"),
        "JAX": ("nn.leaky_relu(x)",),
    },
    "prelu": {
        "NumPy": ("np.where(x > 0, x, 0.25 * x)",),
        "torch": ("F.prelu(x, weight)",),
        "JAX": ("jnp.where(x > 0, x, 0.25 * x)",),
    },
    "threshold": {
        "NumPy": ("np.where(x > 0, x, 0)", "g * (x > 0)"),
        "torch": ("F.threshold(x, 0, 0)", "aten.threshold_backward(g, x, 0)"),
        "JAX": ("jnp.where(x > 0, x, 0)",),
    },
    "sigmoid": {
        "NumPy": ("1 / (1 + np.exp(-x))", "g * y * (1 - y)"),
        "torch": ("torch.sigmoid(x)", "aten.sigmoid_backward(g, y)"),
        "JAX": ("nn.sigmoid(x)",),
        "SciPy": ("special.expit(x)",),
        "VML": ("1 / (1 + vml.Exp(-x))",),
    },
    "log_sigmoid": {
        "NumPy": ("-np.log1p(np.exp(-x))", "g / (1 + np.exp(x))"),
        "torch": ("F.logsigmoid(x)", "g * torch.sigmoid(-x)"),
        "JAX": ("nn.log_sigmoid(x)",),
        "SciPy": ("special.log_expit(x)",),
        "VML": ("-vml.Log1p(vml.Exp(-x))",),
    },
    "hard_sigmoid": {
        "NumPy": ("np.clip(x / 6 + 0.5, 0, 1)", "g / 6 * (np.abs(x) < 3)"),
        "torch": ("F.hardsigmoid(x)", "aten.hardsigmoid_backward(g, x)"),
        "JAX": ("nn.hard_sigmoid(x)",),
    },
    "tanh": {
        "NumPy": ("np.tanh(x)", "g * (1 - y * y)"),
        "torch": ("torch.tanh(x)", "aten.tanh_backward(g, y)"),
        "JAX": ("jnp.tanh(x)",),
        "VML": ("vml.Tanh(x)",),
    },
    "tanh_shrink": {
        "NumPy": ("x - np.tanh(x)", "g * np.tanh(x) ** 2"),
        "torch": ("F.tanhshrink(x)", "g - aten.tanh_backward(g, torch.tanh(x))"),
        "JAX": ("x - jnp.tanh(x)",),
        "VML": ("x - vml.Tanh(x)",),
    },
    "hard_tanh": {
        "NumPy": ("np.clip(x, -1, 1)", "g * (np.abs(x) < 1)"),
        "torch": ("F.hardtanh(x)", "aten.hardtanh_backward(g, x, -1, 1)"),
        "JAX": ("nn.hard_tanh(x)",),
    },
    "softsign": {
        "NumPy": ("x / (1 + np.abs(x))", "g / (1 + np.abs(x)) ** 2"),
        "torch": ("F.softsign(x)", "g / (1 + x.abs()).square()"),
        "JAX": ("nn.soft_sign(x)",),
    },
    "elu": {
        "NumPy": (
            "np.where(x > 0, x, np.expm1(x))",
            "np.where(x > 0, g, g * np.exp(x))",
            "np.where(y > 0, g, g * (y + 1))",
        ),
        "torch": (
            "F.elu(x)",
            "aten.elu_backward(g, 1, 1, 1, False, x)",
            "aten.elu_backward(g, 1, 1, 1, True, y)",
        ),
        "JAX": ("nn.elu(x)",),
        "SciPy": ("np.where(x > 0, x, special.expm1(x))",),
        "VML": ("np.where(x > 0, x, vml.Expm1(x))",),
    },
    "celu": {
        "NumPy": ("np.where(x > 0, x, np.expm1(x))", "np.where(x > 0, g, g * np.exp(x))"),
        "torch": ("F.celu(x)", "aten.elu_backward(g, 1, 1, 1, False, x)"),
        "JAX": ("nn.celu(x)",),
    },
    "selu": {
        "NumPy": (
            "scale * np.where(x > 0, x, alpha * np.expm1(x))",
            "scale * np.where(x > 0, g, g * alpha * np.exp(x))",
            "np.where(y > 0, scale * g, g * (y + scale * alpha))",
        ),
        "torch": (
            "torch.selu(x)",
            "aten.elu_backward(g, alpha, scale, 1, False, x)",
            "aten.elu_backward(g, alpha, scale, 1, True, y)",
        ),
        "JAX": ("nn.selu(x)",),
    },
    "exponential": {
        "NumPy": ("np.exp(x)", "g * y"),
        "torch": ("torch.exp(x)", "g * y"),
        "JAX": ("jnp.exp(x)",),
        "VML": ("vml.Exp(x)",),
    },
    "softplus": {
        "NumPy": ("np.log1p(np.exp(x))", "g / (1 + np.exp(-x))", "-g * np.expm1(-y)"),
        "torch": ("F.softplus(x)", "aten.softplus_backward(g, x, 1, 20)"),
        "JAX": ("nn.softplus(x)",),
        "VML": ("vml.Log1p(vml.Exp(x))",),
    },
    "squareplus": {
        "NumPy": ("(x + np.sqrt(x * x + 4)) / 2", "g * (1 + x / np.sqrt(x * x + 4)) / 2"),
        "torch": ("(x + torch.sqrt(x * x + 4)) / 2", "g * (1 + x / torch.sqrt(x * x + 4)) / 2"),
        "JAX": ("nn.squareplus(x)",),
    },
    "sparse_plus": {
        "NumPy": ("np.where(x > 1, x, np.maximum(x + 1, 0) ** 2 / 4)", "g * np.clip((x + 1) / 2, 0, 1)"),
        "torch": (
            "torch.where(x > 1, x, torch.clamp(x + 1, 0).square() / 4)",
            "g * torch.clamp((x + 1) / 2, 0, 1)",
        ),
        "JAX": ("nn.sparse_plus(x)",),
    },
    "softcap": {
        "NumPy": ("0.25 * np.tanh(4 * x)", "g * (1 - np.tanh(4 * x) ** 2)"),
        "torch": ("0.25 * torch.tanh(4 * x)", "aten.tanh_backward(g, torch.tanh(4 * x))"),
        "JAX": ("0.25 * jnp.tanh(4 * x)",),
    },
    "silu": {
        "NumPy": ("x / (1 + np.exp(-x))", "g * (s := 1 / (1 + np.exp(-x))) * (1 + x * (1 - s))"),
        "torch": ("F.silu(x)", "aten.silu_backward(g, x)"),
        "JAX": ("nn.silu(x)",),
        "SciPy": ("x * special.expit(x)",),
        "VML": ("x / (1 + vml.Exp(-x))",),
    },
    "swish": {
        "NumPy": ("x / (1 + np.exp(-x))",),
        "torch": ("F.silu(x)",),
        "JAX": ("nn.swish(x)",),
        "SciPy": ("x * special.expit(x)",),
        "VML": ("x / (1 + vml.Exp(-x))",),
    },
    "quick_gelu": {
        "NumPy": (
            "x / (1 + np.exp(-1.702 * x))",
            "g * (s := 1 / (1 + np.exp(-1.702 * x))) * (1 + 1.702 * x * (1 - s))",
        ),
        "torch": ("x * torch.sigmoid(1.702 * x)", "aten.silu_backward(g, 1.702 * x)"),
        "JAX": ("x * nn.sigmoid(1.702 * x)",),
        "SciPy": ("x * special.expit(1.702 * x)",),
    },
    "hard_swish": {
        "NumPy": ("x * np.clip(x + 3, 0, 6) / 6", "g * np.where(np.abs(x) < 3, x / 3 + 0.5, x > 0)"),
        "torch": ("F.hardswish(x)", "aten.hardswish_backward(g, x)"),
        "JAX": ("nn.hard_swish(x)",),
    },
    "gelu": {
        "NumPy": (
            "0.5 * x * (1 + erf(x / sqrt(2)))",
            "g * (0.5 * (1 + erf(x / sqrt(2))) + x * np.exp(-x * x / 2) / sqrt(2 * pi))",
        ),
        "torch": ("F.gelu(x)", "aten.gelu_backward(g, x)"),
        "JAX": ("nn.gelu(x, approximate=False)",),
        "SciPy": ("x * special.ndtr(x)",),
        "VML": ("x * vml.CdfNorm(x)",),
    },
    "gelu_tanh": {
        "NumPy": (
            "0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))",
            "g * 0.5 * (1 + (t := np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))) + x *"
            " (1 - t * t) * sqrt(2 / pi) * (1 + 0.134145 * x * x))",
        ),
        "torch": ("F.gelu(x, approximate='tanh')", "aten.gelu_backward(g, x, approximate='tanh')"),
        "JAX": ("nn.gelu(x, approximate=True)",),
    },
    "mish": {
        "NumPy": (
            "x * np.tanh(np.log1p(np.exp(x)))",
            "g * ((t := np.tanh(np.log1p(np.exp(x)))) + x * (1 - t * t) / (1 + np.exp(-x)))",
        ),
        "torch": ("F.mish(x)", "aten.mish_backward(g, x)"),
        "JAX": ("nn.mish(x)",),
        "VML": ("x * vml.Tanh(vml.Log1p(vml.Exp(x)))",),
    },
    "hard_shrink": {
        "NumPy": ("np.where(np.abs(x) > 0.5, x, 0)", "g * (np.abs(x) > 0.5)"),
        "torch": ("F.hardshrink(x)", "aten.hardshrink_backward(g, x, 0.5)"),
        "JAX": ("jnp.where(jnp.abs(x) > 0.5, x, 0)",),
    },
    "soft_shrink": {
        "NumPy": ("x - np.clip(x, -0.5, 0.5)", "g * (np.abs(x) > 0.5)"),
        "torch": ("F.softshrink(x)", "aten.softshrink_backward(g, x, 0.5)"),
        "JAX": ("x - jnp.clip(x, -0.5, 0.5)",),
    },
}

# The same for functions of rows, which lie along `axis` of a matrix; for functions of the halves a and b of a
# row; for activations with a learnable weight for each index along `axis`, whose backward pass gives a pair;
# and for norms, whose weight and bias are gamma and beta. A label is where its row is largest; indices are
# the labels in as many dimensions as x has.
ROWS: dict[str, dict[str, Sequence[str]]] = {
    "softmax": {
        "NumPy": ("special.softmax(x, axis)", "y * (g - (g * y).sum(axis, keepdims=True))"),
        "torch": ("torch.softmax(x, axis)", "aten._softmax_backward_data(g, y, axis, x.dtype)"),
        "JAX": ("nn.softmax(x, axis)",),
    },
    "log_softmax": {
        "NumPy": (
            "special.log_softmax(x, axis)",
            "g - special.softmax(x, axis) * g.sum(axis, keepdims=True)",
            "g - np.exp(y) * g.sum(axis, keepdims=True)",
        ),
        "torch": ("torch.log_softmax(x, axis)", "aten._log_softmax_backward_data(g, y, axis, x.dtype)"),
        "JAX": ("nn.log_softmax(x, axis)",),
    },
    "sparsemax": {
        "NumPy": (
            "np.maximum(x - (((-np.sort(-x, axis)).cumsum(axis) - 1) / np.arange(1, 1 + x.shape[axis])"
            ".reshape(-1, *[1] * (x.ndim - 1 - axis))).max(axis, keepdims=True), 0)",
            "(y > 0) * (g - (g * (y > 0)).sum(axis, keepdims=True) / (y > 0).sum(axis, keepdims=True))",
        ),
        "torch": (
            "torch.relu(x - ((x.sort(axis, True)[0].cumsum(axis) - 1) / torch.arange(1, 1 + x.shape[axis])"
            ".reshape(-1, *[1] * (x.ndim - 1 - axis))).amax(axis, True))",
            "(y > 0) * (g - (g * (y > 0)).sum(axis, True) / (y > 0).sum(axis, True))",
        ),
        "JAX": (
            "nn.relu(x - ((jnp.sort(x, axis, descending=True).cumsum(axis) - 1) / jnp.arange(1, 1 + x.shape"
            "[axis]).reshape(-1, *[1] * (x.ndim - 1 - axis))).max(axis, keepdims=True))",
        ),
    },
    "logsumexp": {
        "NumPy": (
            "special.logsumexp(x, axis)",
            "np.expand_dims(g, axis) * np.exp(x - np.expand_dims(y, axis))",
        ),
        "torch": ("torch.logsumexp(x, axis)", "g.unsqueeze(axis) * torch.exp(x - y.unsqueeze(axis))"),
        "JAX": ("nn.logsumexp(x, axis)",),
    },
    "softmax_cross_entropy": {
        "fastact": (
            "fastact.softmax_cross_entropy(x, labels, axis=axis)",
            "fastact.softmax_cross_entropy_backward(x, labels, g, axis=axis)",
        ),
        "NumPy": (
            "special.logsumexp(x, axis) - np.take_along_axis(x, indices, axis).squeeze(axis)",
            "(p := special.softmax(x, axis), np.put_along_axis(p, indices,"
            " np.take_along_axis(p, indices, axis) - 1, axis), p * np.expand_dims(g, axis))[2]",
        ),
        "torch": (
            "F.cross_entropy(x, labels, reduction='none') if axis else"
            " F.cross_entropy(x[None], labels[None], reduction='none')[0]",
            "aten._log_softmax_backward_data(torch.zeros_like(x).scatter_(axis, indices,"
            " -g.unsqueeze(axis)), torch.log_softmax(x, axis), axis, x.dtype)",
        ),
        "JAX": ("-jnp.take_along_axis(nn.log_softmax(x, axis), indices, axis).squeeze(axis)",),
    },
    "maxout": {
        "NumPy": ("np.max(x, axis)", "np.expand_dims(g, axis) * (x == np.expand_dims(y, axis))"),
        "torch": (
            "torch.amax(x, axis)",
            "aten.value_selecting_reduction_backward(g, axis, x.argmax(axis), x.shape, False)",
        ),
        "JAX": ("jnp.max(x, axis)",),
    },
    "glu": {
        "NumPy": (
            "a / (1 + np.exp(-b))",
            "np.concatenate((g * (s := 1 / (1 + np.exp(-b))), g * a * s * (1 - s)), axis)",
        ),
        "torch": ("F.glu(x, axis)", "aten.glu_backward(g, x, axis)"),
        "JAX": ("nn.glu(x, axis)",),
    },
    "channel_prelu": {
        "fastact": ("fastact.prelu(x, weight)", "(*fastact.prelu_backward(x, g, weight),)"),
        "NumPy": (
            "np.where(x > 0, x, weight * x)",
            "np.where(x > 0, g, weight * g), np.where(x > 0, 0, g * x).sum(1 - axis, keepdims=True)",
        ),
        "torch": (
            "aten._prelu_kernel(x, weight)",
            "(d := aten._prelu_kernel_backward(g, x, weight))[0], d[1].sum(1 - axis, keepdim=True)",
        ),
        "JAX": ("jnp.where(x > 0, x, weight * x)",),
    },
    "channel_swish": {
        "fastact": ("fastact.swish(x, weight)", "(*fastact.swish_backward(x, g, weight),)"),
        "NumPy": (
            "x / (1 + np.exp(-weight * x))",
            "g * (s := 1 / (1 + np.exp(-weight * x))) + (d := g * x * s * (1 - s)) * weight,"
            " (d * x).sum(1 - axis, keepdims=True)",
        ),
        "torch": (
            "x * torch.sigmoid(weight * x)",
            "g * (s := torch.sigmoid(weight * x)) + (d := aten.sigmoid_backward(g * x, s)) *"
            " weight, (d * x).sum(1 - axis, keepdim=True)",
        ),
        "JAX": ("x * nn.sigmoid(weight * x)",),
    },
}


def gated(activation: str) -> dict[str, Sequence[str]]:
    """f(a)·b, from the expressions of f(x) and g·f'(x)."""
    halves = {"x": "a", "g": "(g * b)"}
    of_halves = {
        library: [re.sub(r"\b[xg]\b", lambda name: halves[name[0]], expression) for expression in by_pass]
        for library, by_pass in EXPRESSIONS[activation].items()
    }
    concatenate = {"NumPy": "np.concatenate", "torch": "torch.cat"}
    return {
        "JAX": (f"(lambda a, b: {of_halves['JAX'][0]} * b)(*jnp.split(x, 2, axis))",),
        **{
            library: (f"{f} * b", f"{join}(({df}, g * {f}), axis)")
            for library, join in concatenate.items()
            for f, df, *_ in [of_halves[library]]
        },
    }


# Both passes of the loss, with g = 1; each library computes the exponentials of both once.
ROWS["softmax_cross_entropy_with_gradient"] = {
    "fastact": ("(*fastact.softmax_cross_entropy_with_gradient(x, labels, axis=axis),)",),
    "NumPy": (
        "-np.take_along_axis((l := special.log_softmax(x, axis)), indices, axis).squeeze(axis),"
        " (p := np.exp(l), np.put_along_axis(p, indices,"
        " np.take_along_axis(p, indices, axis) - 1, axis))[0]",
    ),
    "torch": (
        "-(l := torch.log_softmax(x, axis)).gather(axis, indices).squeeze(axis),"
        " aten._log_softmax_backward_data(torch.zeros_like(x).scatter_(axis, indices, -1), l, axis, x.dtype)",
    ),
    "JAX": (
        "(lambda y, vjp: (y, vjp(jnp.ones_like(y))[0]))"
        f"(*vjp(lambda x: {ROWS['softmax_cross_entropy']['JAX'][0]}, x))",
    ),
}
ROWS |= {unit: gated(activation) for unit, (activation, _) in GATES.items() if unit not in ROWS}


def normed(rows: str, shared: str) -> dict[str, Sequence[str]]:
    """A norm with a mean, from the axis that rows lie along; gamma and beta are shared along the other."""
    forward = (
        f"(x - x.mean({rows}, keepdims=True)) / np.sqrt(x.var({rows}, keepdims=True) + 1e-5) * weight + bias"
    )
    return {
        "NumPy": (
            forward,
            f"(i := 1 / np.sqrt(x.var({rows}, keepdims=True) + 1e-5)) * ((h := g * weight) -"
            f" h.mean({rows}, keepdims=True) - (n := (x - x.mean({rows}, keepdims=True)) * i) *"
            f" (h * n).mean({rows}, keepdims=True)), (g * n).sum({shared}), g.sum({shared})",
        ),
        "JAX": (forward.replace("np.", "jnp."),),
    }


# torch gives the gradients from the statistics of the rows, which it computes first as fastact does.
ROWS |= {
    "layer_norm": normed("axis", "1 - axis")
    | {
        "fastact": (
            "fastact.layer_norm(x, weight.ravel(), bias.ravel(), axis=axis)",
            "(*fastact.layer_norm_backward(x, g, weight.ravel(), axis=axis),)",
        ),
        "torch": (
            "F.layer_norm(x.movedim(axis, 1), x.shape[axis:axis + 1], weight.ravel(), bias.ravel())"
            ".movedim(1, axis)",
            "((d := aten.native_layer_norm_backward(g.movedim(axis, 1), r := x.movedim(axis, 1),"
            " n := x.shape[axis:axis + 1], *aten.native_layer_norm(r, n, w := weight.ravel(), w, 1e-5)[1:],"
            " w, w, [True] * 3))[0].movedim(1, axis), *d[1:])",
        ),
    },
    "rms_norm": {
        "fastact": (
            "fastact.rms_norm(x, weight.ravel(), axis=axis)",
            "(*fastact.rms_norm_backward(x, g, weight.ravel(), axis=axis),)",
        ),
        "NumPy": (
            "x / np.sqrt((x * x).mean(axis, keepdims=True) + 1e-6) * weight",
            "(i := 1 / np.sqrt((x * x).mean(axis, keepdims=True) + 1e-6)) * ((h := g * weight) -"
            " (n := x * i) * (h * n).mean(axis, keepdims=True)), (g * n).sum(1 - axis)",
        ),
        "torch": (
            "F.rms_norm(x.movedim(axis, 1), x.shape[axis:axis + 1], weight.ravel(), 1e-6).movedim(1, axis)",
            "(i := torch.rsqrt(x.square().mean(axis, True) + 1e-6)) * ((h := g * weight) -"
            " (n := x * i) * (h * n).mean(axis, True)), (g * n).sum(1 - axis)",
        ),
        "JAX": ("x / jnp.sqrt((x * x).mean(axis, keepdims=True) + 1e-6) * weight",),
    },
    "batch_norm": normed("1 - axis", "1 - axis")
    | {
        "fastact": (
            "fastact.batch_norm(x, weight.ravel(), bias.ravel(), axis=axis)[0]",
            "(*fastact.batch_norm_backward(x, g, weight.ravel(), axis=axis),)",
        ),
        "torch": (
            "F.batch_norm(x if axis else x[None], None, None, weight.ravel(), bias.ravel(), True, 0)"
            ".view(x.shape)",
            "((d := aten.native_batch_norm_backward(g if axis else g[None], r := x if axis else x[None],"
            " w := weight.ravel(), None, None,"
            " *aten.native_batch_norm(r, w, w, None, None, True, 0, 1e-5)[1:],"
            " True, 1e-5, [True] * 3))[0].view(x.shape), *d[1:])",
        ),
    },
    "batch_norm_inference": {
        "fastact": (
            "fastact.batch_norm_inference("
            "x, bias.ravel(), weight.ravel(), weight.ravel(), bias.ravel(), axis=axis)",
        ),
        "NumPy": ("(x - bias) / np.sqrt(weight + 1e-5) * weight + bias",),
        "torch": (
            "F.batch_norm(x if axis else x[None], bias.ravel(), weight.ravel(), weight.ravel(), bias.ravel())"
            ".view(x.shape)",
        ),
        "JAX": ("(x - bias) / jnp.sqrt(weight + 1e-5) * weight + bias",),
    },
}

# What NumPy users write in place of plain calls; a function that is called otherwise says how fastact's is.
NUMPY = {
    name: by_library["NumPy"]
    for name, by_library in (EXPRESSIONS | ROWS).items()
    if "fastact" not in by_library
}


def by_pass(forward: str, backward: str = "", from_output: str = "") -> dict[str, str]:
    """The expressions by pass.

    A backward expression in y is the pass from the output. The backward pass from x computes that y first, so
    that it is compared with a function that is not given y either.
    """
    if re.search(r"\by\b", backward):
        from_output = backward
        backward = re.sub(r"\by\b", f"(y := {forward})", backward, count=1)
    passes = {"forward": forward, "backward": backward, "from_output": from_output}
    return {name: expression for name, expression in passes.items() if expression}


def gate(activation: str) -> dict[str, Sequence[str]]:
    """The gate f(x)·factor of two arrays; its backward pass gives a pair."""
    written = {}
    for library in "NumPy", "torch", "JAX":
        passes = by_pass(*EXPRESSIONS[activation][library])
        f = passes["forward"]
        df = re.sub(r"\by\b", "of_x", re.sub(r"\bg\b", "(g * factor)", passes.get("backward", "")))
        written[library] = (f"{f} * factor", f"{df}, g * {f}") if df else (f"{f} * factor",)
    call = f"fastact.{activation}_gate"
    return {"fastact": (f"{call}(x, factor)", f"(*{call}_backward(x, factor, g),)"), **written}


ARRAY_GATES = {
    f"{name}_gate": gate(name) for name in ("sigmoid", "relu", "gelu", "gelu_tanh", "quick_gelu", "silu")
}
