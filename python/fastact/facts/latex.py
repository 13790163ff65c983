"""LaTeX of the documentation's formulas, which are Python except for signs such as ·, ², √ and |x|."""

import ast
import re

_PYTHON = (
    (r"·", "*"),
    (r"²", "**2"),
    (r"³", "**3"),
    (r"√(\w)", r"√(\1)"),
    (r"√", "sqrt"),
    (r"\|(\w+)\|", r"abs(\1)"),
    (r" = ", " == "),
    (r"(\w)'", r"\1_prime"),
)
_NAMES = {
    "alpha": r"\alpha",
    "beta": r"\beta",
    "lambd": r"\lambda",
    "α": r"\alpha",
    "λ": r"\lambda",
    "π": r"\pi",
    "σ": r"\sigma",
    "Φ": r"\Phi",
    "φ": r"\varphi",
    "erf": r"\operatorname{erf}",
} | {name: rf"\{name}" for name in ("cosh", "log", "max", "min", "tanh")}
_SIGNS = {
    ast.Add: " + ",
    ast.Sub: " - ",
    ast.USub: "-",
    ast.Eq: " = ",
    ast.Lt: " < ",
    ast.LtE: r" \le ",
    ast.Gt: " > ",
    ast.GtE: r" \ge ",
}


def _parenthesised(text: str) -> str:
    is_tall = re.search(r"\\(frac|sqrt|begin)", text)
    return rf"\left({text}\right)" if is_tall else f"({text})"


class _Writer(ast.NodeVisitor):
    """Writes each node of an expression."""

    def visit(self, node: ast.AST) -> str:
        return str(super().visit(node))

    def factor(self, node: ast.expr) -> str:
        """The node, in parentheses if it is a sum."""
        written = self.visit(node)
        is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
        return _parenthesised(written) if is_sum else written

    def visit_Constant(self, node: ast.Constant) -> str:
        return repr(node.value)

    def visit_Name(self, node: ast.Name) -> str:
        name = node.id.removesuffix("_prime")
        written = _NAMES.get(name, name if len(name) == 1 else rf"\mathit{{{name}}}".replace("_", r"\_"))
        return written + "'" * (name != node.id)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> str:
        return _SIGNS[type(node.op)] + self.factor(node.operand)

    def visit_BinOp(self, node: ast.BinOp) -> str:
        left, right = node.left, node.right
        match node.op:
            case ast.Div():
                return rf"\frac{{{self.visit(left)}}}{{{self.visit(right)}}}"
            case ast.Pow():
                return f"{self.factor(left)}^{self.visit(right)}"
            case ast.Mult():
                return rf"{self.factor(left)} \, {self.factor(right)}"
        return self.visit(left) + _SIGNS[type(node.op)] + self.factor(right)

    def visit_Compare(self, node: ast.Compare) -> str:
        signs = (_SIGNS[type(operator)] for operator in node.ops)
        rest = (sign + self.visit(term) for sign, term in zip(signs, node.comparators, strict=True))
        return self.visit(node.left) + "".join(rest)

    def visit_IfExp(self, node: ast.IfExp) -> str:
        rows: list[str] = []
        otherwise: ast.expr = node
        while isinstance(otherwise, ast.IfExp):
            rows.append(f"{self.visit(otherwise.body)} & {self.visit(otherwise.test)}")
            otherwise = otherwise.orelse
        rows.append(rf"{self.visit(otherwise)} & \text{{otherwise}}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def visit_Call(self, node: ast.Call) -> str:
        arguments = ", ".join(map(self.visit, node.args))
        forms = {"exp": "e^{%s}", "sqrt": r"\sqrt{%s}", "abs": "|%s|"}
        if form := forms.get(ast.unparse(node.func)):
            return form % arguments
        return self.visit(node.func) + _parenthesised(arguments)

    def visit_Tuple(self, node: ast.Tuple) -> str:
        return r", \quad ".join(map(self.visit, node.elts))


def latex(formula: str) -> str:
    """Return the LaTeX of a formula and of the definitions that follow it."""
    for sign, python in _PYTHON:
        formula = re.sub(sign, python, formula)
    return _Writer().visit(ast.parse(formula, mode="eval").body)
