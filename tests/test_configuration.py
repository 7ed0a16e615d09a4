"""Every environment variable that the code reads is documented, and nothing else is."""

import re

from tests.environment import ROOT, variables, variables_of


def documented() -> set[str]:
    """Variables with a row of their own in docs/configuration.md."""
    return set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/configuration.md").read_text(), flags=re.MULTILINE))


def exemplified() -> set[str]:
    """Variables with a line in .env.example, set or commented out."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))


def test_every_variable_is_documented() -> None:
    assert variables() - documented() == set()


def test_every_documented_variable_is_read() -> None:
    assert documented() - variables() == set()


def test_the_example_names_the_same_variables() -> None:
    assert exemplified() == documented()


def test_the_reader_sees_every_way_of_reading() -> None:
    source = """
A = env.str("ONE", default="")
B = secret("TWO")
C = os.environ["THREE"]
D = os.environ.get("FOUR") or os.getenv("FIVE")
E = env.db_url("SIX", default=env.str("SEVEN"))
F = other("NOT_READ")
"""
    assert variables_of(source) == {"ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN"}
    assert {"SECRET_KEY", "MASTER_KEYS", "DATABASE_URL", "PORT"} <= variables()


def test_every_row_says_something() -> None:
    rows = re.findall(r"^\| `\w+` \|(.*)\|(.*)\|$", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    assert len(rows) == len(documented())
    assert all(default.strip() and len(meaning.strip()) > 10 for default, meaning in rows)
