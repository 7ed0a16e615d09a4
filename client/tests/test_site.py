"""Against the running site: each call, the command line, and stopping in the middle (asyncio: test_readme.py)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest

from modelmyimage import Client, Conflict, KeyRefused, NotFound, Refused
from modelmyimage.cli.main import main
from tests.conftest import MUG, SRC, Site, made_up_key

pytestmark = pytest.mark.site


def mmi(*words: str, **how: str) -> subprocess.Popen[str]:
    """The program, in a process of its own, which Ctrl-C can end even where the tests run in the background."""
    environment = {**os.environ, "PYTHONPATH": str(SRC), **how}
    command = [sys.executable, "-m", "modelmyimage", *words]
    pipe = subprocess.PIPE
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        command,
        env=environment,
        stdout=pipe,
        stderr=pipe,
        text=True,
        preexec_fn=heeding if os.name == "posix" else None,
    )


def charged(client: Client) -> int:
    """What was spent in all."""
    return sum(-line.credits for line in client.ledger(only="spent"))


def test_the_client_that_waits(logged_in: Site, tmp_path: Path) -> None:
    with Client() as client:
        assert any(each.self_hosted and each.credits["draft"] for each in client.providers())
        key = uuid4().hex
        job = client.jobs.create(MUG, quality="draft", keep_minutes=10, idempotency_key=key)
        again = client.jobs.create(MUG, quality="draft", keep_minutes=10, idempotency_key=key)
        assert again.id == job.id
        with pytest.raises(Conflict):
            client.jobs.create(MUG, quality="high", idempotency_key=key)
        seen = []
        for found in client.jobs.events(job.id):
            seen.append(found)
            if found.state == "ready":
                break
        assert [each.percent for each in seen] == sorted(each.percent for each in seen)
        ready = client.jobs.wait(job.id, timeout=60)
        assert ready.asset is not None
        to = client.jobs.asset(job.id, tmp_path / "model.glb")
        assert to.stat().st_size == ready.asset.bytes
        assert to.read_bytes()[:4] == b"glTF"
        done = client.jobs.destroy(job.id)
        assert done.credits.charged > 0
        over = list(client.jobs.events(job.id))[-1]
        assert (over.state, over.over) == ("done", True)
        receipt = client.jobs.receipt(job.id)
        assert receipt.document["receipt"]["job"] == job.id
        assert job.id in [each.id for each in islice(client.jobs.list(), 30)]
        assert client.balance().spent_this_month > 0
        assert any(line.job == job.id for line in client.ledger())
        with pytest.raises(NotFound) as missing:
            client.jobs.get(str(uuid4()))
        assert missing.value.code == "not_found"
        assert missing.value.request_id
        with pytest.raises(Refused) as wrong:
            client.jobs.create(MUG, target_triangles=1)
        assert "target_triangles" in wrong.value.errors
        assert client.export(tmp_path / "data.zip").read_bytes()[:2] == b"PK"
        stopped = client.jobs.cancel(client.jobs.create(MUG, quality="high").id)
        assert list(client.jobs.events(stopped.id))[-1].credits.charged == 0
    with Client(logged_in.url, made_up_key()) as nobody, pytest.raises(KeyRefused) as refused:
        nobody.balance()
    assert refused.value.code == "key_invalid"


def test_ctrl_c_and_again(logged_in: Site, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped once a job is there, then killed where nothing can be said any more; paid once."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(MUG, "mug.jpg")
    words = ["generate", "mug.jpg", "-q", "draft", "-o", "out/", "--receipts"]
    with Client() as client:
        for _ in range(5):
            jobs_before, spent_before = len(list(client.jobs.list())), charged(client)
            program = mmi(*words)
            assert program.stderr is not None
            line = program.stderr.readline()
            assert "sent, job" in line, line
            program.send_signal(signal.SIGINT)
            out, said = program.communicate(timeout=20)
            if program.returncode:
                break
            shutil.rmtree("out")  # on a busy machine the site may be quicker than we are
        assert (program.returncode, out) == (130, "")
        assert "1 job goes on at the site" in said
        assert "Traceback" not in said
        assert list(Path("out").iterdir()) == []

        (note,) = (home / "modelmyimage" / "unfinished").iterdir()
        run = json.loads(note.read_bytes())
        job = run["job"]
        assert job in line
        run["job"] = ""  # as if it had been killed before the answer was noted
        note.write_text(json.dumps(run))

        program = mmi(*words)
        out, said = program.communicate(timeout=60)
        assert program.returncode == 0, said
        assert job in out
        assert {path.name for path in Path("out").iterdir()} == {"mug.glb", "mug.receipt.json"}
        assert list(note.parent.iterdir()) == []
        assert len(list(client.jobs.list())) == jobs_before + 1
        assert charged(client) == spent_before + client.jobs.get(job).credits.charged


def test_looking(logged_in: Site, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [
        (["history", "-n", "3"], "draft"),
        (["history", "--state", "done", "--json"], '"state": "done"'),
        (["balance"], "available"),
        (["providers"], "embedded"),
        (["keys"], "in use here"),
        (["usage", "--by", "endpoint"], "client errors"),
    ]
    for words, expected in commands:
        assert main(words) == 0
        said = capsys.readouterr().out
        assert expected in said
        assert logged_in.key not in said
