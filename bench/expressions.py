"""How a user of each library writes each function, as data."""

import re
from collections.abc import Sequence

from fastact._expressions import NUMPY

# How a user of each library writes an activation, by pass, from input x, upstream gradient g and output y.
# torch's backward operations are those its autograd calls. For sigmoid, tanh, tanh_shrink and exponential
# they take y, which autograd keeps from the forward pass: they meet fastact's backward from x as well as that
# from y. JAX has its vjp. torch asks for prelu's parameter as an array, weight.
EXPRESSIONS: dict[str, dict[str, Sequence[str]]] = {
    "identity": {
        "torch": ("torch.clone(x)", "torch.clone(g)"),
        "JAX": ("jnp.copy(x)",),
    },
    "binary_step": {
        "torch": ("(x >= 0).to(x.dtype)", "torch.zeros_like(x)"),
        "JAX": ("jnp.heaviside(x, 1)",),
    },
    "relu": {
        "torch": ("F.relu(x)", "aten.threshold_backward(g, x, 0)", "aten.threshold_backward(g, y, 0)"),
        "JAX": ("nn.relu(x)",),
    },
    "relu6": {
        "torch": ("F.relu6(x)", "aten.hardtanh_backward(g, x, 0, 6)"),
        "JAX": ("nn.relu6(x)",),
    },
    "relu_squared": {
        "torch": ("F.relu(x).square()", "2 * g * F.relu(x)"),
        "JAX": ("nn.relu(x) ** 2",),
    },
    "leaky_relu": {
        "torch": ("F.leaky_relu(x)", "aten.leaky_relu_backward(g, x, 0.01, False)"),
        "JAX": ("nn.leaky_relu(x)",),
    },
    "prelu": {
        "torch": ("F.prelu(x, weight)",),
        "JAX": ("jnp.where(x > 0, x, 0.25 * x)",),
    },
    "threshold": {
        "torch": ("F.threshold(x, 0, 0)", "aten.threshold_backward(g, x, 0)"),
        "JAX": ("jnp.where(x > 0, x, 0)",),
    },
    "sigmoid": {
        "torch": ("torch.sigmoid(x)", "aten.sigmoid_backward(g, y)", "aten.sigmoid_backward(g, y)"),
        "JAX": ("nn.sigmoid(x)",),
    },
    "log_sigmoid": {
        "torch": ("F.logsigmoid(x)", "g * torch.sigmoid(-x)"),
        "JAX": ("nn.log_sigmoid(x)",),
    },
    "hard_sigmoid": {
        "torch": ("F.hardsigmoid(x)", "aten.hardsigmoid_backward(g, x)"),
        "JAX": ("nn.hard_sigmoid(x)",),
    },
    "tanh": {
        "torch": ("torch.tanh(x)", "aten.tanh_backward(g, y)", "aten.tanh_backward(g, y)"),
        "JAX": ("jnp.tanh(x)",),
    },
    "tanh_shrink": {
        "torch": ("F.tanhshrink(x)", "g - aten.tanh_backward(g, x - y)"),
        "JAX": ("x - jnp.tanh(x)",),
    },
    "hard_tanh": {
        "torch": ("F.hardtanh(x)", "aten.hardtanh_backward(g, x, -1, 1)"),
        "JAX": ("nn.hard_tanh(x)",),
    },
    "softsign": {
        "torch": ("F.softsign(x)", "g / (1 + x.abs()).square()"),
        "JAX": ("nn.soft_sign(x)",),
    },
    "elu": {
        "torch": (
            "F.elu(x)",
            "aten.elu_backward(g, 1, 1, 1, False, x)",
            "aten.elu_backward(g, 1, 1, 1, True, y)",
        ),
        "JAX": ("nn.elu(x)",),
    },
    "celu": {
        "torch": ("F.celu(x)", "aten.elu_backward(g, 1, 1, 1, False, x)"),
        "JAX": ("nn.celu(x)",),
    },
    "selu": {
        "torch": (
            "torch.selu(x)",
            "aten.elu_backward(g, alpha, scale, 1, False, x)",
            "aten.elu_backward(g, alpha, scale, 1, True, y)",
        ),
        "JAX": ("nn.selu(x)",),
    },
    "exponential": {
        "torch": ("torch.exp(x)", "g * y", "g * y"),
        "JAX": ("jnp.exp(x)",),
    },
    "softplus": {
        "torch": ("F.softplus(x)", "aten.softplus_backward(g, x, 1, 20)"),
        "JAX": ("nn.softplus(x)",),
    },
    "squareplus": {
        "torch": ("(x + torch.sqrt(x * x + 4)) / 2", "g * (1 + x / torch.sqrt(x * x + 4)) / 2"),
        "JAX": ("nn.squareplus(x)",),
    },
    "silu": {
        "torch": ("F.silu(x)", "aten.silu_backward(g, x)"),
        "JAX": ("nn.silu(x)",),
    },
    "swish": {
        "torch": ("F.silu(x)",),
        "JAX": ("nn.swish(x)",),
    },
    "quick_gelu": {
        "torch": ("x * torch.sigmoid(1.702 * x)", "aten.silu_backward(g, 1.702 * x)"),
        "JAX": ("x * nn.sigmoid(1.702 * x)",),
    },
    "hard_swish": {
        "torch": ("F.hardswish(x)", "aten.hardswish_backward(g, x)"),
        "JAX": ("nn.hard_swish(x)",),
    },
    "gelu": {
        "torch": ("F.gelu(x)", "aten.gelu_backward(g, x)"),
        "JAX": ("nn.gelu(x, approximate=False)",),
    },
    "gelu_tanh": {
        "torch": ("F.gelu(x, approximate='tanh')", "aten.gelu_backward(g, x, approximate='tanh')"),
        "JAX": ("nn.gelu(x, approximate=True)",),
    },
    "mish": {
        "torch": ("F.mish(x)", "aten.mish_backward(g, x)"),
        "JAX": ("nn.mish(x)",),
    },
    "hard_shrink": {
        "torch": ("F.hardshrink(x)", "aten.hardshrink_backward(g, x, 0.5)"),
        "JAX": ("jnp.where(jnp.abs(x) > 0.5, x, 0)",),
    },
    "soft_shrink": {
        "torch": ("F.softshrink(x)", "aten.softshrink_backward(g, x, 0.5)"),
        "JAX": ("x - jnp.clip(x, -0.5, 0.5)",),
    },
}

# Likewise functions of rows, which lie along `axis` of a matrix; functions of the halves a and b of a row;
# and activations with a learnable weight for each index along `axis`, whose backward pass gives a pair. A
# label is where its row is largest; indices are the labels in as many dimensions as x has. `kept` is what
# else autograd keeps from the forward pass.
ROWS: dict[str, dict[str, Sequence[str]]] = {
    "softmax": {
        "torch": ("torch.softmax(x, axis)", *["aten._softmax_backward_data(g, y, axis, x.dtype)"] * 2),
        "JAX": ("nn.softmax(x, axis)",),
    },
    "log_softmax": {
        "torch": (
            "torch.log_softmax(x, axis)",
            *["aten._log_softmax_backward_data(g, y, axis, x.dtype)"] * 2,
        ),
        "JAX": ("nn.log_softmax(x, axis)",),
    },
    "logsumexp": {
        "torch": ("torch.logsumexp(x, axis)", "g.unsqueeze(axis) * torch.exp(x - y.unsqueeze(axis))"),
        "JAX": ("nn.logsumexp(x, axis)",),
    },
    "softmax_cross_entropy": {
        "kept": ("fastact.log_softmax(x, axis=axis)",),
        "fastact": (
            "fastact.softmax_cross_entropy(x, labels, axis=axis)",
            "fastact.softmax_cross_entropy_backward(x, labels, g, axis=axis)",
        ),
        "NumPy": (
            "special.logsumexp(x, axis) - np.take_along_axis(x, indices, axis).squeeze(axis)",
            "(p := np.exp(kept), np.put_along_axis(p, indices, np.expand_dims(np.expm1(-y), axis), axis),"
            " p * np.expand_dims(g, axis))[2]",
        ),
        "torch": (
            "F.cross_entropy(x, labels, reduction='none') if axis"
            " else F.cross_entropy(x[None], labels[None], reduction='none')[0]",
            "aten._log_softmax_backward_data("
            "torch.zeros_like(x).scatter_(axis, indices, -g.unsqueeze(axis)), kept, axis, x.dtype)",
        ),
        "JAX": ("-jnp.take_along_axis(nn.log_softmax(x, axis), indices, axis).squeeze(axis)",),
    },
    "maxout": {
        "torch": (
            "torch.amax(x, axis)",
            "aten.value_selecting_reduction_backward(g, axis, labels, x.shape, False)",
        ),
        "JAX": ("jnp.max(x, axis)",),
    },
    "glu": {
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
        "kept": ("fastact.sigmoid(weight * x)",),
        "fastact": ("fastact.swish(x, weight)", "(*fastact.swish_backward(x, g, weight),)"),
        "NumPy": (
            "x / (1 + np.exp(-weight * x))",
            "g * kept + (d := g * x * kept * (1 - kept)) * weight, (d * x).sum(1 - axis, keepdims=True)",
        ),
        "torch": (
            "x * torch.sigmoid(weight * x)",
            "g * kept + (d := aten.sigmoid_backward(g * x, kept)) * weight,"
            " (d * x).sum(1 - axis, keepdim=True)",
        ),
        "JAX": ("x * nn.sigmoid(weight * x)",),
    },
}


for function, written in NUMPY.items():
    (EXPRESSIONS | ROWS)[function]["NumPy"] = written


def gated(activation: str) -> dict[str, Sequence[str]]:
    """f(a)·b, from the expressions of f(x) and g·f'(x)."""
    halves = {"x": "a", "g": "(g * b)"}
    of_halves = {
        library: [re.sub(r"\b[xg]\b", lambda name: halves[name[0]], expression) for expression in by_pass]
        for library, by_pass in EXPRESSIONS[activation].items()
    }
    concatenate = {"NumPy": "np.concatenate", "torch": "torch.cat"}
    return {
        "kept": (f"fastact.{activation}(a)",),
        "JAX": (f"(lambda a, b: {of_halves['JAX'][0]} * b)(*jnp.split(x, 2, axis))",),
        **{
            library: (f"{of_halves[library][0]} * b", f"{join}(({of_halves[library][1]}, g * kept), axis)")
            for library, join in concatenate.items()
        },
    }


ROWS |= {"reglu": gated("relu"), "geglu": gated("gelu"), "swiglu": gated("silu")}
