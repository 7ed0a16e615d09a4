"""Deployments in which destroying would not destroy are refused."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from celery.schedules import crontab
from pytest_django.fixtures import Settings

from privacy.checks import bucket_forgets, bucket_is_closed, keystore_is_volatile, uploads_stay_in_memory
from privacy.retention_checks import periods_are_kept
from tests.privacy.conftest import S3Server

RULE: dict[str, Any] = {
    "ID": "second-net",
    "Status": "Enabled",
    "Filter": {"Prefix": "mmi/"},
    "Expiration": {"Days": 2},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_a_volatile_key_store_of_its_own_passes() -> None:
    assert keystore_is_volatile(None) == []


@pytest.mark.parametrize(("option", "value", "back"), [("save", "60 1", ""), ("appendonly", "yes", "no")])
def test_a_key_store_that_writes_to_disk_is_refused(no_keys: redis.Redis, option: str, value: str, back: str) -> None:
    no_keys.config_set(option, value)
    try:
        assert ids(keystore_is_volatile(None)) == ["privacy.E003"]
    finally:
        no_keys.config_set(option, back)


def test_a_key_store_shared_with_broker_or_cache_is_refused(settings: Settings) -> None:
    own = settings.KEYSTORE_URL
    broker = settings.CELERY_BROKER_URL
    settings.CELERY_BROKER_URL = own.replace("unix://", "redis+socket://") + "?virtual_host=3"
    assert ids(keystore_is_volatile(None)) == ["privacy.E004"]
    settings.CELERY_BROKER_URL = broker
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": own + "?db=2"}}
    assert ids(keystore_is_volatile(None)) == ["privacy.E004"]


def test_a_key_store_that_is_a_copy_is_refused(no_keys: redis.Redis) -> None:
    no_keys.replicaof("127.0.0.1", "1")
    try:
        assert ids(keystore_is_volatile(None)) == ["privacy.E014"]
    finally:
        no_keys.replicaof("NO", "ONE")


def test_a_key_store_that_does_not_answer_is_told(settings: Settings) -> None:
    settings.KEYSTORE_URL = "unix:///nowhere.sock"
    assert ids(keystore_is_volatile(None)) == ["privacy.W001"]


def test_a_directory_needs_no_bucket(settings: Settings) -> None:
    settings.STORE_URL = "file:///nowhere"
    assert bucket_forgets(None) == []


def test_a_bucket_without_versions_and_with_the_rule_passes(moto_bucket: tuple[Any, str]) -> None:
    client, bucket = moto_bucket
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [RULE]})
    assert bucket_forgets(None) == []


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_that_keeps_or_kept_versions_is_refused(moto_bucket: tuple[Any, str], status: str) -> None:
    client, bucket = moto_bucket
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [RULE]})
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert ids(bucket_forgets(None)) == ["privacy.E006"]


@pytest.mark.parametrize(
    "change",
    [
        {"Status": "Disabled"},
        {"Filter": {"Prefix": "other/"}},
        {"Filter": {"Prefix": "mmi/1h/"}},
        {"Expiration": {"Days": 30}},
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 30}},
    ],
)
def test_a_rule_that_does_not_cover_everything_is_told(moto_bucket: tuple[Any, str], change: dict[str, Any]) -> None:
    client, bucket = moto_bucket
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [{**RULE, **change}]})
    assert ids(bucket_forgets(None)) == ["privacy.E007"]


def test_a_bucket_without_rules_is_told(moto_bucket: tuple[Any, str]) -> None:
    assert ids(bucket_forgets(None)) == ["privacy.E007"]


POLICY = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"}]}"""


def test_a_bucket_that_strangers_may_read_is_refused(moto_bucket: tuple[Any, str]) -> None:
    client, bucket = moto_bucket
    assert bucket_is_closed(None) == []
    client.put_bucket_policy(Bucket=bucket, Policy=POLICY.replace("BUCKET", bucket))
    assert ["policy" in one.msg for one in bucket_is_closed(None)] == [True]
    block = {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert bucket_is_closed(None) == []
    client.delete_public_access_block(Bucket=bucket)
    client.delete_bucket_policy(Bucket=bucket)
    client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert ids(bucket_is_closed(None)) == ["privacy.E015"]


def test_a_bucket_that_does_not_say_who_reads_it_is_told(settings: Settings) -> None:
    settings.STORE_URL, settings.S3_ENDPOINT_URL = "s3://bucket", "http://127.0.0.1:9"
    assert ids(bucket_is_closed(None)) == ["privacy.W007"]


def test_a_bucket_that_does_not_answer_is_told_and_plain_http_refused(settings: Settings) -> None:
    settings.STORE_URL, settings.S3_ENDPOINT_URL = "s3://bucket", "http://127.0.0.1:9"
    assert ids(bucket_forgets(None)) == ["privacy.W003"]
    settings.S3_ENDPOINT_URL = "http://s3.invalid"
    assert ids(bucket_forgets(None)) == ["privacy.E005", "privacy.W003"]


def test_the_server_that_our_compose_file_has_passes_with_what_it_cannot_say(
    settings: Settings, rclone: S3Server
) -> None:
    """It knows neither rules nor access lists, and answers questions about either with something else."""
    settings.STORE_URL, settings.S3_ENDPOINT_URL = "s3://bucket/x", rclone.endpoint
    assert ids(bucket_forgets(None)) == ["privacy.W003"]
    assert ids(bucket_is_closed(None)) == []


def test_uploads_that_would_be_spooled_are_refused(settings: Settings) -> None:
    assert uploads_stay_in_memory(None) == []
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = settings.UPLOAD_LIMIT_BYTES
    assert ids(uploads_stay_in_memory(None)) == ["privacy.E001"]
    settings.FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
    assert ids(uploads_stay_in_memory(None)) == ["privacy.E001", "privacy.E002"]


def test_periods_are_kept_as_it_is_delivered() -> None:
    assert periods_are_kept(None) == []


def test_what_would_keep_something_for_longer_is_refused(settings: Settings) -> None:
    whole = settings.CELERY_BEAT_SCHEDULE
    settings.CELERY_BEAT_SCHEDULE = {name: one for name, one in whole.items() if name != "forget-strays"}
    assert set(ids(periods_are_kept(None))) == {"privacy.E011"}
    settings.CELERY_BEAT_SCHEDULE = {**whole, "sweep-blobs": {**whole["sweep-blobs"], "schedule": 61.0}}
    assert set(ids(periods_are_kept(None))) == {"privacy.E012"}
    weekly = crontab(minute=0, hour=3, day_of_week=0)
    settings.CELERY_BEAT_SCHEDULE = {**whole, "forget-calls": {**whole["forget-calls"], "schedule": weekly}}
    assert set(ids(periods_are_kept(None))) == {"privacy.E012"}
    settings.CELERY_BEAT_SCHEDULE = whole
    settings.SESSION_COOKIE_AGE += 1
    assert ids(periods_are_kept(None)) == ["privacy.E013"]
