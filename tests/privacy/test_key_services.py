"""A key that a service wraps is opened by it alone, once in a process; Vault is a stand-in checked by hvac."""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any
from uuid import uuid4

import boto3
import hvac
import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from privacy import crypto, key_services, named_keys, receipts, signing, vault
from privacy.checks import wrapped_keys_open
from privacy.models import Blob
from tests.privacy.test_vault import opened, seal

pytestmark = pytest.mark.django_db


class Transit(ThreadingHTTPServer):
    """Vault's transit engine at ``transit/keys/site``, as far as encrypting and decrypting goes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.token = secrets.token_hex(8)
        self.fernet = Fernet(Fernet.generate_key())
        self.asked: Counter[str] = Counter()
        self.sealed = False

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    """One question."""

    server: Transit

    def do_POST(self) -> None:
        """Encrypt or decrypt, for whoever has the token."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = re.fullmatch(r"/v1/transit/(encrypt|decrypt)/site", self.path)
        if self.server.sealed:
            return self.answer(503, {"errors": ["Vault is sealed"]})
        if self.headers.get("X-Vault-Token") != self.server.token:
            return self.answer(403, {"errors": ["permission denied"]})
        if found is None:
            return self.answer(404, {"errors": []})
        self.server.asked[found[1]] += 1
        if found[1] == "encrypt":
            text = self.server.fernet.encrypt(base64.b64decode(body["plaintext"], validate=True)).decode()
            return self.answer(200, {"data": {"ciphertext": f"vault:v1:{text}"}})
        try:
            plain = self.server.fernet.decrypt(body["ciphertext"].removeprefix("vault:v1:"))
        except InvalidToken:
            return self.answer(400, {"errors": ["invalid ciphertext"]})
        return self.answer(200, {"data": {"plaintext": base64.b64encode(plain).decode()}})

    do_PUT = do_POST

    def answer(self, status: int, document: dict[str, Any]) -> None:
        """Send a document."""
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def transit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Transit]:
    server = Transit()
    monkeypatch.setenv("VAULT_TOKEN", server.token)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def vault_key(transit: Transit) -> str:
    return f"hcvault://{transit.address}/transit/keys/site"


@pytest.fixture
def aws_key(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", moto)
    arn = boto3.client("kms", endpoint_url=moto, region_name="eu-central-1").create_key()["KeyMetadata"]["Arn"]
    return f"aws-kms://{arn}"


@pytest.fixture(autouse=True)
def _a_new_process() -> None:
    forget()


def forget() -> None:
    """Be as a process that has asked for nothing yet."""
    key_services.opened.cache_clear()
    crypto._master.cache_clear()


def made(name: str, service: str = "") -> str:
    out = StringIO()
    call_command("make_key", name, *(["--service", service] if service else []), stdout=out)
    return out.getvalue().strip()


def test_the_stand_in_answers_vaults_own_client_as_vault_does(transit: Transit) -> None:
    client = hvac.Client(url=f"http://{transit.address}")
    text = base64.b64encode(b"key").decode()
    ciphertext = client.secrets.transit.encrypt_data(name="site", plaintext=text)["data"]["ciphertext"]
    assert client.secrets.transit.decrypt_data(name="site", ciphertext=ciphertext)["data"]["plaintext"] == text
    with pytest.raises(hvac.exceptions.InvalidRequest):
        client.secrets.transit.decrypt_data(name="site", ciphertext="vault:v1:x")
    client.token = "another"
    with pytest.raises(hvac.exceptions.Forbidden):
        client.secrets.transit.encrypt_data(name="site", plaintext=text)


@pytest.mark.parametrize("kind", ["vault_key", "aws_key"])
def test_blobs_are_sealed_under_a_wrapped_key(
    kind: str, request: pytest.FixtureRequest, settings: Settings, directory: Any
) -> None:
    service = request.getfixturevalue(kind)
    settings.MASTER_KEYS = made("wrapped", service)
    name, _, rest = settings.MASTER_KEYS.partition(":")
    assert (name, rest.partition("#")[0]) == ("wrapped", service)
    assert wrapped_keys_open(None) == []
    blob = seal(b"photo")
    assert blob.master_key_id == "wrapped"
    assert opened(blob) == b"photo"
    # What the service opens is what it wrapped, under that name.
    entry = named_keys.parse("MASTER_KEYS", settings.MASTER_KEYS)["wrapped"]
    assert entry.key() not in settings.MASTER_KEYS.encode()
    settings.MASTER_KEYS = f"wrapped:{base64.b64encode(entry.key()).decode()}"
    assert opened(blob) == b"photo"


def test_the_name_is_part_of_what_aws_wraps(aws_key: str, settings: Settings) -> None:
    settings.MASTER_KEYS = made("one", aws_key).replace("one:", "two:", 1)
    assert ["'two'" in found.msg for found in wrapped_keys_open(None)] == [True]


def test_the_service_is_asked_once_for_many_blobs(
    transit: Transit, vault_key: str, settings: Settings, directory: Any
) -> None:
    settings.MASTER_KEYS = made("wrapped", vault_key)
    forget()
    transit.asked.clear()
    for _ in range(3):
        assert opened(seal(b"photo")) == b"photo"
    assert transit.asked == {"decrypt": 1}


def test_a_service_that_is_away_loses_nothing(
    transit: Transit, vault_key: str, settings: Settings, directory: Any
) -> None:
    settings.MASTER_KEYS = made("wrapped", vault_key)
    blob = seal(b"photo")
    forget()
    transit.sealed = True
    with pytest.raises(vault.Unavailable) as refused:
        opened(blob)
    assert transit.token not in str(refused.value)
    assert "'wrapped'" in str(refused.value)
    rows = Blob.objects.count()
    with pytest.raises(vault.Unavailable):
        seal(b"another")
    assert Blob.objects.count() == rows
    assert [found.id for found in wrapped_keys_open(None)] == ["privacy.E016"]
    transit.sealed = False
    assert opened(blob) == b"photo"


def test_from_a_key_in_the_environment_to_a_wrapped_one_and_back(
    vault_key: str, settings: Settings, directory: Any
) -> None:
    plain, wrapped = made("plain"), made("wrapped", vault_key)
    settings.MASTER_KEYS = plain
    first = seal(b"first")
    settings.MASTER_KEYS = f"{plain},{wrapped}"
    assert seal(b"x").master_key_id == "plain"
    settings.MASTER_KEYS = f"{wrapped},{plain}"
    second = seal(b"second")
    assert second.master_key_id == "wrapped"
    assert (opened(first), opened(second)) == (b"first", b"second")
    assert "plain: opens only; 2 blobs alive" in in_use()
    settings.MASTER_KEYS = wrapped
    with pytest.raises(CommandError, match="master key plain for 2 blobs"):
        in_use()


def in_use() -> str:
    out = StringIO()
    call_command("keys_in_use", stdout=out)
    return out.getvalue()


def test_a_signing_key_may_be_wrapped_and_is_known_to_be_needed(vault_key: str, settings: Settings) -> None:
    settings.SIGNING_KEYS = f"{made('wrapped', vault_key)},{settings.SIGNING_KEYS}"
    receipt = receipts.issue(group=uuid4(), elsewhere=[], outcome="done")
    assert receipt.key_id == "wrapped"
    assert receipts.verify(receipt.document).ok
    assert "signing  wrapped: active; 1 receipts" in in_use()
    public = signing.public_keys()["wrapped"]["public_key"]
    settings.SIGNING_KEYS = settings.SIGNING_KEYS.split(",")[1]
    with pytest.raises(CommandError, match="signing key wrapped for 1 receipts"):
        in_use()
    settings.RETIRED_SIGNING_KEYS = f"wrapped:{public}"
    assert "signing  wrapped: retired" in in_use()


@pytest.mark.parametrize(
    "entry",
    [
        "one:http://kms.example/key#AAAA", "one:hcvault://vault.example/transit/site#AAAA", "one:aws-kms://key#AAAA",
        "one:hcvault://user:pass@vault.example/transit/keys/site#AAAA", "one:hcvault://v/transit/keys/site#",
        "one:hcvault://v/transit/keys/../x#AAAA",
    ],
)  # fmt: skip
def test_what_names_no_service_is_refused_unasked(entry: str, settings: Settings) -> None:
    settings.MASTER_KEYS = entry
    with pytest.raises(Exception, match="MASTER_KEYS: each entry is NAME:KEY"):
        crypto.active_master_key()


@pytest.mark.parametrize("name", ["", "a:b", "a,b", "x" * 65])
def test_a_key_needs_a_name_that_can_be_written(name: str) -> None:
    with pytest.raises(CommandError, match="name"):
        made(name)
