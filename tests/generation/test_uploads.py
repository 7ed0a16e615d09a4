"""Uploads on a real uvicorn: sealed as they come, never in a file, and nothing left of what nobody took."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from django.conf import settings

from modelmyimage.local.ports import spare_port
from tests.services import stop

ROOT = Path(__file__).resolve().parents[2]
CANARY = b"CANARY-" + secrets.token_hex(16).encode()


@dataclass
class Answer:
    """A response as it came over the wire."""

    status: int
    head: str
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body of a view's answer."""
        return dict(json.loads(self.body))


@dataclass
class Site:
    """The tiny site, running; and somebody who talks to it."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def send(self, head: str, *parts: bytes) -> Answer:
        """One request on a connection of its own; the parts of its body are sent one by one."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with socket.create_connection(("127.0.0.1", self.port), 30) as wire:
            wire.sendall(f"{head}\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n".encode())
            for part in parts:
                wire.sendall(part)
            reply = b""
            while chunk := wire.recv(65536):
                reply += chunk
        top, _, body = reply.partition(b"\r\n\r\n")
        text = top.decode("latin-1")
        for name, value in re.findall(r"(?im)^set-cookie: ([^=]+)=([^;]*)", text):
            self.cookies[name] = value
        return Answer(int(text.split()[1]), text.lower(), body)

    def become(self, path: str) -> None:
        """Sign in (``/in``) or only fetch a CSRF token (``/token``)."""
        self.csrf = self.send(f"GET {path} HTTP/1.1").body.decode()

    def post(
        self, *files: tuple[str, bytes], path: str = "/create", cut: int = 0, csrf: bool = True, **fields: str
    ) -> Answer:
        """A form with files; ``cut`` leaves bytes off its end and declares the length without them."""
        body, kind = form(*files, **({"csrfmiddlewaretoken": self.csrf} if csrf else {}), **fields)
        body = body[: len(body) - cut]
        return self.send(
            f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}",
            *(body[start : start + 500_000] for start in range(0, len(body), 500_000)),
        )

    def rows(self) -> list[tuple[str, str, int]]:
        """State, kind and size of all blob rows."""
        with closing(sqlite3.connect(self.folder / "db.sqlite3")) as database:
            return database.execute("SELECT state, kind, plain_size FROM privacy_blob").fetchall()

    def objects(self) -> list[Path]:
        """All files in the store."""
        return [path for path in (self.folder / "blobs").rglob("*") if path.is_file()]

    def nothing_left(self) -> bool:
        """No row, no object, no key. Destroying may go on for a moment after the answer."""
        keys = redis.Redis.from_url(settings.KEYSTORE_URL)
        for _ in range(100):
            if not self.rows() and not self.objects() and keys.dbsize() == 0:
                return True
            time.sleep(0.05)
        return False

    def alive(self) -> bool:
        """Whether it still answers."""
        return self.send("GET /token HTTP/1.1").status == 200


def form(*files: tuple[str, bytes], **fields: str) -> tuple[bytes, str]:
    """A multipart body and its media type."""
    edge = "edge" + secrets.token_hex(8)
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, data in files:
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{CANARY.decode()}.jpg"\r\n'
            f"Content-Type: image/jpeg\r\n\r\n".encode()
        )
        parts += [data, b"\r\n"]
    return b"".join([*parts, f"--{edge}--\r\n".encode()]), f"multipart/form-data; boundary={edge}"


def start(folder: Path, **environment: str) -> Site:
    """The tiny site with a database, a store and a temporary directory that does not exist."""
    port = spare_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.uploadsite",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "STORE_URL": f"file://{folder}/blobs",
        "TMPDIR": "/nowhere",
        **environment,
    }
    migrate = ["django", "migrate", "--run-syncdb", "--verbosity=0", "--skip-checks"]
    server = ["uvicorn", "--factory", "tests.uploadsite:application", "--port", str(port), "--log-level", "debug"]
    with (folder / "stderr").open("wb") as log:
        subprocess.run([sys.executable, "-m", *migrate], cwd=ROOT, env=environment, check=True, stderr=log)
        process = subprocess.Popen([sys.executable, "-m", *server], cwd=ROOT, env=environment, stdout=log, stderr=log)
    for _ in range(400):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return Site(port, process, folder)
        time.sleep(0.05)
    stop(process)
    raise RuntimeError("The tiny site does not listen.")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The tiny site."""
    site = start(tmp_path_factory.mktemp("site"))
    yield site
    stop(site.process)


@pytest.fixture
def site(running: Site) -> Site:
    """The tiny site with nothing in it, and somebody signed in."""
    with closing(sqlite3.connect(running.folder / "db.sqlite3", isolation_level=None)) as database:
        database.execute("DELETE FROM privacy_blob")
    for path in running.objects():
        path.unlink()
    redis.Redis.from_url(settings.KEYSTORE_URL).flushall()
    running.cookies.clear()
    running.become("/in")
    return running


def photo(size: int) -> bytes:
    """Bytes that are recognised wherever they turn up."""
    return (CANARY * (size // len(CANARY) + 1))[:size]


class Watch(threading.Thread):
    """Looks at every file that a process has open, anonymous ones too, until it is told to end."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.folder = f"/proc/{pid}/fd"
        self.over = threading.Event()
        self.seen: dict[str, bool] = {}

    def run(self) -> None:
        """Keep, for each regular file, whether it held the photo."""
        while not self.over.is_set():
            for fd in os.listdir(self.folder):
                path = f"{self.folder}/{fd}"
                try:
                    name = os.readlink(path)
                    if name.startswith("/") and not name.startswith(("/dev", "/proc")):
                        with open(path, "rb") as file:
                            self.seen[name] = self.seen.get(name, False) or CANARY in file.read(200_000)
                except OSError:
                    continue
            time.sleep(0.0005)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


def test_a_photo_is_sealed_and_never_in_a_file(site: Site) -> None:
    """20 MB, the most there may be; temporary files raise, there is no temporary directory, every open file is read."""
    with Watch(site.process.pid) as watch:
        answer = site.post(("photo", photo(20_000_000)), then="take")
    assert answer.status == 200, answer
    assert answer.json["size"] == 20_000_000
    assert answer.json["name"] == "photo"
    assert site.rows() == [("sealed", "upload", 20_000_000)]
    assert any("/blobs/10m/" in name for name in watch.seen), "the watch was too slow to see even the sealed file"
    assert not any(watch.seen.values())
    # What the interpreter and its packages open of their own, such as code, was read too and held nothing.
    known = (str(site.folder), sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]))
    assert [name for name in watch.seen if not name.startswith(known)] == []
    # Store, database, its log, and all that was said on standard error
    for path in site.folder.rglob("*"):
        assert not path.is_file() or CANARY not in path.read_bytes()


def test_the_watch_sees_what_django_would_spool(tmp_path: Path) -> None:
    """The test above can fail: with Django's own threshold too low, an anonymous file holds the photo."""
    (tmp_path / "tmp").mkdir()
    site = start(tmp_path, MAY_SPOOL="1", TMPDIR=str(tmp_path / "tmp"))
    try:
        site.become("/in")
        with Watch(site.process.pid) as watch:
            site.post(("photo", photo(20_000_000)))
    finally:
        stop(site.process)
    assert any(held and "deleted" in name for name, held in watch.seen.items()), watch.seen


@pytest.mark.parametrize("then", ["leave", "fail"])
def test_what_no_view_took_is_destroyed_with_the_response(site: Site, then: str) -> None:
    answer = site.post(("photo", photo(300_000)), then=then)
    assert answer.status == (500 if then == "fail" else 200)
    assert site.nothing_left()


def test_a_refused_form_leaves_nothing(site: Site) -> None:
    assert site.post(("photo", photo(300_000)), csrf=False, then="take").status == 403
    assert site.nothing_left()


def test_a_stranger_stores_nothing(site: Site) -> None:
    site.cookies.clear()
    site.become("/token")
    with Watch(site.process.pid) as watch:
        answer = site.post(("photo", photo(5_000_000)), then="take", note="n")
    assert (answer.json["signed_in"], answer.json["files"]) == (False, [])
    assert (answer.json["refusal"], answer.json["note"]) == ("signed_out", "n")
    assert not any("/blobs/" in name for name in watch.seen)
    assert site.nothing_left()


@pytest.mark.parametrize(
    ("names", "refusal"),
    [
        (["picture"], "unexpected_field"),
        (["picture", "photo"], "unexpected_field"),
        (["photo", "picture"], "unexpected_field"),
        (["photo", "photo"], "several_files"),
        (["photo", "photo", "photo"], "several_files"),
    ],
)
def test_other_files_than_one_photo_store_nothing(site: Site, names: list[str], refusal: str) -> None:
    answer = site.post(*((name, photo(200_000)) for name in names), then="take", note="n")
    assert (answer.json["files"], answer.json["refusal"], answer.json["note"]) == ([], refusal, "n")
    assert site.nothing_left()


def test_a_byte_too_many_stores_nothing(site: Site) -> None:
    answer = site.post(("photo", photo(20_000_001)), then="take", note="n")
    assert (answer.json["files"], answer.json["refusal"], answer.json["note"]) == ([], "too_large", "n")
    assert site.nothing_left()


def test_an_empty_photo_is_a_photo(site: Site) -> None:
    assert site.post(("photo", b""), then="take").json["size"] == 0


@pytest.mark.parametrize("cut", [10, 100_000])
def test_a_form_that_ends_inside_the_photo_stores_nothing(site: Site, cut: int) -> None:
    answer = site.post(("photo", photo(300_000)), cut=cut, then="take")
    assert (answer.json["files"], answer.json["refusal"]) == ([], "interrupted")
    assert site.nothing_left()


def test_a_form_that_breaks_inside_the_photo_stores_nothing(site: Site) -> None:
    """The parser raises in the middle of the file, and does not tell the handler."""
    body, kind = form(("photo", b"$$$$" * 100_000), csrfmiddlewaretoken=site.csrf)
    body = body.replace(b"Content-Type: image/jpeg", b"Content-Transfer-Encoding: base64")
    body = body.replace(b"$$$$" * 100_000, b"QUJD" * 50_000 + b"A")
    answer = site.send(f"POST /create HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}", body)
    assert answer.status == 400
    assert site.nothing_left()


def test_a_connection_that_breaks_in_the_middle_stores_nothing(site: Site) -> None:
    body, kind = form(("photo", photo(10_000_000)), csrfmiddlewaretoken=site.csrf, then="take")
    cookies = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
    head = f"POST /create HTTP/1.1\r\nHost: h\r\nCookie: {cookies}\r\nContent-Type: {kind}"
    with (
        Watch(site.process.pid) as watch,
        socket.create_connection(("127.0.0.1", site.port), 10) as wire,
    ):
        wire.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:6_000_000])
        time.sleep(0.3)
    assert site.alive()
    assert not any(watch.seen.values())
    assert site.nothing_left()


def test_without_the_key_store_the_form_is_told(tmp_path: Path) -> None:
    site = start(tmp_path, KEYSTORE_URL="unix:///nowhere.sock")
    try:
        site.become("/in")
        answer = site.post(("photo", photo(300_000)), then="take")
    finally:
        stop(site.process)
    assert (answer.json["files"], answer.json["refusal"]) == ([], "unavailable")
    assert site.objects() == []


@pytest.mark.parametrize("path", ["/create", "/other"])
def test_a_body_declared_too_large_is_refused_before_it_is_sent(site: Site, path: str) -> None:
    answer = site.send(f"POST {path} HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 31000000")
    assert answer.status == 413
    assert ("31 MB. The limit is 20 MB." if path == "/create" else "31 MB. The limit is 1 MB.") in answer.body.decode()


def test_a_photo_anywhere_else_is_refused(site: Site) -> None:
    assert site.post(("photo", photo(1_200_000)), path="/other", then="take").status == 413
    assert site.nothing_left()


def test_a_chunked_body_past_the_cap_is_refused(site: Site) -> None:
    body, kind = form(("photo", photo(25_000_000)), csrfmiddlewaretoken=site.csrf, then="take")
    chunks = [body[at : at + 1_000_000] for at in range(0, len(body), 1_000_000)]
    answer = site.send(
        f"POST /create HTTP/1.1\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked",
        *(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks),
        b"0\r\n\r\n",
    )
    assert answer.status == 413
    assert site.alive()
    assert site.nothing_left()


def test_a_chunked_body_within_the_cap_is_no_form(site: Site) -> None:
    """Django takes a body without a declared length for an empty one, so there is no CSRF token in it either."""
    body, kind = form(("photo", photo(100_000)), csrfmiddlewaretoken=site.csrf, then="take")
    answer = site.send(
        f"POST /create HTTP/1.1\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked",
        f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n",
    )
    assert answer.status == 403
    assert site.nothing_left()
