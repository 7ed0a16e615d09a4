"""The log in the database: each receipt once, whoever appends and whoever dies; heads; what is seen after a restore.

``test_on_sqlite_too`` runs this file again on SQLite when the run is on Postgres.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from privacy import heads, log, merkle, proofs, receipts, signing
from privacy.log_audit import audit
from privacy.models import LogHead, LogNode, Receipt
from privacy.tasks import tend_log
from tests.environment import ROOT
from tests.privacy.append_only import rewriting_allowed

pytestmark = pytest.mark.django_db(transaction=True)


def issued(count: int) -> list[Receipt]:
    return [receipts.issue(group=uuid4(), elsewhere=[], outcome="done") for _ in range(count)]


def leaves() -> list[bytes]:
    return [bytes(node.hash) for node in LogNode.objects.order_by("pk") if node.number % 2 == 0]


def root_of(hashes: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, from leaf hashes."""
    if not hashes:
        return merkle.EMPTY
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return merkle.node_hash(root_of(hashes[:half]), root_of(hashes[half:]))


def sound() -> None:
    assert audit().differences == []


def test_every_receipt_becomes_a_salted_leaf() -> None:
    made = issued(5)
    assert log.append_waiting() == 5
    assert log.append_waiting() == 0
    salts = set()
    for index, receipt in enumerate(made):
        receipt.refresh_from_db()
        assert receipt.log_index == index
        salt = bytes(receipt.log_salt or b"")
        data = {"receipt": receipts.digest(receipt.document), "salt": salt.hex()}
        assert leaves()[index] == merkle.leaf_hash(json.dumps(data, separators=(",", ":"), sort_keys=True).encode())
        salts.add(salt)
    assert len(salts) == 5
    assert {len(salt) for salt in salts} == {32}
    assert log.root(5) == root_of(leaves())
    sound()


def test_receipts_of_before_the_log_come_in_too() -> None:
    """They have no place; the sweep gives them one, in batches."""
    issued(7)
    assert log.append_waiting(most=3) == 3
    assert tend_log() == 4
    assert list(Receipt.objects.order_by("issued_at", "pk").values_list("log_index", flat=True)) == list(range(7))
    sound()


def test_nothing_of_it_is_anybodys() -> None:
    """Two receipts that say the same are different leaves, and no table of the log names a receipt."""
    names = {field.name for model in (LogNode, LogHead) for field in model._meta.fields}
    assert names == {"number", "hash", "id", "size", "signed_at", "key_id", "document"}
    (receipt,) = issued(1)
    Receipt.objects.filter(pk=receipt.pk).update(log_index=None)
    log.append_waiting()
    Receipt.objects.filter(pk=receipt.pk).update(log_index=None)
    log.append_waiting()
    first, second = leaves()
    assert first != second


def test_a_receipt_that_is_erased_leaves_the_log_as_it_was() -> None:
    made = issued(3)
    tend_log()
    made[1].delete()
    issued(1)
    tend_log()
    assert log.size() == 4
    sound()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE privacy_lognode SET hash = hash",
        "UPDATE privacy_lognode SET number = 100 WHERE number = 4",
        "DELETE FROM privacy_lognode",
        "DELETE FROM privacy_lognode WHERE number = 4",
        "UPDATE privacy_loghead SET size = 1",
        "DELETE FROM privacy_loghead",
        "INSERT INTO privacy_lognode (number, hash) SELECT 8, hash FROM privacy_lognode WHERE number = 0",
        "INSERT INTO privacy_lognode (number, hash) SELECT 2, hash FROM privacy_lognode WHERE number = 0",
        "INSERT INTO privacy_lognode (number, hash) SELECT 7, hash FROM privacy_lognode WHERE number = 0",
    ],
)
def test_the_database_refuses(statement: str) -> None:
    issued(3)
    tend_log()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert log.size() == 3
    sound()


def test_truncating_is_refused_too() -> None:
    if connection.vendor == "postgresql":
        for table in ("privacy_lognode", "privacy_loghead"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {table}")


def test_the_migrations_can_be_undone(tmp_path: Path) -> None:
    """On a database of its own, there and back and there again, by one process: to start three is most of the work."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "modelmyimage.settings",
    }
    program = (
        "import django; django.setup(); from django.core.management import call_command\n"
        "for target in ((), ('0001',), ()): call_command('migrate', 'privacy', *target, verbosity=0)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)


def test_fifty_at_once() -> None:
    """Everybody issues, everybody appends, everybody signs: no gap, no fork, nothing twice."""
    start = Barrier(50)

    def one(number: int) -> None:
        try:
            start.wait(60)
            receipts.issue(group=uuid4(), elsewhere=[], outcome="done")
            log.append_waiting(most=1 + number % 7)
            heads.publish(if_grown=bool(number % 2))
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(one, range(50)))
    while log.append_waiting():
        pass
    assert log.size() == Receipt.objects.count() == 50
    assert list(Receipt.objects.order_by("log_index").values_list("log_index", flat=True)) == list(range(50))
    assert log.root(50) == root_of(leaves())
    sizes = list(LogHead.objects.order_by("pk").values_list("size", flat=True))
    assert len(sizes) >= 25
    assert sizes == sorted(sizes)
    sound()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


PLACES: dict[str, tuple[Any, str, str]] = {
    "nothing done": (log, "lock", "before"),
    "locked": (log, "lock", "after"),
    "computed": (type(LogNode.objects), "bulk_create", "before"),
    "nodes written": (type(LogNode.objects), "bulk_create", "after"),
    "appended": (log, "append", "after"),
    "receipts written": (type(Receipt.objects), "bulk_update", "after"),
    "committed": (log, "append_waiting", "after"),
    "head signed": (signing, "sign", "after"),
    "head written": (heads, "publish", "after"),
}


@pytest.mark.parametrize("place", PLACES)
def test_killed_while_appending(place: str) -> None:
    """The fork really dies; afterwards the sweep finishes what it began, once."""
    issued(3)
    tend_log()
    issued(6)
    age_heads()
    owner, name, when = PLACES[place]
    connection.close()
    child = os.fork()
    if not child:
        try:
            function = getattr(owner, name)

            def dying(*args: Any, **options: Any) -> Any:
                if when == "before":
                    die()
                function(*args, **options)
                die()

            setattr(owner, name, dying)
            tend_log()
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it ended without coming to {name}"
    assert log.size() in (3, 9)
    assert Receipt.objects.exclude(log_index=None).count() == log.size()
    tend_log()
    tend_log()
    assert log.size() == 9
    assert list(Receipt.objects.order_by("log_index").values_list("log_index", flat=True)) == list(range(9))
    last = heads.latest()
    assert last is not None
    assert last.size == 9
    assert last.document["head"]["root"] == root_of(leaves()).hex()
    sound()


def age_heads(minutes: float = 30) -> None:
    """The heads so far were signed that long ago."""
    with rewriting_allowed("_fixed"):
        for head in LogHead.objects.all():
            LogHead.objects.filter(pk=head.pk).update(signed_at=head.signed_at - timedelta(minutes=minutes))


# Heads


def test_heads_come_when_the_log_grew_and_once_a_day(settings: Settings) -> None:
    now = timezone.now()
    first = heads.publish_due(now)
    assert first is not None
    assert (first.size, first.document["head"]["root"]) == (0, merkle.EMPTY.hex())
    issued(2)
    log.append_waiting()
    assert heads.publish_due(now + timedelta(minutes=4)) is None
    second = heads.publish_due(now + timedelta(minutes=5))
    assert second is not None
    assert second.size == 2
    assert heads.publish_due(now + timedelta(hours=23)) is None
    third = heads.publish_due(now + timedelta(hours=25))
    assert third is not None
    assert third.size == 2
    assert LogHead.objects.count() == 3
    assert all(heads.check(head.document).ok for head in LogHead.objects.all())


def test_a_clock_set_back_makes_no_fork() -> None:
    """A longer log that is older than a shorter one would look like one that was cut."""
    now = timezone.now()
    first = heads.publish(now=now)
    issued(1)
    log.append_waiting()
    second = heads.publish(now=now - timedelta(hours=1))
    assert first is not None
    assert second is not None
    assert second.document["head"]["time"] == first.document["head"]["time"]


def test_a_head_is_no_receipt_and_a_receipt_no_head() -> None:
    """The same key signs both; neither signature serves for the other."""
    head = heads.publish()
    assert head is not None
    value = head.document["signature"]["value"]
    key = signing.verifying_keys()["test"]
    assert signing.holds(key, value, heads.CONTEXT + signing.canonical(head.document["head"]))
    assert not signing.holds(key, value, signing.canonical(head.document["head"]))
    assert not receipts.verify({"receipt": head.document["head"], "signature": head.document["signature"]}).ok


def test_no_head_contradicts_the_one_before() -> None:
    issued(4)
    log.append_waiting()
    heads.publish()
    cut_back_to(2)
    with pytest.raises(heads.Forked):
        heads.publish()
    issued(3)
    log.append_waiting()
    with pytest.raises(heads.Forked):
        tend_log_later()
    assert LogHead.objects.count() == 1


def tend_log_later() -> None:
    heads.publish_due(timezone.now() + timedelta(days=2))


def cut_back_to(size: int, *, heads_too: bool = False) -> None:
    """What a restored backup looks like: the rows of later are not there."""
    with rewriting_allowed("_kept", "_fixed"):
        LogNode.objects.filter(number__gt=2 * (size - 1)).delete()
        # A subtree that was completed by a later leaf.
        for number in LogNode.objects.values_list("number", flat=True):
            if number % 2 and last_leaf(number) >= size:
                LogNode.objects.filter(number=number).delete()
        if heads_too:
            LogHead.objects.filter(size__gt=size).delete()
    Receipt.objects.filter(log_index__gte=size).delete()


def last_leaf(number: int) -> int:
    """The last leaf below a node."""
    level = (~number & (number + 1)).bit_length() - 1
    return ((number >> (level + 1)) + 1 << level) - 1


def test_a_restored_backup_is_named_a_fork(tmp_path: Path) -> None:
    mirror = tmp_path / "head.json"
    issued(6)
    tend_log()
    call_command("publish_head", out=mirror)
    kept = mirror.read_bytes()
    out = StringIO()
    call_command("verify_log", against=[mirror], stdout=out)
    assert "The log of 6 entries" in out.getvalue()

    cut_back_to(4, heads_too=True)
    with pytest.raises(CommandError, match="1 differences"):
        call_command("verify_log", against=[mirror], stdout=out)
    assert "FORK" in out.getvalue()
    assert "the log has only 4" in out.getvalue()

    issued(5)
    log.append_waiting()
    heads.publish()
    sound()  # by itself it cannot know
    with pytest.raises(CommandError):
        call_command("verify_log", against=[mirror], stdout=out)
    assert "other entries than the first 6" in out.getvalue()
    with pytest.raises(CommandError, match="FORK"):
        call_command("publish_head", out=mirror)
    assert mirror.read_bytes() == kept


def test_a_mirror_is_replaced_as_the_log_goes_on(tmp_path: Path) -> None:
    mirror = tmp_path / "head.json"
    for count in (1, 2, 3):
        issued(1)
        call_command("publish_head", out=mirror)
        document = json.loads(mirror.read_text())
        assert document["head"]["head"]["size"] == count
        assert document["keys"].keys() == {"test"}
    (tmp_path / "other").write_text("{}")
    with pytest.raises(CommandError, match="left alone"):
        call_command("publish_head", out=tmp_path / "other")
    out = StringIO()
    call_command("publish_head", stdout=out)
    assert json.loads(out.getvalue()) == document


# The audit


def rewritten(statement: str, *values: Any) -> list[str]:
    with rewriting_allowed("_fixed", "_kept", "_next"), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return audit().differences


def test_the_audit_finds_what_was_done_to_the_rows() -> None:
    issued(6)
    tend_log()
    assert any(
        "node 1," in line for line in rewritten("UPDATE privacy_lognode SET hash = %s WHERE number = 1", b"x" * 32)
    )
    found = rewritten("UPDATE privacy_lognode SET hash = %s WHERE number = 8", b"x" * 32)
    assert any("receipt" in line for line in found)
    assert any("FORK" in line for line in found)
    found = rewritten("DELETE FROM privacy_lognode WHERE number = 4")
    assert any("leaf 2 is missing" in line for line in found)


def test_the_audit_finds_a_missing_trigger() -> None:
    with rewriting_allowed("node_next"):
        assert audit().differences == ["the database has lost its trigger log_node_next"]


# Receipts' files


def test_a_file_says_what_there_is_to_say() -> None:
    (receipt,) = issued(1)
    assert proofs.file_of(receipt) == receipt.document
    log.append_waiting()
    receipt.refresh_from_db()
    found = proofs.file_of(receipt)
    assert set(found["log"]) == {"format", "salt"}
    verification = receipts.verify(found)
    assert (verification.ok, verification.logged) == (True, False)
    issued(2)
    log.append_waiting()
    heads.publish()
    found = proofs.file_of(receipt)
    verification = receipts.verify(receipts.encode(found))
    assert (verification.ok, verification.logged) == (True, True)
    assert [check.name for check in verification.checks] == ["document", "key", "signature", "head", "inclusion"]
    assert receipts.digest(found) == receipts.digest(receipt.document)
    issued(3)
    log.append_waiting()
    heads.publish()
    assert proofs.file_of(receipt) == found


@pytest.fixture
def filed() -> dict[str, Any]:
    """A receipt's file with its whole proof: leaf 2 of 5."""
    made = issued(5)
    tend_log()
    made[2].refresh_from_db()
    return proofs.file_of(Receipt.objects.get(log_index=2))


def test_any_changed_byte_of_the_file_fails(filed: dict[str, Any]) -> None:
    document = receipts.encode(filed)
    for place in range(len(document)):
        for change in (1, 2, 4, 16, 32, 128):
            broken = bytearray(document)
            broken[place] ^= change
            assert not receipts.verify(bytes(broken)).ok, (place, change)


def test_hostile_proofs_fail_quietly(filed: dict[str, Any]) -> None:
    values: list[Any] = [None, 1, -1, 2**70, 1.5, True, "", "x", "A" * 64, [], {}, [[]], {"head": 1}, ["0" * 64] * 65]
    for value in values:
        assert not receipts.verify({**filed, "log": value}).ok
        for name in filed["log"]:
            assert not receipts.verify({**filed, "log": {**filed["log"], name: value}}).ok, (name, value)
        for name in filed["log"]["head"]["head"]:
            head = {**filed["log"]["head"], "head": {**filed["log"]["head"]["head"], name: value}}
            assert not receipts.verify({**filed, "log": {**filed["log"], "head": head}}).ok, (name, value)


def test_a_retired_key_holds_for_what_it_signed_in_its_time(filed: dict[str, Any], settings: Settings) -> None:
    """Receipts and heads alike; and the next head is the new key's."""
    public = receipts.public_keys()["test"]["public_key"]
    old = settings.SIGNING_KEYS
    settings.SIGNING_KEYS = "new:" + base64.b64encode(os.urandom(32)).decode()
    assert not receipts.verify(filed).ok
    for until, holds in (("", True), ("@2999-01-01T00:00:00Z", True), ("@2020-01-01", False)):
        settings.RETIRED_SIGNING_KEYS = f"test:{public}{until}"
        found = receipts.verify(filed)
        assert found.ok is holds, found
        if not holds:
            assert [check.name for check in found.checks if not check.ok] == ["key", "head"]
    settings.RETIRED_SIGNING_KEYS = f"test:{public}@2999-01-01T00:00:00Z"
    assert receipts.public_keys()["test"] == {
        "algorithm": "Ed25519", "public_key": public, "status": "retired", "until": "2999-01-01T00:00:00+00:00",
    }  # fmt: skip
    issued(1)
    log.append_waiting()
    head = heads.publish()
    assert head is not None
    assert head.key_id == "new"
    assert audit().differences == []
    assert old not in json.dumps(receipts.public_keys())


# How much is read


def test_rows_read_grow_with_the_height_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction.atomic():
        log.append([os.urandom(32) for _ in range(1023)])
    read: list[int] = []
    stored = log._stored

    def counting(numbers: Iterable[int]) -> dict[int, bytes]:
        found = stored(numbers)
        read.append(len(found))
        return found

    monkeypatch.setattr(log, "_stored", counting)
    acts: list[Callable[[], Any]] = [
        lambda: log.root(1023),
        lambda: log.inclusion(333, 1023),
        lambda: log.consistency(333, 1023),
        lambda: log.append([b"x" * 32]),
    ]
    for act in acts:
        read.clear()
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            act()
        assert sum("SELECT" in query["sql"] for query in queries) <= 2
        assert sum(read) <= 2 * 10


def test_signing_a_head_asks_a_fixed_number_of_times() -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            heads.publish()
        return len(queries)

    asked()
    few = asked()
    issued(60)
    log.append_waiting()
    assert asked() <= few + 1
