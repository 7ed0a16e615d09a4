"""``python -m tests.fuzz.seeds``: writes the seeds in ``corpus/``, small files of ours that each target takes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parent / "corpus"
MOMENT = "2026-11-25T10:00:00+00:00"


def pictures() -> dict[str, bytes]:
    """One of each kind that we take, with tags, turned, transparent, grey, in a palette."""
    from PIL import Image

    found = {}
    small = Image.linear_gradient("L").resize((64, 64))
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = 6, "somebody"
    for name, image, form, options in (
        ("turned.jpg", small.convert("RGB"), "JPEG", {"exif": tags, "quality": 40, "comment": b"words"}),
        ("grey.jpg", small, "JPEG", {"progressive": True}),
        ("transparent.png", Image.merge("LA", (small, small)), "PNG", {}),
        ("palette.png", small.convert("P"), "PNG", {"transparency": 0, "exif": tags}),
        ("wide.png", small.convert("I;16"), "PNG", {}),
        ("plain.webp", small.convert("RGB"), "WEBP", {"exif": tags, "quality": 30}),
        ("plain.avif", small.convert("RGB"), "AVIF", {"quality": 30}),
    ):
        file = io.BytesIO()
        image.save(file, form, **options)
        found[name] = file.getvalue()
    return found


def meshes() -> dict[str, bytes]:
    """A cube, and one with a texture, a node that turns it, and everything in its material."""
    from tests.generation.glbs import CORNERS, SIDES, Sketch, cube, picture

    plain = cube().glb()
    rich = Sketch()
    position, sides = rich.accessor(CORNERS), rich.accessor(SIDES)
    coordinates = rich.accessor(CORNERS[:, :2].copy())
    image = rich.view(picture("PNG"))
    texture = {"index": 0, "texCoord": 0, "extensions": {"KHR_texture_transform": {"scale": [2, 2]}}}
    rich.document.update(
        nodes=[
            {"mesh": 0, "rotation": [0, 0.7071068, 0, 0.7071068], "translation": [1, 2, 3], "name": "x", "extras": {}}
        ],
        images=[{"bufferView": image, "mimeType": "image/png"}],
        textures=[{"source": 0, "sampler": 0}],
        samplers=[{"wrapS": 33071}],
        materials=[
            {
                "pbrMetallicRoughness": {"baseColorTexture": texture, "metallicFactor": 0.5},
                "alphaMode": "MASK",
                "alphaCutoff": 0.4,
                "doubleSided": True,
                "emissiveFactor": [0.1, 0.2, 0.3],
            }
        ],
        meshes=[
            {
                "primitives": [
                    {"attributes": {"POSITION": position, "TEXCOORD_0": coordinates}, "indices": sides, "material": 0}
                ]
            }
        ],
        extensionsUsed=["KHR_texture_transform"],
    )
    return {"cube.glb": plain, "rich.glb": rich.glb()}


def receipts() -> dict[str, bytes]:
    """A receipt with its line of the log left open, and one that says more."""
    from privacy import receipts, signing

    def signed(body: dict[str, Any]) -> bytes:
        return receipts.encode({"receipt": body, "signature": signing.sign(signing.canonical(body))})

    line = {
        "kind": "source", "sealed_bytes": 9, "sealed_sha256": "0" * 64, "created_at": MOMENT, "destroyed_at": MOMENT,
        "method": receipts.METHOD, "observed": {"key": "gone"},
    }  # fmt: skip
    body = {
        "format": receipts.FORMAT, "id": "00000000-0000-4000-8000-000000000001",
        "job": "00000000-0000-4000-8000-000000000002", "issued_at": MOMENT, "outcome": "done", "destroyed": [line],
        "elsewhere": [], "does_not_prove": receipts.DOES_NOT_PROVE,
    }  # fmt: skip
    bare = signed(body)
    more = json.loads(bare)
    more["log"] = {"format": "modelmyimage-log-proof/1", "salt": "0" * 64}
    return {"bare.json": bare, "waiting.json": receipts.encode(more)}


def webhooks() -> dict[str, bytes]:
    """Each door, signed and not."""
    event = json.dumps({"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}).encode()
    return {
        "stripe": b"\x00\x01\n\n" + event,
        "stripe-refund": b"\x00\x01\n\n" + event.replace(b"invoice.paid", b"charge.refunded"),
        "stripe-unsigned": b"\x00\x00stripe-signature: t=1764144000,v1=00\n\n" + event,
        "tripo": b'\x01\x01\n\n{"data": {"task_id": "1"}}',
        "tripo-unsigned": b"\x01\x00tripo-webhook-signature: t=1764144000,v1=00\n\n{}",
        "replicate": b'\x02\x01\n\n{"id": "1"}',
        "replicate-unsigned": b"\x02\x00webhook-id: 1\nwebhook-timestamp: 1764144000\nwebhook-signature: v1,AA==\n\n{}",
        "fal": b"\x03\x00x-fal-webhook-timestamp: 1764144000\nx-fal-webhook-signature: 00\n\n{}",
    }


def main() -> None:
    """Write them all."""
    from tests.fuzz.run import set_up

    set_up()
    for target, make in (("picture", pictures), ("mesh", meshes), ("receipt", receipts), ("webhook", webhooks)):
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name, data in make().items():
            (CORPUS / target / name).write_bytes(data)


if __name__ == "__main__":
    main()
