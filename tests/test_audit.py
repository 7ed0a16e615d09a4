"""An audit that could not ask says so and fails; a secret that is committed is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts import audit

HOLE = {"name": "some", "version": "1.0", "vulns": [{"id": "PYSEC-1"}]}
CLEAN = {"name": "some", "version": "1.0", "vulns": []}


@pytest.mark.parametrize(
    ("ask", "said", "found"),
    [
        (audit.python, {"dependencies": [CLEAN, HOLE]}, ["some 1.0: PYSEC-1"]),
        (audit.python, {"dependencies": [CLEAN]}, []),
        (audit.python, None, None), (audit.python, {"dependencies": []}, None),
        (audit.python, {"dependencies": [{"name": "some", "skip_reason": "no"}]}, None),
        (audit.javascript, {"auditReportVersion": 2, "vulnerabilities": {"a": {"severity": "high"}}}, ["a: high"]),
        (audit.javascript, {"auditReportVersion": 2, "vulnerabilities": {}}, []),
        (audit.javascript, {"message": "405 Method Not Allowed"}, None), (audit.javascript, None, None),
    ],
)  # fmt: skip
def test_silence_is_not_taken_for_clean(monkeypatch: pytest.MonkeyPatch, ask: Any, said: Any, found: Any) -> None:
    monkeypatch.setattr(audit, "answered", lambda *_: (1, said))
    if found is not None:
        assert ask() == found
        return
    with pytest.raises(audit.Unknown):
        ask()
    monkeypatch.setattr(audit, "secrets", list)
    assert audit.main() == 1


def test_a_secret_is_found_and_a_digest_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings.txt"
    monkeypatch.setattr(audit, "tracked", lambda: [str(file)])
    file.write_text("sha256: " + "0123456789abcdef" * 4 + "\n")
    assert audit.secrets() == []
    file.write_text("-----BEGIN RSA PRIVATE " + "KEY-----\n")
    assert audit.secrets() == [f"{file}:1: Private Key"]
