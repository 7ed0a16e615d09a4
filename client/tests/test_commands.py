"""``mmi`` at an imitation of a site: what it says, what it keeps, how it ends."""

from __future__ import annotations

import io
import json
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelmyimage import settings
from modelmyimage.cli.main import main
from tests.conftest import KEY, MUG, job, made_up_key
from tests.imitation import Answer, Imitation, imitation

NO_CREDITS: Answer = (402, {}, {"code": "insufficient_credits", "title": "Too few credits", "todo": "Buy some."})
LATER: Answer = (503, {"Retry-After": "45"}, {"code": "nobody", "title": "Later"})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Imitation]:
    """The imitation, the key in the environment, and a folder with photos to be in."""
    monkeypatch.chdir(tmp_path)
    for name in ("cup.jpg", "mug.jpg"):
        shutil.copy(MUG, name)
    with imitation() as site:
        monkeypatch.setenv("MMI_URL", site.url)
        monkeypatch.setenv("MMI_KEY", KEY)
        yield site


def kept(home: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in (home / "modelmyimage" / "unfinished").glob("*.json")]


def test_login_tries_the_key_and_keeps_it_for_one_user(
    fake: Imitation, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MMI_URL", "MMI_KEY"):
        monkeypatch.delenv(name)
    assert main(["history"]) == 3
    assert "mmi login" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY + "\n"))
    fake.next["GET /api/v1/providers"] = [(401, {}, {"code": "key_invalid", "title": "This key does not work."})]
    assert main(["login", "--url", fake.url]) == 3
    assert not settings.file().exists()
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY + "\n"))
    assert main(["login", "--url", fake.url + "/"]) == 0
    said = capsys.readouterr().out
    assert fake.url in said
    assert KEY[-4:] in said
    assert KEY not in said
    assert KEY not in repr(settings.found())
    assert stat.S_IMODE(settings.file().stat().st_mode) == 0o600
    assert settings.file().is_relative_to(home)
    assert main(["providers"]) == 0
    # It is not sent to any other site.
    assert main(["providers", "--url", "https://other.example"]) == 3
    assert main(["logout"]) == main(["logout"]) == 0
    assert main(["providers"]) == 3


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://models.example", KEY),
        ("ftp://models.example", KEY),
        ("https://me:you@models.example", KEY),
        ("https://", KEY),
        ("https://models.example", KEY[:-1]),
        ("https://models.example", KEY[:-1] + "!"),
        ("https://models.example", KEY.replace("a", "b", 1)),
        ("https://models.example", ""),
    ],
)
def test_what_cannot_be_a_site_or_a_key(url: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(key + "\n"))
    assert main(["login", "--url", url]) == 3


def test_addresses() -> None:
    assert settings.checked_address("models.example/") == "https://models.example"
    assert settings.checked_address("http://[::1]:80/x/") == "http://[::1]:80/x"
    assert settings.checked_address("http://nas.example:8000", insecure=True) == "http://nas.example:8000"


def test_several_photos(fake: Imitation, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "*.jpg", "-o", "models/"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.split()[0] for line in lines) == [
        str(Path.cwd() / f"models/{name}.glb") for name in ("cup", "mug")
    ]
    assert Path("models/cup.glb").read_bytes() == b"glTF"
    assert kept(home) == []
    # Again: all of it is there, and nothing is asked of the site.
    asked = len(fake.asked)
    assert main(["generate", "cup.jpg", "mug.jpg", "-o", "models/"]) == 0
    assert len(fake.asked) == asked
    assert "--force" in capsys.readouterr().err
    assert main(["generate", "cup.jpg", "-o", "models/", "--force"]) == 0
    assert len(fake.jobs) == 3


@pytest.mark.parametrize(
    "words",
    [
        [], ["missing.jpg"], ["*.png"], ["."], ["cup.jpg", "mug.jpg", "-o", "one.glb"], ["cup.jpg", "-p", "0"],
        ["cup.jpg", "sub/cup.jpg"], ["cup.jpg", "--resume"],
    ],
)  # fmt: skip
def test_what_cannot_be_meant(fake: Imitation, words: list[str]) -> None:
    Path("sub").mkdir()
    shutil.copy(MUG, "sub/cup.jpg")
    assert main(["generate", *words]) == 2
    assert fake.asked == []


def test_later_is_obeyed(fake: Imitation, naps: list[float]) -> None:
    fake.next["POST /api/v1/jobs"] = [LATER, (429, {"Retry-After": "7"}, {"code": "too_many_jobs", "title": "Later"})]
    assert main(["generate", "cup.jpg"]) == 0
    assert naps == [45, 7]
    assert len(fake.jobs) == 1


def test_a_site_that_is_away_is_no_reason_to_pay_twice(
    fake: Imitation, home: Path, naps: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The job was made, and then nothing could be reached: the same command goes on with the same job."""
    fake.next["asset"] = [(500, {}, {"code": "internal", "title": "Our fault"})] * 4
    assert main(["generate", "cup.jpg", "-q", "draft"]) == 1
    (run,) = kept(home)
    assert "Our fault" in capsys.readouterr().err
    assert run["wishes"] == {"quality": "draft"}
    mode = stat.S_IMODE(next((home / "modelmyimage" / "unfinished").iterdir()).stat().st_mode)
    assert mode == 0o600
    assert main(["generate", "cup.jpg", "-q", "draft"]) == 0
    assert len(fake.jobs) == 1
    assert kept(home) == []
    monkeypatch.setenv("MMI_URL", "http://127.0.0.1:9")
    assert main(["generate", "mug.jpg"]) == 4
    assert len(kept(home)) == 1


@pytest.mark.parametrize(("again", "made"), [(["--resume"], 1), (["*.jpg"], 2)])
def test_an_answer_that_was_lost_is_no_reason_either(
    fake: Imitation, home: Path, naps: list[float], again: list[str], made: int
) -> None:
    """The site made the job, and we never heard of it. By --resume, or among other photos: it is the same one."""
    ready, answer = fake.answer, []

    def lost(method: str, path: str, headers: Any) -> Any:
        answer.append(ready(method, path, headers))
        return 503, {"Retry-After": "9999"}, {"code": "nobody", "title": "Later"}

    fake.answer = lost  # type: ignore[method-assign]  # for this test alone
    assert main(["generate", "cup.jpg"]) == 1
    assert (len(fake.jobs), len(kept(home))) == (1, 1)
    fake.answer = ready  # type: ignore[method-assign]  # as it was
    assert main(["generate", *again]) == 0
    assert Path("cup.glb").read_bytes() == b"glTF"
    assert len(fake.jobs) == len(list(Path.cwd().glob("*.glb"))) == made
    assert kept(home) == []
    assert main(["generate", "--resume"]) == 0
    # Later, the same photo is another wish.
    assert main(["generate", "cup.jpg", "-f"]) == 0
    assert len(fake.jobs) == made + 1


def test_what_failed_begins_anew(fake: Imitation, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.next["POST /api/v1/jobs"] = [NO_CREDITS]
    assert main(["generate", "*.jpg", "-p", "1"]) == 1
    assert "cup.jpg: Too few credits. Buy some." in capsys.readouterr().err
    assert kept(home) == []
    assert main(["generate", "*.jpg"]) == 0
    assert len(fake.jobs) == 2


def test_a_job_without_a_model(fake: Imitation, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = job("failed", failure={"code": "no_object", "message": "There is nothing to see."})
    fake.next["POST /api/v1/jobs"] = [(201, {}, failed)]
    fake.next["/events"] = [(200, {}, failed)]
    fake.next[failed["id"]] = [(200, {}, failed)]
    assert main(["generate", "cup.jpg"]) == 1
    assert "cup.jpg: There is nothing to see." in capsys.readouterr().err
    assert kept(home) == []
    assert not Path("cup.glb").exists()


def test_a_key_that_does_not_work_ends_it_all(fake: Imitation, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.next["POST /api/v1/jobs"] = [(401, {}, {"code": "key_invalid", "title": "This key does not work."})] * 2
    assert main(["generate", "*.jpg", "-p", "1"]) == 3
    assert capsys.readouterr().err.count("This key does not work.") == 1
    assert main(["generate", "*.jpg", "-p", "1"]) == 3
    assert main(["generate", "*.jpg"]) == 0


def test_no_photo_is_sent_that_is_none(fake: Imitation, home: Path) -> None:
    Path("notes.jpg").write_text("private")
    assert main(["generate", "notes.jpg"]) == 1
    assert fake.asked == []


def test_where_tags_go_along_it_is_said(fake: Imitation, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bag.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 12)
    assert main(["generate", "bag.heic"]) == 0
    assert "bag.heic: its tags go along" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(fake: Imitation, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model stays at the site, and the job is not paid again."""
    Path("models").mkdir()
    (Path("models") / "cup.glb").mkdir()
    assert main(["generate", "cup.jpg", "-o", "models/", "-f"]) == 1
    assert "cup.jpg: " in capsys.readouterr().err
    (Path("models") / "cup.glb").rmdir()
    assert main(["generate", "--resume"]) == 0
    assert len(fake.jobs) == 1


def test_usage(fake: Imitation, capsys: pytest.CaptureFixture[str]) -> None:
    fake.scopes = {"usage:read"}
    assert main(["usage", "--by", "day"]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[1:] == [
        ["30", "January", "7", "0", "0", "4096", "0", "20", "–", "–", "–", "–", "–"],
        ["all", "7", "0", "0", "4096", "0", "20", "–", "2", "1", "0", "3"],
    ]
    assert main(["usage", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["calls"]["calls"] == 7


def test_keys(fake: Imitation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 0
    said = capsys.readouterr().out
    assert "May       read, generate\n" in said
    assert "May not   billing:read, usage:read\n" in said
    assert KEY not in said
    assert "MMI_KEY" in said
    fake.next["GET /api/v1/keys"] = [(404, {}, {"code": "not_found", "title": "A site from before there was a list."})]
    assert main(["keys"]) == 0
    assert "May       read, generate\n" in capsys.readouterr().out

    fake.scopes = {"usage:read"}
    key = {"scopes": ["read", "usage:read"], "created_at": "2026-01-30T10:00:00Z", "state": "on", "calls": 7}
    used_at = {"last_used_at": "2026-01-31T10:00:00Z"}
    fake.keys = [
        {**key, "id": "1", "name": "shop", "ends_with": "abcd", "current": True, **used_at},
        {**key, "id": "2", "name": "old", "ends_with": "wxyz", "state": "off", "new": "unknown to this version"},
    ]
    fake.asked.clear()
    assert main(["keys"]) == 0
    site, ours, _, shop, old = capsys.readouterr().out.splitlines()
    assert (fake.url in site, KEY[-4:] in ours) == (True, True)
    assert shop.split()[:3] == ["shop", "…abcd", "on"]
    assert shop.endswith("in use here")
    assert "2026-01-31" in shop
    assert old.split() == ["old", "…wxyz", "off", "–", "–", "7", "read", "usage:read"]
    assert fake.asked == ["GET /api/v1/keys"]


def test_checking_needs_one_more_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "modelmyimage.verify", raising=False)
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    assert main(["verify", "receipt.json", "--keys", "keys.json"]) == 2
    assert "modelmyimage[verify]" in capsys.readouterr().err


def test_another_key_is_another_key() -> None:
    assert settings.checked_key(made_up_key("z")) != KEY
