"""The providers that jobs go to: stand-ins for three hosted services and a server of one's own, behind one way out.

They answer for the vendors' own host names, by TLS, with a certificate that the site is told to trust; so the site runs
as in production, through its egress proxy, with the adapters as they are. Each remembers every call that it took: a
call taken is a call paid. Pictures carry their job's number in their colour, by which calls and jobs are matched.
"""

from __future__ import annotations

import datetime
import io
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import trimesh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image, ImageDraw

from benchmarks.chaos.line import Address, Line
from sandbox.providers.cog import CogSimulator
from sandbox.providers.meshy import MeshySimulator
from sandbox.providers.simulator import Answer, Call, Simulator
from sandbox.providers.stability import StabilitySimulator
from sandbox.providers.tripo import TripoSimulator

HOSTS: Final = {
    "meshy": ("api.meshy.ai", "assets.meshy.ai"),
    "tripo": ("openapi.tripo3d.ai", "files.data.tripo3d.com"),
    "stability-sf3d": ("api.stability.ai", "api.stability.ai"),
}
"""Where each hosted service is asked, and where its files lie."""
PRICE: Final = 6
"""Credits for a model at any of them, so that a job may go from one to the next."""
STEPS: Final = 8
"""Shades of each of the three colours that a number is written in."""


class SlowStability(StabilitySimulator):
    """Its answer takes a while, as the real one's does: long enough to be killed in."""

    def file(self, call: Call) -> Answer:
        """The mesh, late."""
        return replace(super().file(call), delay=self.behaviour.seconds or 0.0)


class Vendors:
    """All of them, running, with the way out that leads to them. ``seconds``: how long a call takes there."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.certificate = folder / "vendors.pem"
        tls = _certified(self.certificate)
        self.running: dict[str, Simulator] = {
            "meshy": MeshySimulator(tls=tls),
            "tripo": TripoSimulator(tls=tls),
            "stability-sf3d": SlowStability(tls=tls),
            "cog": CogSimulator(),
        }
        mesh = bytes(trimesh.creation.icosphere(subdivisions=3).export(file_type="glb"))
        routes: dict[str, Address] = {}
        for name, one in self.running.items():
            one.behaviour.mesh, one.behaviour.seconds = mesh, seconds if name != "cog" else 0.5
            place = ("127.0.0.1", int(one.url.rpartition(":")[2]))
            routes |= {f"{host}:443": place for host in HOSTS.get(name, ())}
            if name in HOSTS:
                one.files = f"https://{HOSTS[name][1]}"
            else:
                routes[one.url.partition("//")[2]] = place
        tripo = self.running["tripo"]
        assert isinstance(tripo, TripoSimulator)
        tripo.most_running = 1000
        self.way_out = Line(routes=routes)

    @property
    def settings(self) -> dict[str, str]:
        """What the site has to be told to use them, and nobody else."""
        return {
            "EGRESS_PROXY": f"http://127.0.0.1:{self.way_out.port}",
            "SSL_CERT_FILE": str(self.certificate),
            "PROVIDERS": ",".join(["embedded", *self.running]),
            "PROVIDER_CREDITS": ",".join(
                [f"{name}:{PRICE}/{PRICE}/{PRICE}" for name in self.running]
                # Our own engine costs more, so nobody comes to it who did not ask: it would take the machine.
                + [f"embedded:{PRICE + 1}/{PRICE + 1}/{PRICE + 1}"]
            ),
            "PROVIDER_SLOTS": "meshy:100,tripo:100,stability-sf3d:8,cog:1",
            "MESHY_API_KEY": MeshySimulator.key,
            "TRIPO_API_KEY": TripoSimulator.key,
            "STABILITY_API_KEY": StabilitySimulator.key,
            "COG_URL": self.running["cog"].url,
            "OPERATOR_REGION": "DE",
        }

    def close(self) -> None:
        """End all of them, and the way to them."""
        self.way_out.close()
        for one in self.running.values():
            one.close()

    def calls(self) -> dict[str, list[tuple[str, int]]]:
        """By provider, each call's id and the number in the picture that came with it."""
        return {
            name: [(call.id, number_in(call.photos[0])) for call in list(one.calls.values())]
            for name, one in self.running.items()
        }


def numbered(number: int) -> bytes:
    """A cut-out of a ball (PNG with alpha) whose colour says ``number``, 0 to 511. Raises ``ValueError``."""
    if not 0 <= number < STEPS**3:
        raise ValueError(f"{number} is no number of a picture")
    colour = tuple(20 + 28 * (number // STEPS**place % STEPS) for place in range(3))
    picture = Image.new("RGBA", (300, 280))
    ImageDraw.Draw(picture).ellipse((30, 30, 270, 250), fill=(*colour, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def number_in(picture: bytes) -> int:
    """The number in a picture that was redrawn, padded or made smaller on its way."""
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGBA")).reshape(-1, 4)
    shades = (np.median(pixels[pixels[:, 3] > 250][:, :3], axis=0) - 20) / 28
    return sum(round(float(shade)) * STEPS**place for place, shade in enumerate(shades))


def _certified(place: Path) -> ssl.SSLContext:
    """A certificate for all hosts, written to ``place`` to be trusted, and the servers' side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-ins for providers")])
    hosts: list[Any] = [x509.DNSName(host) for pair in HOSTS.values() for host in dict.fromkeys(pair)]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    place.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pair = place.with_suffix(".key")
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair.write_bytes(place.read_bytes() + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context
