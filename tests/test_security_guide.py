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
                        for identifier in re.findall(r"id='(\w+\.[EWI]\d+)'", ast.unparse(node)):
                            yield identifier, when


def test_the_table_has_every_check_and_when_it_is_made() -> None:
    told = re.findall(r"^\| `(\w+\.[EWI]\d+)` \| (\w+) \| \S.*\|$", GUIDE, re.MULTILINE)
    assert sorted(told) == sorted(set(made()))


ASKED = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 5.1:1
5.2:6 5.3:3 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1
8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3
12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3
17.1:1 17.2:4 17.3:2
"""
"""How many requirements of each section of ASVS 5.0 are of levels 1 and 2; in chapter 5, of level 3 as well."""
MORE = {"14.2.7", "14.2.8"}
"""Of level 3, about what is in files and how long it stays."""


def test_the_table_of_asvs_has_each_number_once_and_says_by_what() -> None:
    parts = [part.split(":") for part in ASKED.split()]
    order = [f"{section}.{number}" for section, count in parts for number in range(1, int(count) + 1)]
    told: list[str] = []
    row = r"^\| (\d+\.\d+\.\d+)(?:–(\d+\.\d+\.\d+))?( \(L3\))? \| (\S.*) \| (yes|–) \| (\S.*) \|$"
    for first, last, _level, _asks, met, _by in re.findall(row, GUIDE, re.MULTILINE):
        if first in MORE:
            told.append(first)
            continue
        told += order[order.index(first) : order.index(last or first) + 1]
        assert met
    assert sorted(told) == sorted([*order, *MORE])


def test_every_path_that_a_guide_names_is_there() -> None:
    for name in ("security.md", "incidents.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        paths = re.findall(r"`((?:[\w-]+/)+[\w.-]+|[\w-]+\.(?:md|json))`", text)
        assert len(paths) > (100 if name == "security.md" else 0)
        missing = {path for path in paths if not (ROOT / path).exists() and not (ROOT / "docs" / path).exists()}
        assert missing == set(), name
