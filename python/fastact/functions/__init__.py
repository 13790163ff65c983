"""The functions that the package exports, and the activations that `fastact.get` returns."""
