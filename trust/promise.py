"""A promise: its words, the exceptions that limit them, and the mechanism; and how these three are shown together.

Words and exceptions are translated when they are read; names of files and tests are not.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from privacy.retention import PERIODS, Words


@dataclass(frozen=True)
class Promise:
    """A promise; ``files`` are paths in the repository, ``tests`` are pytest's names of tests.

    Words and exceptions may name a period of ``privacy/retention.py``, as ``{source}``.
    """

    name: str
    words: Words
    exceptions: tuple[Words, ...]
    files: tuple[str, ...]
    tests: tuple[str, ...]


def markdown(promise: Promise) -> str:
    """The promise as Markdown: the words, its exceptions, and how it is kept."""
    periods = {name: period.words for name, period in PERIODS.items()}
    lines = [f"> **{str(promise.words).format_map(periods)}**", ">"]
    for exception in promise.exceptions:
        lines.append("> * " + _("Exception: {said}").format(said=str(exception).format_map(periods)))
    if not promise.exceptions:
        lines.append("> * " + _("Exceptions: none that we know of."))
    lines.append("> * " + _("How: {files}").format(files=", ".join(f"`{file}`" for file in promise.files)))
    lines.append("> * " + _("Tested by {tests}").format(tests=", ".join(f"`{test}`" for test in promise.tests)))
    return "\n".join(lines)
