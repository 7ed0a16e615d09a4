"""Whether a translation is built as its English text: what is not words has to be the same.

Compared are, section by section: the rank of headings; how many paragraphs, list items, table cells and quotes there
are; pieces of code; where links and pictures lead (as seen from each file); and the names and conditions that a program
fills in. Words to choose from (``pluralize``) and words in quotes within ``firstof`` belong to the language.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field

from markdown_it.token import Token

from trust import markdown

_TAG = re.compile(r"{%.*?%}|{{.*?}}")
_OF_THE_LANGUAGE = re.compile(r"{{[^}]*\|pluralize.*?}}")
_QUOTED = re.compile(r'"[^"]*"')
_BLOCKS = {"paragraph_open", "list_item_open", "td_open", "th_open", "blockquote_open"}


@dataclass
class Section:
    """A heading, its rank and what stands below it, each with how often: ``link photos.md``, ``code make run``."""

    heading: str
    rank: str
    parts: Counter[str] = field(default_factory=Counter)


def differences(english: str, translation: str, *, language: str, folder: str) -> list[str]:
    """What a translation lacks or has too much, as sentences; ``folder`` is the English file's, in the project."""
    theirs = sections(translation, posixpath.join(folder, language), language)
    ours = sections(english, folder, language)
    if [one.rank for one in ours] != [one.rank for one in theirs]:
        ranks = [" ".join(one.rank for one in found) for found in (ours, theirs)]
        return [f"headings: {ranks[0]} in English, {ranks[1]} here"]
    found = []
    for our, their in zip(ours, theirs, strict=True):
        lacks, excess = our.parts - their.parts, their.parts - our.parts
        found += [f"{our.heading}: lacks {part} ({times})" for part, times in lacks.items()]
        found += [f"{our.heading}: has {part} ({times}), which the English does not" for part, times in excess.items()]
    return found


def sections(text: str, folder: str, language: str) -> list[Section]:
    """A text by its headings; what stands before the first is a section without a rank."""
    found = [Section("(beginning)", "")]
    for line in text.splitlines():
        # By the source's lines: tags are in no block of Markdown.
        if rank := re.match(r"(?:{%.*?%})*(#+) (.*)", line):
            found.append(Section(rank[2], rank[1]))
        found[-1].parts.update(_tags(line))
    place = 0
    for token in markdown.tokens(_without_tags(text)):
        if token.type == "heading_open":
            place += 1
        _note(token, found[min(place, len(found) - 1)].parts, folder, language)
    return found


def _tags(line: str) -> list[str]:
    kept = [tag for tag in _TAG.findall(line) if not _OF_THE_LANGUAGE.fullmatch(tag)]
    return [f"`{_QUOTED.sub('“…”', tag) if 'firstof' in tag else tag}`" for tag in kept]


def _without_tags(text: str) -> str:
    """What is left where tags are filled in: conditions are nothing, a value is a word."""
    return re.sub(r"{{\s*(.*?)\s*}}", lambda value: re.sub(r"\W+", "-", value[1]), re.sub(r"{%.*?%}", "", text))


def _note(token: Token, parts: Counter[str], folder: str, language: str) -> None:
    if token.type in _BLOCKS:
        parts[token.type.removesuffix("_open").replace("_", " ")] += 1
    elif token.type in {"fence", "code_block"}:
        parts[f"code {' '.join(token.content.split())}"] += 1
    for child in token.children or ():
        if child.type == "code_inline":
            parts[f"code {child.content}"] += 1
        elif child.type == "link_open":
            parts[f"link {_seen(str(child.attrGet('href')), folder, language)}"] += 1
        elif child.type == "image":
            parts[f"picture {_seen(str(child.attrGet('src')), folder, language)}"] += 1


def _seen(target: str, folder: str, language: str) -> str:
    """A file that is linked to, from the project's folder; a translation counts as its English file."""
    path, mark, fragment = target.partition("#")
    if "." not in path or ":" in path or path.startswith("/"):
        return target  # a page, or a value that is filled in
    seen = posixpath.normpath(posixpath.join(folder, path))
    return (seen.replace(f"docs/{language}/", "docs/", 1) if seen.endswith(".md") else seen) + mark + fragment
