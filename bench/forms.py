"""Other forms of expressions: writing into `out`, and as numexpr and numba compile them."""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from fastact.facts.expressions import CONSTANTS

# Expressions that write into `out` by another call than their own.
INTO_OUT = (
    (r"(\w)\.copy\(\)", r"np.copyto(out, \1)"),
    (r"torch\.clone\((\w)\)", r"out.copy_(\1)"),
    (r"np\.zeros_like\(\w\)", "out.fill(0)"),
    (r"torch\.zeros_like\(\w\)", "out.zero_()"),
    (r"\(x >= 0\)\.astype\(x\.dtype\)", "np.greater_equal(x, 0, out=out)"),
    (r"\(x >= 0\)\.to\(x\.dtype\)", "torch.ge(x, 0, out=out)"),
)

# Functions of torch that need more than out= to write into `out`: the names of the overload and of the
# parameter, by the name of the function.
TORCH_INTO_OUT = (
    (r"aten\._softmax_backward_data", "aten._softmax_backward_data.out", "grad_input"),
    (r"aten\._log_softmax_backward_data", "aten._log_softmax_backward_data.out", "out"),
    (r"F\.(\w+)", r"aten.\1.out", "out"),
    (r"aten\.(\w+)", r"aten.\1.grad_input", "grad_input"),
)

# The names of the same operation in NumPy, torch and Python.
OPERATIONS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}

# The elementwise functions in NumPy's expressions, and how to write those of a, b, c that a compiler knows by
# another name.
ELEMENTWISE = frozenset(
    f"np.{name}" for name in ("abs", "clip", "exp", "expm1", "log1p", "maximum", "sqrt", "tanh", "where")
)
NUMEXPR = {name: f"{name[3:]}(a)" for name in ELEMENTWISE} | {
    "np.clip": "where(a < b, b, where(a > c, c, a))",
    "np.maximum": "where(a > b, a, b)",
    "np.where": "where(a, b, c)",
}
NUMBA = {name: f"{name}(a)" for name in ELEMENTWISE} | {
    "erf": "erf(a)",
    "np.clip": "min(max(a, b), c)",
    "np.maximum": "max(a, b)",
    "np.where": "(b if a else c)",
}


def into_out(expression: str, module: str = "np") -> str | None:
    """Return the expression with its last operation writing into `out`, if that operation can do so."""
    for pattern, into in INTO_OUT:
        if found := re.fullmatch(pattern, expression):
            return found.expand(into)
    match ast.parse(expression, mode="eval").body:
        case ast.Call(func=ast.Name() | ast.Attribute(value=ast.Name()) as func, args=[_, *_]):
            name = ast.unparse(func)
            arguments = expression.removeprefix(f"{name}(")[:-1]
            for pattern, overload, parameter in TORCH_INTO_OUT:
                if found := re.fullmatch(pattern, name):
                    return f"{found.expand(overload)}({arguments}, {parameter}=out)"
            return f"{name}({arguments}, out=out)"
        case ast.BinOp(left, operator, right) if operation := OPERATIONS.get(type(operator)):
            return f"{module}.{operation}({ast.unparse(left)}, {ast.unparse(right)}, out=out)"
    return None


class Elements(ast.NodeTransformer):
    """Rewrites a NumPy expression of elementwise operations; raises LookupError for other operations."""

    def __init__(self, functions: Mapping[str, str], constant: Callable[[float], str]) -> None:
        self.functions, self.constant = functions, constant
        self.variables: dict[str, ast.expr] = {}  # what := names

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and names(node) <= CONSTANTS.keys():
            value = eval(ast.unparse(node), dict(CONSTANTS))
            return ast.parse(self.constant(value), mode="eval").body
        return super().visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        self.variables[node.target.id] = self.visit(node.value)
        return node.target

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):  # x ** 2 is a product while 2 is an integer
            node.right = self.visit(node.right)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        raise LookupError(ast.unparse(node))

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        raise LookupError(ast.unparse(node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        form = self.functions[ast.unparse(node.func)]
        arguments = dict(zip("abc", map(self.visit, node.args), strict=False))
        rewritten: ast.expr = Arguments(arguments).visit(ast.parse(form, mode="eval").body)
        return rewritten


class Arguments(ast.NodeTransformer):
    """Replaces names by expressions."""

    def __init__(self, arguments: Mapping[str, ast.expr]) -> None:
        self.arguments = arguments

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.arguments.get(node.id, node)


def names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def elementwise(
    expression: str, functions: Mapping[str, str], constant: Callable[[float], str]
) -> tuple[dict[str, str], list[str], str]:
    """Variables, what is computed from them, and how that is joined; for a compiler that knows these
    functions and writes numbers so."""
    tree = ast.parse(expression, mode="eval").body
    elements, joined = [tree], "{}"
    match tree:
        case ast.Call(func=ast.Attribute(attr="concatenate"), args=[ast.Tuple(halves), axis]):
            elements, joined = halves, f"np.concatenate(({{}}, {{}}), {ast.unparse(axis)})"
    rewriting = Elements(functions, constant)
    results = [ast.unparse(rewriting.visit(element)) for element in elements]
    variables = {name: ast.unparse(value) for name, value in rewriting.variables.items()}
    return variables, results, joined
