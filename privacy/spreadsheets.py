"""Text that somebody else wrote cannot begin a formula when a table is opened in a spreadsheet."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of one; the wide forms where people type with them."""


def harmless(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet might run it."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULAS) else text
