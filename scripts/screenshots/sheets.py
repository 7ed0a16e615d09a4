"""Contact sheets: one a group, a row a page, the four pictures of a page side by side, each with its name above it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from scripts.screenshots.camera import SCHEMES, SCREENS, Shot

WIDTHS: Final = {"wide": 600, "phone": 240}
"""Of a thumbnail, in pixels."""
TALLEST: Final = 760
"""Of a thumbnail; what is below is in the picture itself."""
GAP, LINE, LETTERS = 14, 22, 15
GROUND, INK, RULE = "#e9edea", "#10201a", "#b9c6bf"


def write(shots: list[Shot], out: Path) -> Path:
    """A sheet for each group beside the pictures, and ``index.html``, which is returned."""
    sheets = []
    for group, members in groupby(shots, lambda shot: shot.group):
        found = list(members)
        sheet = out / f"sheet-{group.replace(' ', '-')}.png"
        _sheet(_rows(found)).save(sheet)
        sheets.append((group, sheet, found))
    index = out / "index.html"
    index.write_text(_index(sheets))
    return index


def _rows(shots: list[Shot]) -> list[list[Shot]]:
    """The pictures of one page together, as they were taken."""
    order = [f"{screen} {scheme}" for screen in SCREENS for scheme in SCHEMES]
    rows: dict[str, list[Shot]] = {}
    for shot in shots:
        rows.setdefault(shot.file.name.split("-")[0] + shot.label, []).append(shot)
    return [sorted(row, key=lambda shot: order.index(f"{shot.screen} {shot.scheme}")) for row in rows.values()]


def _sheet(rows: list[list[Shot]]) -> Image.Image:
    """The rows under one another."""
    drawn = [_row(row) for row in rows]
    sheet = Image.new("RGB", (max(row.width for row in drawn), sum(row.height for row in drawn)), GROUND)
    top = 0
    for row in drawn:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _row(shots: Iterable[Shot]) -> Image.Image:
    """The pictures of one page side by side."""
    font = ImageFont.load_default(size=LETTERS)
    thumbs = [(shot, _thumb(shot)) for shot in shots]
    width = sum(thumb.width + GAP for _, thumb in thumbs) + GAP
    row = Image.new("RGB", (width, max(thumb.height for _, thumb in thumbs) + 2 * LINE + 2 * GAP), GROUND)
    pen, left = ImageDraw.Draw(row), GAP
    pen.text((GAP, GAP // 2), thumbs[0][0].label, fill=INK, font=font)
    for shot, thumb in thumbs:
        size = SCREENS[shot.screen]["viewport"]["width"]
        pen.text((left, GAP // 2 + LINE), f"{size} {shot.scheme}", fill=INK, font=font)
        row.paste(thumb, (left, 2 * LINE + GAP))
        pen.rectangle((left, 2 * LINE + GAP, left + thumb.width - 1, 2 * LINE + GAP + thumb.height - 1), outline=RULE)
        left += thumb.width + GAP
    return row


def _thumb(shot: Shot) -> Image.Image:
    """A picture made small, and cut off where it is long."""
    width = WIDTHS[shot.screen]
    with Image.open(shot.file) as picture:
        seen = picture.crop((0, 0, picture.width, min(picture.height, TALLEST * picture.width // width)))
        return seen.convert("RGB").resize((width, max(1, seen.height * width // seen.width)), Image.Resampling.LANCZOS)


def _index(sheets: list[tuple[str, Path, list[Shot]]]) -> str:
    """A page with every sheet, and every picture by name."""
    parts = ['<!doctype html><html lang="en-gb"><meta charset="utf-8"><title>Pages of ModelMyImage</title>']
    for group, sheet, shots in sheets:
        parts.append(f'<h2>{escape(group)}</h2><p><a href="{sheet.name}"><img src="{sheet.name}" width="1200"></a></p>')
        names = (
            f'<li><a href="{shot.file.name}">{escape(shot.label)}, {shot.screen}, {shot.scheme}</a>' for shot in shots
        )
        parts.append(f"<details><summary>Each picture</summary><ul>{''.join(names)}</ul></details>")
    return "\n".join(parts)
