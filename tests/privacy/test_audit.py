"""The audit finds every way in which rows, keys and objects can disagree, and only those."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
import redis
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from privacy import keystore, vault
from privacy.audit import Difference, audit
from privacy.models import Blob
from privacy.stores import Store

pytestmark = pytest.mark.django_db


def seal() -> Blob:
    return vault.seal([b"x" * 100], kind="source", group=uuid4(), limit=1000)


def test_nothing_and_the_everyday_are_in_order(each_store: Store) -> None:
    assert audit() == []
    seal()
    vault.destroy(seal().id)
    vault.write(kind="source", group=uuid4(), limit=10_000_000).write(b"x" * 6_000_000)
    assert audit() == []


def test_an_object_without_a_row(each_store: Store) -> None:
    blob = seal()
    Blob.objects.all().delete()
    keystore.drop(blob.id)
    assert audit() == [Difference("object_orphaned", blob.object_name)]


def test_an_unfinished_object_whose_row_is_closed(each_store: Store) -> None:
    writer = each_store.writer("1h/stray")
    writer.write(b"x" * 6_000_000)
    assert audit() == [Difference("object_orphaned", "1h/stray")]


def test_an_object_that_came_back_after_its_row_was_closed(each_store: Store) -> None:
    blob = vault.destroy(seal().id)
    writer = each_store.writer(blob.object_name)
    writer.write(b"restored")
    writer.commit()
    assert audit() == [Difference("object_orphaned", blob.object_name)]


def test_a_row_without_its_object(each_store: Store) -> None:
    blob = seal()
    each_store.delete(blob.object_name)
    assert audit() == [Difference("object_missing", str(blob.id))]


def test_a_row_without_its_key(each_store: Store, no_keys: redis.Redis) -> None:
    blob = seal()
    no_keys.flushall()
    assert audit() == [Difference("key_missing", str(blob.id))]


def test_a_key_without_a_row(each_store: Store) -> None:
    stray = uuid4()
    keystore.put(stray, b"wrapped", timedelta(minutes=1))
    assert audit() == [Difference("key_orphaned", str(stray))]


def test_overdue_and_interrupted(each_store: Store) -> None:
    now = timezone.now()
    overdue, writing = seal(), vault.write(kind="source", group=uuid4(), limit=10)
    Blob.objects.filter(pk=overdue.pk).update(expires_at=now - timedelta(seconds=61))
    Blob.objects.filter(pk=writing.blob.pk).update(created_at=now - timedelta(minutes=11, seconds=1))
    assert sorted(map(str, audit())) == [f"interrupted: {writing.blob.id}", f"overdue: {overdue.id}"]


def test_what_cannot_be_asked_is_a_difference(each_store: Store, settings: Settings) -> None:
    seal()
    settings.KEYSTORE_URL = "unix:///nowhere.sock"
    assert audit() == [Difference("unreachable", "key store")]
    settings.STORE_URL, settings.S3_ENDPOINT_URL = "s3://bucket", "http://127.0.0.1:9"
    assert audit() == [Difference("unreachable", "store"), Difference("unreachable", "key store")]


def test_the_command_exits_non_zero_on_any(each_store: Store) -> None:
    out = StringIO()
    call_command("audit_retention", stdout=out)
    assert "agree" in out.getvalue()
    blob = seal()
    each_store.delete(blob.object_name)
    with pytest.raises(CommandError, match="1 difference"):
        call_command("audit_retention", stdout=out)
    assert f"object_missing: {blob.id}" in out.getvalue()
