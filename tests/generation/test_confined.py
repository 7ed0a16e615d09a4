"""The confined process: what it may do, and that nothing is left of it however it ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generation import confined
from tests.environment import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to look at the process")


def photo(side: int = 96) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, "PNG")
    return file.getvalue()


def parents() -> dict[int, int]:
    """Every process's parent, of those whose program is the fork server."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if b"generation.forkserver" in (folder / "cmdline").read_bytes():
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def children() -> list[int]:
    """Ids of confined processes that this one started: children of keepers, which are children of its server."""
    family = parents()
    servers = {process for process, parent in family.items() if parent == os.getpid()}
    keepers = {process for process, parent in family.items() if parent in servers}
    return [process for process, parent in family.items() if parent in keepers]


def run(
    data: Iterator[bytes] | list[bytes], seconds: float = 20, memory: int = 10**9, output: int = 10**7
) -> dict[str, Any]:
    header, payload = confined.run("picture", data, seconds=seconds, memory=memory, output_limit=output)
    return {**header, "payload": payload}


def confide(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has confined itself."""
    script = "from generation.confined import confine\nimport os, sys\n" + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=30)


def test_gives_header_and_payload() -> None:
    answer = run([photo()])
    assert (answer["width"], answer["height"]) == (96, 96)
    assert answer["payload"].startswith(b"\xff\xd8")
    assert not children()


def test_takes_any_cutting_of_the_input() -> None:
    data = photo()
    pieces = [b"", *(data[at : at + 1] for at in range(len(data))), b""]
    assert run(pieces) == run([data])


def test_a_refusal_is_an_answer() -> None:
    assert run([b"hello"])["refused"] == "not_an_image"


def test_knows_no_secret_of_ours_and_leads_its_own_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    seen: dict[str, Any] = {}

    def chunks() -> Iterator[bytes]:
        yield photo()
        (child,) = children()
        seen["environment"] = Path(f"/proc/{child}/environ").read_bytes()
        seen["group"] = os.getpgid(child) == child
        seen["files"] = []
        for link in Path(f"/proc/{child}/fd").iterdir():
            with suppress(FileNotFoundError):  # while it still loads modules, a file may close before we look
                seen["files"].append(os.readlink(link))

    run(chunks())
    assert len(seen["files"]) >= 3  # its pipes, which stay
    assert b"do-not-tell" not in seen["environment"]
    assert b"LC_ALL" in seen["environment"]  # so that an empty answer would not pass
    assert seen["group"]
    assert not any("sock" in name for name in seen["files"]), "it inherited a connection"


def test_hung_process_is_ended_at_the_wall_clock() -> None:
    def chunks() -> Iterator[bytes]:
        os.kill(children()[0], signal.SIGSTOP)
        yield photo()

    start = time.monotonic()
    with pytest.raises(confined.TimedOut):
        run(chunks(), seconds=1)
    assert time.monotonic() - start < 3
    assert not children()


def test_server_that_dies_is_started_again() -> None:
    run([photo()])
    (server,) = (process for process, parent in parents().items() if parent == os.getpid())
    os.kill(server, signal.SIGKILL)
    assert run([photo()])["width"] == 96
    assert server not in parents()


def test_server_ends_with_the_process_that_started_it() -> None:
    code = """
        import os
        from generation import confined
        try:
            confined.run("picture", [b"no picture"], seconds=20, memory=10**9, output_limit=10**6)
        finally:
            print(confined._server._process.pid)
    """
    server = int(subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True,
                                cwd=ROOT).stdout)  # fmt: skip
    deadline = time.monotonic() + 5
    while server in parents() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server not in parents()


def test_a_forked_process_has_a_server_of_its_own() -> None:
    run([photo()])
    ours = {process for process, parent in parents().items() if parent == os.getpid()}
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        answer = run([photo()])["width"]
        mine = {process for process, parent in parents().items() if parent == os.getpid()}
        os.write(writing, f"{answer} {len(mine)} {len(mine & ours)}".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100) == b"96 1 0"


def test_crash_has_a_name() -> None:
    def chunks() -> Iterator[bytes]:
        os.kill(children()[0], signal.SIGSEGV)
        yield photo()

    with pytest.raises(confined.Crashed):
        run(chunks())
    assert not children()


def test_trouble_with_the_input_is_passed_on_and_leaves_nothing() -> None:
    def chunks() -> Iterator[bytes]:
        yield photo()
        raise LookupError("the vault")

    with pytest.raises(LookupError, match="the vault"):
        run(chunks())
    assert not children()


def test_memory_is_bounded() -> None:
    with pytest.raises(confined.OutOfBounds):
        run([photo(7000)], memory=150_000_000)


def test_answer_is_bounded() -> None:
    with pytest.raises(confined.OutOfBounds):
        run([photo(2000)], output=100)


def test_unknown_task_starts_nothing() -> None:
    with pytest.raises(ValueError, match="no task"):
        confined.run("os.system", [], seconds=1, memory=1, output_limit=1)


@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/hostname')",
        "open(os.devnull, 'wb')",
        "__import__('socket').socket()",
        "os.pipe()",
        "bytearray(10**9)",
    ],
)
def test_confined_process_cannot(deed: str) -> None:
    allowed = confide(f"import socket\n{deed}\nprint('done')")
    assert allowed.stdout == "done\n", "the deed itself must be possible, or this proves nothing"
    refused = confide(f"import socket\nconfine(10, 500_000_000)\n{deed}\nprint('done')")
    assert refused.stdout == ""
    assert refused.returncode == 1


def test_confined_process_cannot_compute_for_ever() -> None:
    result = confide("confine(1, 10**9)\nwhile True: pass")
    assert result.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_confined_process_cannot_write_to_a_file_it_has(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with target.open("wb") as file:
        code = "from generation.confined import confine\nimport os\nconfine(5, 10**9)\nos.write(1, b'x')"
        result = subprocess.run([sys.executable, "-c", code], stdout=file, stderr=subprocess.PIPE, cwd=ROOT)
    assert result.returncode == 1
    assert target.read_bytes() == b""


def test_starts_without_django() -> None:
    code = "import sys, generation.confined, generation.pixels, generation.inspection; print('django' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout == "False\n"
