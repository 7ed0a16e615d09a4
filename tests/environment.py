"""Which environment variables the code reads, and an environment without them for processes that tests start."""

import ast
import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("modelmyimage", "guides", "trust", "generation", "billing", "accounts", "privacy", "observe", "sandbox")
# Set by the entry points themselves; nobody configures it.
OWN = {"DJANGO_SETTINGS_MODULE"}


def name_read(node: ast.AST) -> str | None:
    """The variable that an expression reads, when it reads one by a literal name."""
    if isinstance(node, ast.Subscript):
        return literal(node.slice) if ast.unparse(node.value) == "os.environ" else None
    if isinstance(node, ast.Call) and node.args:
        function = ast.unparse(node.func)
        if function.startswith("env.") or function in {"secret", "os.environ.get", "os.getenv", "Variable"}:
            return literal(node.args[0])
    return None


def literal(node: ast.AST) -> str | None:
    """The text of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def variables_of(source: str) -> set[str]:
    """Every environment variable that a Python source reads."""
    return {name for name in map(name_read, ast.walk(ast.parse(source))) if name} - OWN


@cache
def variables() -> frozenset[str]:
    """Every environment variable that our packages read."""
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return frozenset(name for file in files for name in variables_of(file.read_text()))


def bare() -> dict[str, str]:
    """This process's environment without anything that configures the site."""
    return {name: value for name, value in os.environ.items() if name not in variables() | OWN}
