"""The client's own tests, in a process of their own, as both packages are called modelmyimage; and its wheel."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.environment import ROOT, bare
from tests.privacy.forgeries import NAMES, cases
from tests.stack import RunningSite
from tests.visitor import Visitor

CLIENT = ROOT / "client"
SCOPES = ["generate", "read", "billing:read", "usage:read", "privacy"]


@pytest.fixture(scope="module")
def key(site: RunningSite) -> str:
    """A key that may do everything, made on the pages."""
    visitor = Visitor(site.url)
    visitor.sign_in(site.link_of("client@localhost.localdomain"))
    token = visitor._token(visitor.http.get("/account/keys/new").text)
    made = visitor.http.post(
        "/account/keys/new",
        data={"csrfmiddlewaretoken": token, "name": "client", "scopes": SCOPES},
        headers=visitor._referer("/account/keys/new"),
    )
    found = re.search(r'value="(mmi_[0-9A-Za-z]{49})"', made.text)
    assert found, made.text[:500]
    return found[1]


def own_tests(*words: str, **variables: str) -> str:
    """What the client's tests say. Fails where they do, and where one did not run that could have."""
    environment = {**bare(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=CLIENT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    left = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED") and "../shared/data" not in line]
    assert left == [], done.stdout
    return done.stdout


@pytest.mark.stack
def test_its_own_tests_with_a_running_site(site: RunningSite, key: str) -> None:
    assert re.search(r"\d\d passed", own_tests(MMI_TEST_URL=site.url, MMI_TEST_KEY=key))


def test_its_wheel_installed_where_nothing_else_is(tmp_path: Path) -> None:
    """Built and installed without a network; of other packages it sees httpx, what that needs, and no cryptography."""
    uv = str(Path(sys.executable).parent / "uv")
    source = shutil.copytree(CLIENT, tmp_path / "client", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    quiet = {**bare(), "UV_OFFLINE": "1", "UV_PYTHON": sys.executable, "PYTHONPATH": ""}

    def run(*command: str, code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env={**quiet, **variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, (command, done.stdout, done.stderr)
        return done.stdout + done.stderr

    run(uv, "build", "--quiet", "--wheel", "--out-dir", "dist", str(source))
    (wheel,) = (tmp_path / "dist").glob("modelmyimage-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        assert {"modelmyimage/py.typed", "modelmyimage/verify.py", "modelmyimage/cli/main.py"} <= names
        assert opened.read("modelmyimage/verify.py") == (ROOT / "verifier" / "verify.py").read_bytes()
        (licence,) = [name for name in names if name.endswith("/LICENSE")]
        assert opened.read(licence) == (ROOT / "LICENSE").read_bytes()
        assert {name.split("/")[0].split("-")[0] for name in names} == {"modelmyimage"}
    run(uv, "venv", "--quiet", "fresh")
    programs = tmp_path / "fresh" / ("Scripts" if sys.platform == "win32" else "bin")
    run(uv, "pip", "install", "--quiet", "--no-deps", "--python", str(programs / "python"), str(wheel))
    packages, others = Path(httpx.__file__).parent.parent, tmp_path / "others"
    others.mkdir()
    for name in ("httpx", "httpcore", "h11", "anyio", "idna", "certifi", "sniffio", "typing_extensions.py"):
        if (packages / name).exists():
            os.symlink(packages / name, others / name)
    mmi, path = str(programs / "mmi"), str(others)
    assert "Exit codes" in run(mmi, "--help", PYTHONPATH=path)
    assert "mmi login" in run(mmi, "history", code=3, PYTHONPATH=path, HOME=str(tmp_path), XDG_CONFIG_HOME="")
    assert "modelmyimage[verify]" in run(mmi, "verify", "x", "--keys", "y", code=2, PYTHONPATH=path)


def test_receipts_are_checked_without_a_site(tmp_path: Path) -> None:
    """tests/privacy/test_verifier.py tries all forgeries on the same file; here, that the command hands all to it."""
    every = cases()
    for name, code in (("all holds", 0), (next(name for name in NAMES if every[name].fails == "consistency"), 1)):
        case = every[name]
        words = []
        for option, value in (("", case.document), ("--keys", case.keys), ("--other", case.other),
                              ("--consistency", case.proof)):  # fmt: skip
            if value is not None:
                file = tmp_path / f"{name}{option}.json"
                file.write_text(json.dumps(value, ensure_ascii=False))
                words += [*filter(None, [option]), str(file)]
        done = subprocess.run(
            [sys.executable, "-m", "modelmyimage", "verify", *words], cwd=tmp_path, capture_output=True, text=True,
            env={**bare(), "PYTHONPATH": str(CLIENT / "src"), "HOME": str(tmp_path)}, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (code, ""), done.stdout
        assert ("FAILS  consistency" in done.stdout) is bool(code)


def test_the_site_and_the_client_share_one_verifier() -> None:
    """And nothing else: the site has no need of its client."""
    assert (ROOT / "verifier" / "verify.py").resolve() == CLIENT / "src" / "modelmyimage" / "verify.py"
