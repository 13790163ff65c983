"""Differentiate 3x² at 5, then every activation over [-6, 6], as with a gradient tape."""

import autograd
import autograd.numpy as anp
import fastact
import fastact.autograd  # teaches autograd the derivatives of fastact's functions
import numpy as np
from fastact.functions.registry import ELEMENTWISE, FORWARD


def main() -> None:
    print(f"d/dx 3x² at 5: {autograd.grad(lambda x: 3 * x**2)(5.0)}\n")

    x = np.linspace(-6, 6, 241)
    titles = "f(1)", "f′(1)", "f″(1)", "least f′", "at", "largest f′"
    print(" " * 14, *(f"{title:>10}" for title in titles))
    for f in ELEMENTWISE:
        if f.suffix != FORWARD:
            continue
        slope = autograd.elementwise_grad(f)
        values = slope(x)
        curvature = autograd.elementwise_grad(slope)(1.0)
        row = f(1.0), slope(1.0), curvature, values.min(), x[values.argmin()], values.max()
        print(f"{f.name:14}", *(f"{number:10.5f}" for number in row))

    # Parameters are differentiated like arrays, and so is a whole loss that calls fastact.
    print("\nd/dβ Σ swish(x, β) at 1:", autograd.grad(lambda beta: anp.sum(fastact.swish(x, beta)))(1.0))
    logits = np.array([2.0, 1.0, -1.0])
    curvature = autograd.hessian(lambda z: fastact.softmax_cross_entropy(z, 0))(logits)
    print(f"\nHessian of the cross-entropy at {logits}:\n{curvature}")


if __name__ == "__main__":
    main()
