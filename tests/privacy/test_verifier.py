"""The stand-alone verifier: alone, offline, and refusing every forgery by the check that it is for."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.environment import ROOT
from tests.privacy.forgeries import NAMES, Case, Log, cases, flipped

VERIFIER = ROOT / "verifier" / "verify.py"
LABELS = {"document": "form", "key": "signature", "signature": "signature"}


@pytest.fixture(scope="module")
def every() -> dict[str, Case]:
    return cases()


def loaded() -> Any:
    spec = spec_from_file_location("standalone", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    words = []
    for name, value in (("file", case.document), ("keys", case.keys), ("other", case.other), ("proof", case.proof)):
        if value is None:
            continue
        (folder / name).write_text(json.dumps(value, ensure_ascii=False))
        option = {"file": [], "keys": ["--keys"], "other": ["--other"], "proof": ["--consistency"]}[name]
        words += [*option, str(folder / name)]
    code = loaded().main([*words, *case.words])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_forgeries(every: dict[str, Case], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = every[name]
    code, said = run(case, tmp_path, capsys)
    failed = [line for line in said.splitlines() if line.startswith("FAILS")]
    if not case.fails:
        assert (code, failed) == (0, []), said
        return
    assert code == 1, said
    (line,) = failed
    assert line.split()[1].rstrip(":") == LABELS.get(case.fails, case.fails), said


def test_any_changed_byte(every: dict[str, Case], tmp_path: Path) -> None:
    module = loaded()
    case = every["all holds"]
    (tmp_path / "keys").write_text(json.dumps(case.keys))
    (tmp_path / "file").write_text(json.dumps(case.document))
    words = [str(tmp_path / "file"), "--keys", str(tmp_path / "keys")]
    assert module.main(words) == 0
    for broken in flipped(case.document):
        (tmp_path / "file").write_bytes(broken)
        assert module.main(words) == 1, broken


def test_a_receipt_without_a_proof_does_not_pass_silently(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    log.add(1)
    bare = {name: log.file(0)[name] for name in ("receipt", "signature")}
    code, said = run(Case("", bare, log.keys()), tmp_path, capsys)
    assert code == 1
    assert "Download it again later" in said
    pending = {**bare, "log": {"format": "modelmyimage-log-proof/1", "salt": log.salts[0]}}
    code, said = run(Case("", pending, log.keys()), tmp_path, capsys)
    assert code == 1
    assert "no signed head yet" in said
    code, said = run(Case("", bare, log.keys(), words=("--signature-only",)), tmp_path, capsys)
    assert code == 0
    log.add(2)
    code, said = run(Case("", log.file(0), log.keys(), log.head(1)), tmp_path, capsys)
    assert code == 1
    assert "/log/consistency?first=1&second=3" in said


def test_two_heads_without_a_receipt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    log.add(7)
    well_known = {**log.keys(), "format": "modelmyimage-log/1", "head": log.head(7)}
    case = Case("", well_known, well_known, log.head(3), log.consistency(3, 7))
    code, said = run(case, tmp_path, capsys)
    assert code == 0
    assert "begins with the log of 3" in said


def test_a_restored_backup_is_a_fork(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six entries and a head; a backup of four goes on to nine, and its site answers as well as it can."""
    log = Log()
    log.add(6)
    kept = log.head(time="2026-11-25T11:00:00+00:00")
    log.leaves, log.files, log.salts = log.leaves[:4], log.files[:4], log.salts[:4]
    log.add(1)
    short = log.head(time="2026-11-25T12:00:00+00:00")
    code, said = run(Case("", short, log.keys(), kept, log.consistency(5, 5)), tmp_path, capsys)
    assert code == 1
    assert "FORK" in said
    assert "an older backup was restored" in said
    log.add(4)
    later = log.head(time="2026-11-25T13:00:00+00:00")
    code, said = run(Case("", later, log.keys(), kept, log.consistency(6, 9)), tmp_path, capsys)
    assert code == 1
    assert "FORK" in said
    assert "does not begin with the log of 6" in said


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", '"x"', "[" * 100_000, '{"receipt":1}', '{"receipt":{}}', '{"head":{}}',
             '{"receipt":{"format":[]},"signature":3}', '{"receipt":{},"receipt":{}}', '{"receipt":1.5}', "\udcff",
             '{"head":1,"signature":2}', '{"log":3}', "1" * 6000],
)  # fmt: skip
def test_hostile_files_fail_quietly(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(text.encode(errors="surrogateescape"))
    log = Log()
    (tmp_path / "keys").write_text(json.dumps(log.keys()))
    for file, keys in (("file", "keys"), ("keys", "file"), ("none", "keys")):
        assert loaded().main([str(tmp_path / file), "--keys", str(tmp_path / keys)]) == 1
        assert "FAILS" in capsys.readouterr().out


def test_it_stands_alone(every: dict[str, Case], tmp_path: Path) -> None:
    """As a process, elsewhere, with nothing of ours to import."""
    case = every["all holds"]
    copy = shutil.copy(VERIFIER, tmp_path / "verify.py")
    (tmp_path / "r.json").write_text(json.dumps(case.document))
    (tmp_path / "k.json").write_text(json.dumps(case.keys))
    command = [sys.executable, "-I", str(copy), "r.json", "--keys", "k.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "The receipt holds."
    imported = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


@pytest.mark.django_db
def test_it_agrees_with_the_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real receipt, a real head, real keys."""
    from uuid import uuid4

    from privacy import heads, log, proofs, published, receipts
    from privacy.models import Receipt

    for _ in range(3):
        receipts.issue(group=uuid4(), elsewhere=[], outcome="done")
    log.append_waiting()
    older = heads.publish()
    assert older is not None
    for _ in range(2):
        receipts.issue(group=uuid4(), elsewhere=[], outcome="done")
    log.append_waiting()
    heads.publish()
    proof = {"format": "modelmyimage-log-consistency/1", "first": 3, "second": 5}
    proof["path"] = [step.hex() for step in log.consistency(3, 5)]
    document = proofs.file_of(Receipt.objects.get(log_index=4))
    case = Case("", document, published.latest_document(), older.document, proof)
    code, said = run(case, tmp_path, capsys)
    assert code == 0, said
