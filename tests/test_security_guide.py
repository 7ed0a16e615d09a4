"""docs/security.md says what is checked: nothing is missing, and nothing is said that is not so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.environment import PACKAGES, ROOT

GUIDE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def made() -> Iterator[tuple[str, str]]:
    """The id of each message that a check of ours can give, and whether it is given on deployment alone."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "CheckMessage" not in source:
                continue
            for node in ast.parse(source).body:
                if isinstance(node, ast.FunctionDef):
                    marks = " ".join(map(ast.unparse, node.decorator_list))
                    if "register(" in marks:
                        when = "deploy" if "deploy=True" in marks else "always"
                        for identifier in re.findall(r"id='(\w+\.[EW]\d+)'", ast.unparse(node)):
                            yield identifier, when


def test_the_table_has_every_check_and_when_it_is_made() -> None:
    told = re.findall(r"^\| `(\w+\.[EW]\d+)` \| (\w+) \| \S.*\|$", GUIDE, re.MULTILINE)
    assert sorted(told) == sorted(set(made()))
