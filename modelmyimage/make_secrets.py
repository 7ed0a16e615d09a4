"""The secrets of a new site, each a file: ``python -m modelmyimage.make_secrets FOLDER`` makes those that are missing.

What is there is never changed: a replaced key would make receipts unverifiable, a replaced password would lock the site
out of its database. ``deploy/compose/docker-compose.yml`` names each file; what only the operator knows (mail server,
Stripe) is made empty or with its default, to be filled in.

The folder is for its owner alone. The files in it can be read by whoever reaches them, since that is how Compose hands
them to processes that are not root.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PLACES: Final[Mapping[str, str]] = {
    "postgres": "postgres:5432",
    "broker": "broker:6379",
    "keystore": "keystore:6379",
}
"""Where a site's servers are: ``host:port`` by the names that the compose file gives them."""
TO_BE_FILLED_IN: Final = ("email_url", "stripe_secret_key", "stripe_webhook_secret")
YEARS: Final = 10


def make(folder: Path, places: Mapping[str, str] = PLACES) -> list[str]:
    """Make each file that is missing; returns their names.

    Raises ``OSError``, also where a part of what belongs together is there and another is not.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # it may have been there, as the folder that a container is given has to be
    (folder / "providers").mkdir(mode=0o755, exist_ok=True)
    made: list[str] = []
    for group in _groups(places):
        there = sorted(name for name in group if (folder / name).exists())
        if len(there) == len(group):
            continue
        if there:
            lacking = ", ".join(sorted(set(group) - set(there)))
            raise FileExistsError(f"{', '.join(there)} without {lacking}: restore those, or remove these.")
        for name, text in group.items():
            _write(folder / name, text, 0o644 if name in TO_BE_FILLED_IN else 0o444)
            made.append(name)
    return made


def _groups(places: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The files, those together that belong together: a password and the address that contains it."""
    yield {"secret_key": secrets.token_urlsafe(48)}
    yield {"master_keys": _named_key()}
    yield {"signing_keys": _named_key()}
    yield {"postgres_admin_password": _random()}
    password = _random()
    yield {"postgres_password": password, "database_url": f"postgres://site:{password}@{places['postgres']}/site"}
    password = _random()
    yield {
        "broker_conf": _rights(password),
        "broker_url": f"redis://:{password}@{places['broker']}/0",
        "cache_url": f"redis://:{password}@{places['broker']}/1",
    }
    password = _random()
    yield {
        "keystore_conf": _rights(password),
        "keystore_url": f"redis://:{password}@{places['keystore']}/0",
    }
    name, password = secrets.token_hex(10), _random()
    yield {
        "s3_auth_key": f'"{name},{password}"',  # rclone reads a list, of which this is one entry
        "s3_credentials": f"[default]\naws_access_key_id = {name}\naws_secret_access_key = {password}",
    }
    certificate, key = _certificate("s3")
    yield {"s3_certificate": certificate, "s3_private_key": key}
    for name in TO_BE_FILLED_IN:
        yield {name: "smtp://localhost:25" if name == "email_url" else ""}


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        os.fchmod(file.fileno(), mode)  # whatever the umask says


def _rights(password: str) -> str:
    """Whoever has the password of a Valkey reads and writes keys, and may ask how it is set up, but not change it.

    So nobody who stole it has the key store write to disk, or send all it has to a replica.
    """
    return f"user default on >{password} ~* &* +@all -@dangerous +info +config|get"


def _random() -> str:
    return secrets.token_urlsafe(32)


def _named_key() -> str:
    name = f"{datetime.date.today():%Y%m}-{secrets.token_hex(3)}"
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _certificate(name: str) -> tuple[str, str]:
    """A certificate that vouches for itself, and its key: who has the file knows the server, and nobody else need."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode().strip(), secret.decode().strip()


def main(arguments: list[str]) -> int:
    """Say what was made; exit code 1 and one line when that cannot be."""
    if len(arguments) != 1:
        print("Say which folder: python -m modelmyimage.make_secrets deploy/compose/secrets", file=sys.stderr)
        return 1
    try:
        made = make(Path(arguments[0]))
    except OSError as error:
        print(f"Nothing more was made. {error}", file=sys.stderr)
        return 1
    print("Made: " + ", ".join(made) if made else "Everything is there already.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
