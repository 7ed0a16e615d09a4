"""A bar on a terminal, plain lines anywhere else; results go to standard output alone."""

from __future__ import annotations

import io
from typing import Any

import pytest

from modelmyimage.cli.progress import Progress
from modelmyimage.shapes import Job, _made
from tests.conftest import job


class Terminal(io.StringIO):
    """One that says that it is one."""

    def isatty(self) -> bool:
        """It is."""
        return True


def at(percent: int, **more: Any) -> Job:
    found: Job = _made(Job, job(percent=percent, **more))
    return found


def test_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    progress = Progress(2, terminal)
    progress.job("1", "cup.jpg", at(50))
    progress.job("2", "cup.jpg", at(100))
    progress.note("not shown")
    assert terminal.getvalue().split("\r\x1b[K") == [
        "", f"[{'#' * 6}{'-' * 18}]  25%  0 of 2  cup.jpg", f"[{'#' * 18}{'-' * 6}]  75%  1 of 2  cup.jpg",
    ]  # fmt: skip
    progress.result("cup.glb")
    assert capsys.readouterr().out == "cup.glb\n"


def test_lines() -> None:
    stream = io.StringIO()
    progress = Progress(1, stream)
    waiting = {"code": "busy", "message": "It waits."}
    for percent in (10, 20):
        progress.job("1", "cup.jpg", at(percent, waiting=waiting))
    progress.job("1", "cup.jpg", at(50))
    progress.note("cup.jpg: sent")
    progress.finished("1", "cup.jpg")
    progress.close()
    assert stream.getvalue() == "cup.jpg: It waits.\ncup.jpg: sent\n"
