"""Makes the tools of a checkout ready: packages, the pages' scripts, a browser for the tests. Called by the Makefile.

    python3 scripts/prepare.py run        packages for running, and the front-end bundle
    python3 scripts/prepare.py dev        the same with everything that tests and checks need
    python3 scripts/prepare.py chromium   prints the path of a Chromium, installing one where that is possible

Runs on whatever Python the machine has, old ones included (to say that they are too old), with no package installed.
What was done is remembered by digests in .venv/prepared.json, so that a second call takes no time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
REMEMBERED = os.path.join(VENV, "prepared.json")
OLDEST, NEWEST = (3, 11), (3, 14)
OLDEST_NODE = 20


class Impossible(Exception):
    """Something is missing that we cannot provide; the message says what, in one line."""


def say(text: str) -> None:
    """Tell the person at the terminal what takes time."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def call(command: list[str], failure: str, **options: Any) -> None:
    """Run a command, its output shown. Raises ``Impossible`` when it fails or does not exist."""
    try:
        code = subprocess.call(command, cwd=ROOT, stdout=sys.stderr, **options)
    except OSError as error:
        raise Impossible(f"{failure} ({command[0]}: {error.strerror})") from error
    if code:
        raise Impossible(failure)


def answer(*command: str) -> str:
    """What a command prints, or an empty string when it fails or does not exist."""
    try:
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return ""
    return found.stdout.decode().strip() if found.returncode == 0 else ""


def digest(*paths: str) -> str:
    """One digest over files and folders, by name and content."""
    total = hashlib.sha256(ROOT.encode())
    for path in paths:
        path = os.path.join(ROOT, path)
        files = [path] if os.path.isfile(path) else []
        for folder, folders, names in os.walk(path):
            folders.sort()
            files += [os.path.join(folder, name) for name in sorted(names)]
        for file in files:
            with open(file, "rb") as opened:
                total.update(file.encode() + b"\0" + hashlib.sha256(opened.read()).digest())
    return total.hexdigest()


def remembered() -> dict[str, Any]:
    """What was done already: step -> digest of what it was made from."""
    try:
        with open(REMEMBERED) as file:
            steps: dict[str, Any] = json.load(file)
            return steps
    except (OSError, ValueError):
        return {}


def remember(step: str, value: Any) -> None:
    """Note that a step is done."""
    steps = dict(remembered(), **{step: value})
    with open(REMEMBERED + ".new", "w") as file:
        json.dump(steps, file)
    os.replace(REMEMBERED + ".new", REMEMBERED)


def right_python() -> None:
    """Go on under a Python of a fitting version, another one on the path if need be."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and answer(other, "-c", "print(1)"):
            os.execv(other, [other, os.path.abspath(__file__), *sys.argv[1:]])  # noqa: S606 - no shell is wanted
    raise Impossible(
        f"Python {dotted(OLDEST)} to {dotted(NEWEST)} is needed; this is {dotted(sys.version_info[:2])}."
        " Name another with PYTHON=…"
    )


def dotted(version: tuple[int, ...]) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def make_venv() -> None:
    """A virtual environment of ours with the pinned uv in it."""
    import importlib.util

    root_of_venv = remembered().get("root", ROOT)
    if os.path.exists(VENV) and (root_of_venv != ROOT or not answer(PYTHON, "-c", "print(1)")):
        say("The virtual environment was made elsewhere; making it again.")
        shutil.rmtree(VENV)
    if not os.path.exists(PYTHON):
        if importlib.util.find_spec("venv") is None:
            raise Impossible("Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv")
        ensurepip = importlib.util.find_spec("ensurepip") is not None
        failure = f"The virtual environment {VENV} could not be made."
        call([sys.executable, "-m", "venv", *([] if ensurepip else ["--without-pip"]), VENV], failure)
    remember("root", ROOT)
    pinned = digest("requirements/uv.txt")
    if remembered().get("uv") == pinned:
        return
    arguments = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    arguments += ["-r", os.path.join(ROOT, "requirements", "uv.txt")]
    if answer(PYTHON, "-m", "pip", "--version"):
        installer = [PYTHON, "-m", "pip"]
    elif answer(sys.executable, "-m", "pip", "--version"):
        installer = [sys.executable, "-m", "pip", "--python", PYTHON]
    else:
        shutil.rmtree(VENV)
        raise Impossible("Python has no pip; on Debian and Ubuntu: apt-get install python3-venv")
    call([*installer, *arguments], "uv could not be installed: see above.")
    remember("uv", pinned)


def system_node() -> bool:
    """Whether the machine has a Node and an npm that are new enough."""
    version = answer("node", "--version").lstrip("v").split(".")[0]
    return version.isdigit() and int(version) >= OLDEST_NODE and bool(answer("npm", "--version"))


def install(*, dev: bool) -> None:
    """Exactly the locked packages. An environment that once had the development set keeps it."""
    dev = dev or os.path.exists(os.path.join(VENV, "bin", "pytest"))
    step = remembered()
    node = step.get("node") if "node" in step else not system_node()
    sets = ["uv", "dev" if dev else "run", "weights", *(["node"] if node else [])]
    files = [f"requirements/{name}.txt" for name in sets]
    wanted = digest(*files)
    if step.get("packages") == wanted:
        return
    say(f"Installing packages ({', '.join(sets)}).")
    uv = os.path.join(VENV, "bin", "uv")
    command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, *files]
    call(command, "The packages could not be installed: see above.")
    remember("node", node)
    remember("packages", wanted)


def bundle() -> None:
    """The pages' scripts, styles and fonts, built into static/dist."""
    environment = dict(os.environ, PATH=os.path.join(VENV, "bin") + os.pathsep + os.environ.get("PATH", ""))
    modules, built = os.path.join(ROOT, "node_modules"), os.path.join(ROOT, "static", "dist")
    packages = digest("package.json", "package-lock.json", ".npmrc")
    if not (os.path.isdir(modules) and remembered().get("modules") == packages):
        say("Installing the front end's packages.")
        call(["npm", "ci", "--silent"], "The front end's packages could not be installed: see above.", env=environment)
        remember("modules", packages)
    sources = digest("package-lock.json", "frontend")
    if not (os.path.isdir(built) and remembered().get("bundle") == sources):
        say("Building the front end.")
        call(["node", "frontend/build.mjs"], "The front end could not be built: see above.", env=environment)
        remember("bundle", sources)


def catalogues() -> None:
    """The translated sentences in the form that Django reads."""
    sources = digest(
        *(f"locale/{name}/LC_MESSAGES/django.po" for name in sorted(os.listdir(os.path.join(ROOT, "locale"))))
    )
    if remembered().get("catalogues") != sources:
        call([PYTHON, "-m", "scripts.messages", "compile"], "The translations could not be compiled: see above.")
        remember("catalogues", sources)


def on_path() -> str | None:
    """The path of a Chromium that the machine has, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def from_apt() -> bool:
    """Install Debian's Chromium where we may; returns whether that was tried and worked."""
    if not shutil.which("apt-get"):
        return False
    prefix = [] if os.getuid() == 0 else ["sudo", "-n"]
    if prefix and not answer("sudo", "-n", "echo", "yes"):
        return False
    say("Installing Chromium with apt-get.")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
    try:
        for command in (["apt-get", "update", "--quiet"], install):
            call([*prefix, *command], "apt-get failed", env=environment)
    except Impossible:
        return False
    return on_path() is not None


def from_playwright() -> str | None:
    """Playwright's own download, kept in the virtual environment; returns its path, or None."""
    environment = dict(os.environ, PLAYWRIGHT_BROWSERS_PATH=os.path.join(VENV, "browsers"))
    where = (
        "from playwright.sync_api import sync_playwright as start\nwith start() as p: print(p.chromium.executable_path)"
    )
    path = answer("env", "PLAYWRIGHT_BROWSERS_PATH=" + environment["PLAYWRIGHT_BROWSERS_PATH"], PYTHON, "-c", where)
    if path and not os.path.exists(path):
        say("Downloading Chromium with Playwright.")
        try:
            command = [PYTHON, "-m", "playwright", "install", "chromium"]
            call(command, "Playwright's download failed", env=environment)
        except Impossible:
            return None
    return path if path and os.path.exists(path) else None


def chromium() -> str:
    """The path of a Chromium to test with."""
    found = os.environ.get("CHROMIUM") or on_path() or (on_path() if from_apt() else None) or from_playwright()
    if not found:
        raise Impossible(
            "The browser tests need Chromium: none is on the path, and neither apt-get nor Playwright could install it."
            " Install one, or name one with CHROMIUM=…"
        )
    return found


def main(arguments: list[str]) -> int:
    """Do one step; exit code 1 and one line when it is impossible."""
    try:
        right_python()
        if arguments == ["chromium"]:
            print(chromium())
        elif arguments in (["run"], ["dev"]):
            make_venv()
            install(dev=arguments == ["dev"])
            bundle()
            catalogues()
        else:
            raise Impossible("Say one of: run, dev, chromium.")
    except (Impossible, OSError) as error:
        say(f"make: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
