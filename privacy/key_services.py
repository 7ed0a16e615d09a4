"""Keys that a key service wraps, so that what starts a site is of no use without the right to ask that service.

``aws-kms://ARN`` is a key of AWS KMS (credentials as boto3 finds them), ``hcvault://HOST[:PORT]/MOUNT/keys/NAME`` one
of the transit engine of HashiCorp Vault or OpenBao (``VAULT_TOKEN``; over TLS, but for an agent on this machine). Both
speak through Tink's own integrations. A service is asked once for each wrapped key in the life of a process, never for
a blob (docs/adr/0039).
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

import tink
from tink import aead

from privacy.errors import Unavailable

AWS: Final = re.compile(r"aws-kms://arn:aws[a-z-]*:kms:([a-z0-9-]+):\d+:[a-z]+/[\w/-]+")
VAULT: Final = re.compile(r"hcvault://[\w.:\[\]-]+/(?:[\w.-]+/)+keys/[\w.-]+")
ON_THIS_MACHINE: Final = {"127.0.0.1", "localhost", "::1"}
CONNECT_SECONDS, ANSWER_SECONDS = 3, 5


def known(uri: str) -> bool:
    """Whether a URI names a key of a service that we can ask."""
    return bool(AWS.fullmatch(uri) or VAULT.fullmatch(uri))


@lru_cache(maxsize=64)
def opened(uri: str, name: str, wrapped: bytes) -> bytes:
    """What the service wrapped for the key of that name. Raises ``Unavailable``, and is then asked again next time."""
    return _asked(uri, "decrypt", wrapped, name)


def wrapped(uri: str, name: str, key: bytes) -> bytes:
    """The key as only the service can open it again. Raises ``Unavailable``."""
    return _asked(uri, "encrypt", key, name)


def _asked(uri: str, question: str, content: bytes, name: str) -> bytes:
    try:
        service, context = _aws(uri, name) if AWS.fullmatch(uri) else _vault(uri)
        return cast(bytes, getattr(service, question)(content, context))
    except Exception as error:
        # Its text may quote the request, and a missing credential, a refusal and a silence come as many types.
        cause = error.args[0] if isinstance(error, tink.TinkError) and error.args else error
        raise Unavailable(f"The key service did not {question} the key {name!r} ({type(cause).__name__}).") from None


def _aws(uri: str, name: str) -> tuple[aead.Aead, bytes]:
    """A key of AWS KMS; the name goes along as encryption context, so that a key policy can tell keys apart."""
    import boto3
    from botocore.config import Config
    from tink.integration import awskms

    match = AWS.fullmatch(uri)
    assert match is not None
    limits = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"mode": "standard", "max_attempts": 3},
    )
    client: Any = boto3.session.Session().client("kms", region_name=match[1], config=limits)
    return awskms.new_client(boto3_client=client, key_uri=uri).get_aead(uri), name.encode()


def _vault(uri: str) -> tuple[aead.Aead, bytes]:
    """A key of Vault's; Tink's integration takes no context with it."""
    import hvac
    from tink.integration import hcvault

    place = urlsplit(uri)
    scheme = "http" if place.hostname in ON_THIS_MACHINE else "https"
    client = hvac.Client(
        url=f"{scheme}://{place.netloc}",
        namespace=os.environ.get("VAULT_NAMESPACE") or None,
        timeout=ANSWER_SECONDS,
        allow_redirects=False,
    )
    return hcvault.new_aead(place.path, client), b""
