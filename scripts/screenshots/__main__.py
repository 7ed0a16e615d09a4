"""``make screenshots``: starts a site of its own, fills it, and writes a picture of every page, with contact sheets.

``python -m scripts.screenshots [OUT]`` (``var/screenshots``). Nothing of the site is left; the folder's older pictures
are replaced. Ends with code 1 and their names when addresses have no place in ``pages.py``, or pages are not what it
says.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parents[2]
CONFIGURED = {
    "GRANT_CREDITS": "20",
    "OPERATOR_NAME": "Example",
    "OPERATOR_ADDRESS": "1 Street, Town",
    "CONTACT_EMAIL": "hello@models.example",
    "PRIVACY_CONTACT": "privacy@models.example",
}
"""What an operator would have said; pages that ask for it show more then."""
LINK = re.compile(r"^\s*(https?://[^/\s]+)/in/\S+\s*$")


class Failed(Exception):
    """There is no picture of every page; the message says why."""


@contextmanager
def site(state: Path) -> Iterator[str]:
    """A site like ``make run``'s on a folder of its own; its address."""
    environment = {**os.environ, "STATE_DIR": str(state), "PORT": "0", **CONFIGURED}
    with subprocess.Popen(
        [sys.executable, "-m", "modelmyimage.local"],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        try:
            found = next(filter(None, map(LINK.match, running.stdout)), None)
            if found is None:
                raise Failed("The site did not start.")
            os.environ.update(STATE_DIR=str(state), MODE="local", SITE_URL=found[1], **CONFIGURED)
            yield found[1].replace("127.0.0.1", "localhost")  # at an address in numbers, browsers make no passkeys
        finally:
            running.terminate()


def chromium() -> str:
    """The browser that is used. Raises ``Failed``."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise Failed("There is no Chromium. Name one with CHROMIUM=…")
    return found


def letters(state: Path) -> dict[str, str]:
    """What was mailed in HTML, by subject."""
    found = {}
    for file in (state / "mail").glob("*.log"):
        for part in re.split(rb"^-{79}\n", file.read_bytes(), flags=re.MULTILINE):
            mail = message_from_bytes(part, policy=policy.default)
            body = mail.get_body(preferencelist=("html",)) if part.strip() else None
            if body is not None:
                found[str(mail["subject"])] = str(body.get_content())
    return found


def photograph(state: Path, url: str, out: Path) -> list[str]:
    """Fill the site and write its pictures; what was not as it should be."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "modelmyimage.settings"
    django.setup()
    from sandbox import mailbox
    from scripts.screenshots import camera, pages, people, sheets

    if missing := pages.unplaced():
        raise Failed(f"scripts/screenshots/pages.py has no place for {', '.join(missing)}.")
    camera.tell("Filling the site.")
    cast = people.fill(url)
    people.finish(cast, url)
    cast.names["letter"] = mailbox.mails()[0].id
    browser = chromium()
    with ThreadPoolExecutor(len(camera.SCREENS)) as both:
        walks = [
            both.submit(camera.walk, screen, url, cast, chromium=browser, out=out, letters=lambda: letters(state))
            for screen in camera.SCREENS
        ]
        try:
            taken = [walk.result() for walk in walks]
        except BaseException:  # Ctrl-C among them
            camera.STOPPED.set()
            raise
    camera.tell("Putting the sheets together.")
    shots = sorted((shot for one in taken for shot in one.shots), key=lambda shot: shot.file.name)
    camera.tell(f"{len(shots)} pictures: {sheets.write(shots, out)}")
    return [wrong for one in taken for wrong in one.wrong]


def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    began = time.monotonic()
    out = Path(arguments[0] if arguments else ROOT / "var" / "screenshots").resolve()
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.png"), *out.glob("index.html")]:
        old.unlink()
    try:
        with tempfile.TemporaryDirectory(prefix="mmi-") as folder, site(Path(folder) / "var") as url:
            wrong = photograph(Path(folder) / "var", url, out)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(*wrong, f"{time.monotonic() - began:.0f} s", sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
