"""A photo full of canaries goes through the whole site; nothing of it may be found anywhere, then or afterwards.

Looked through: every file below the state folder and the site's temporary folder, every regular file that a process
of the site has open (deleted and anonymous ones too), the database, both Valkeys key by key, the logs and the mail.
"""

from __future__ import annotations

import base64
import io
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import redis
from PIL import Image

from sandbox.providers.service import Script, Service
from tests.generation.conftest import mesh, photo
from tests.stack import RunningSite, launch_ready, processes_of
from tests.visitor import Visitor

pytestmark = pytest.mark.stack

TEXTS = ["CANARY-file-name-7Q", "CANARY-camera-owner-9Z", "CANARY-comment-4K"]
SLICE = 24


def slices(data: bytes, count: int = 400) -> set[bytes]:
    """Pieces spread over the data, each too varied to turn up by chance."""
    step = max(1, len(data) // count)
    pieces = (data[at : at + SLICE] for at in range(0, len(data) - SLICE, step))
    return {piece for piece in pieces if len(set(piece)) > 12}


def canary_photo() -> tuple[bytes, set[bytes]]:
    """A photo with marked tags and noisy pixels, and everything that must not be found: file, pixels, tags, name."""
    rng = np.random.default_rng(20261123)
    pixels = np.asarray(Image.open(io.BytesIO(photo(400)))).astype(int) + rng.integers(-14, 15, (400, 400, 3))
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = TEXTS[2], TEXTS[1]
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92, exif=exif, comment=TEXTS[2].encode())
    data = out.getvalue()
    decoded = np.asarray(Image.open(io.BytesIO(data))).tobytes()
    canaries = slices(data) | slices(decoded)
    for text in TEXTS:
        plain = text.encode()
        canaries |= {plain, text.encode("utf-16-le"), base64.b64encode(plain)[:-4]}
    return data, canaries


class Hunter:
    """Looks everywhere a running site could leave something."""

    def __init__(self, site: RunningSite, temporary: Path) -> None:
        self.site = site
        self.temporary = temporary

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Every place with what is in it."""
        for root in (self.site.state, self.temporary):
            for path in root.rglob("*"):
                with suppress(FileNotFoundError):  # SQLite's log comes and goes
                    if stat.S_ISREG(path.lstat().st_mode):
                        yield str(path), path.name.encode() + b"\n" + path.read_bytes()
        for process in processes_of(self.site.state):
            yield from self._open_files(process)
        for socket in self.site.state.rglob("*.sock"):
            for database in (0, 1):
                yield from self._keys(socket, database)

    def _open_files(self, process: int) -> Iterator[tuple[str, bytes]]:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            try:
                target = os.readlink(descriptor)
                regular = stat.S_ISREG(descriptor.stat().st_mode)
                if regular and not target.startswith(("/proc", "/sys", "/usr", "/dev")):
                    yield f"{process}: {target}", descriptor.read_bytes()
            except OSError:
                continue

    def _keys(self, socket: Path, database: int) -> Iterator[tuple[str, bytes]]:
        store = redis.Redis(unix_socket_path=str(socket), db=database)
        for key in store.scan_iter(count=1000):
            yield f"{socket.name} {key!r}", key + b"\n" + (store.dump(key) or b"")

    def hunt(self, canaries: set[bytes]) -> list[str]:
        """Where any canary is found."""
        found = []
        for place, content in self.places():
            if any(canary in content for canary in canaries):
                found.append(place)
        return found


@pytest.fixture(scope="module")
def site_with_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hunter, Service]]:
    """A site whose only provider is the scripted one, with a temporary folder of its own."""
    folder = tmp_path_factory.mktemp("hunt")
    service = Service(Script(mesh=mesh()))
    temporary = folder / "tmp"
    temporary.mkdir()
    site = launch_ready(
        folder / "var",
        PROVIDERS="sandbox.providers.scripted:Scripted",
        SCRIPTED_URL=service.url,
        TMPDIR=str(temporary),
        GRANT_CREDITS="100",
    )
    yield Hunter(site, temporary), service
    site.drop()
    service.close()


@pytest.fixture(scope="module")
def signed_in(site_with_service: tuple[Hunter, Service]) -> Visitor:
    """The owner of the photos."""
    site = site_with_service[0].site
    visitor = Visitor(site.url)
    visitor.sign_in(site.link)
    return visitor


@pytest.fixture
def hunted(site_with_service: tuple[Hunter, Service], signed_in: Visitor) -> tuple[Hunter, Service, Visitor]:
    """The running site, its service with a fresh script and no calls, and its visitor."""
    hunter, service = site_with_service
    service.script = Script(mesh=mesh(), polls_until_finished=10**9)
    service.calls.clear()
    service.submits = 0
    return hunter, service, signed_in


def test_hunter_finds_what_is_there(hunted) -> None:
    hunter, _, _ = hunted
    _, canaries = canary_photo()
    assert len(canaries) > 300
    socket = next(hunter.site.state.rglob("*.sock"))
    cache = redis.Redis(unix_socket_path=str(socket), db=1)
    files = [hunter.temporary / "left", hunter.site.state / f"{TEXTS[2]}.log"]
    cache.set("left", TEXTS[0])
    for file in files:
        file.write_text(TEXTS[1])
    found = hunter.hunt(canaries)
    cache.delete("left")
    for file in files:
        file.unlink()
    assert len(found) == 3


def test_nothing_is_found_while_it_works_nor_after(hunted) -> None:
    hunter, service, visitor = hunted
    data, canaries = canary_photo()
    answer = visitor.upload(data, f"{TEXTS[0]}.jpg")
    assert answer.status_code == 201, answer.text
    job = answer.json()["job"]
    visitor.wait(job, lambda state: state["stage"] == "watch")
    assert len(list((hunter.site.state / "blobs").rglob("*"))) > 1, "the cut-out is there, sealed"
    (call,) = service.calls.values()
    canaries |= slices(call.photo)
    assert hunter.hunt(canaries) == [], "while a provider works on it"

    service.script.polls_until_finished = 0
    visitor.wait(job, lambda state: state["asset"])
    asset = visitor.http.get(f"{job}/asset").content
    assert asset[:4] == b"glTF"
    canaries |= slices(asset) | slices(service.script.mesh)
    assert hunter.hunt(canaries) == [], "while the model waits"

    visitor.post(f"{job}/acknowledge")
    state = visitor.wait(job, lambda state: state["final"])
    assert state["outcome"] == "done"
    assert hunter.hunt(canaries) == [], "after everything was destroyed"
    assert [path for path in (hunter.site.state / "blobs").rglob("*") if path.is_file()] == []
    assert TEXTS[0] not in visitor.http.get("/history").text


@pytest.mark.parametrize("status", [422, 500])
def test_nothing_is_found_after_an_error_that_echoes_the_photo(hunted, status: int) -> None:
    hunter, service, visitor = hunted
    service.script.submit_status = status
    service.script.echo_photo_in_errors = True
    data, canaries = canary_photo()
    job = visitor.upload(data, f"{TEXTS[0]}.jpg").json()["job"]
    state = visitor.wait(job, lambda state: state["final"])
    assert state["outcome"] == "failed"
    assert state["credits"]["charged"] == 0
    assert service.submits >= 1
    assert hunter.hunt(canaries) == []


def test_nothing_is_found_of_a_photo_that_was_refused(hunted) -> None:
    hunter, _, visitor = hunted
    data, canaries = canary_photo()
    answer = visitor.upload(data[: len(data) // 2], f"{TEXTS[0]}.jpg")
    assert answer.status_code == 422
    assert hunter.hunt(canaries) == []
    assert [path for path in (hunter.site.state / "blobs").rglob("*") if path.is_file()] == []
