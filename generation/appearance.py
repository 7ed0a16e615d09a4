"""Which properties of materials, textures and images a mesh may keep; all others disappear. In the confined process.

The tables below are the whole list. A texture stays when the surface has the coordinates it needs and its picture
lies in the file; the picture is checked by decoding it, and written without any tag.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from generation import untag
from generation.accessors import entries, integer, numbers, view
from generation.confined import Refusal
from generation.glb import Container
from generation.pixels import DECODERS

MAX_TEXTURE_PIXELS: Final = 8192 * 8192
MAX_ALL_PIXELS: Final = 4 * MAX_TEXTURE_PIXELS
FORMATS: Final = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}
SAMPLER_VALUES: Final = {
    "magFilter": {9728, 9729},
    "minFilter": {9728, 9729, 9984, 9985, 9986, 9987},
    "wrapS": {33071, 33648, 10497},
    "wrapT": {33071, 33648, 10497},
}

Reader = Callable[["Appearance", Any], Any]


def _number(least: float | None = None, most: float | None = None) -> Reader:
    """Reads a number, brought into its range."""

    def read(_: Appearance, value: Any) -> float:
        (found,) = numbers([value], 1)
        found = found if least is None else max(least, found)
        return found if most is None else min(most, found)

    return read


def _vector(length: int, most: float | None = 1.0) -> Reader:
    """Reads numbers from 0 to ``most``."""

    def read(_: Appearance, value: Any) -> list[float]:
        return [max(0.0, item if most is None else min(most, item)) for item in numbers(value, length)]

    return read


def _flag(_: Appearance, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refusal("damaged")
    return value


def _alpha_mode(_: Appearance, value: Any) -> str:
    if value not in ("OPAQUE", "MASK", "BLEND"):
        raise Refusal("damaged")
    return str(value)


def _texture(**more: Reader) -> Reader:
    """Reads a reference to a texture, with the properties in ``more``; None when the texture cannot be drawn."""

    def read(appearance: Appearance, value: Any) -> dict[str, Any] | None:
        return appearance.reference(value, more)

    return read


UNIT, POSITIVE, ANY = _number(0, 1), _number(0), _number()
COLOUR, TEXTURE = _vector(3), _texture()
NORMAL_TEXTURE = _texture(scale=ANY)
METALLIC_ROUGHNESS: Final[dict[str, Reader]] = {
    "baseColorFactor": _vector(4),
    "baseColorTexture": TEXTURE,
    "metallicFactor": UNIT,
    "roughnessFactor": UNIT,
    "metallicRoughnessTexture": TEXTURE,
}
MATERIAL: Final[dict[str, Reader]] = {
    "pbrMetallicRoughness": lambda appearance, value: appearance.kept(value, METALLIC_ROUGHNESS),
    "normalTexture": NORMAL_TEXTURE,
    "occlusionTexture": _texture(strength=UNIT),
    "emissiveTexture": TEXTURE,
    "emissiveFactor": COLOUR,
    "alphaMode": _alpha_mode,
    "alphaCutoff": POSITIVE,
    "doubleSided": _flag,
}
MATERIAL_EXTENSIONS: Final[dict[str, dict[str, Reader]]] = {
    "KHR_materials_unlit": {},
    "KHR_materials_emissive_strength": {"emissiveStrength": POSITIVE},
    "KHR_materials_ior": {"ior": _number(1)},
    "KHR_materials_dispersion": {"dispersion": POSITIVE},
    "KHR_materials_clearcoat": {
        "clearcoatFactor": UNIT,
        "clearcoatTexture": TEXTURE,
        "clearcoatRoughnessFactor": UNIT,
        "clearcoatRoughnessTexture": TEXTURE,
        "clearcoatNormalTexture": NORMAL_TEXTURE,
    },
    "KHR_materials_sheen": {
        "sheenColorFactor": COLOUR,
        "sheenColorTexture": TEXTURE,
        "sheenRoughnessFactor": UNIT,
        "sheenRoughnessTexture": TEXTURE,
    },
    "KHR_materials_specular": {
        "specularFactor": UNIT,
        "specularTexture": TEXTURE,
        "specularColorFactor": _vector(3, None),
        "specularColorTexture": TEXTURE,
    },
    "KHR_materials_transmission": {"transmissionFactor": UNIT, "transmissionTexture": TEXTURE},
    "KHR_materials_volume": {
        "thicknessFactor": POSITIVE,
        "thicknessTexture": TEXTURE,
        "attenuationDistance": _number(1e-6),
        "attenuationColor": COLOUR,
    },
    "KHR_materials_iridescence": {
        "iridescenceFactor": UNIT,
        "iridescenceTexture": TEXTURE,
        "iridescenceIor": _number(1),
        "iridescenceThicknessMinimum": POSITIVE,
        "iridescenceThicknessMaximum": POSITIVE,
        "iridescenceThicknessTexture": TEXTURE,
    },
    "KHR_materials_anisotropy": {
        "anisotropyStrength": UNIT,
        "anisotropyRotation": ANY,
        "anisotropyTexture": TEXTURE,
    },
    "KHR_materials_diffuse_transmission": {
        "diffuseTransmissionFactor": UNIT,
        "diffuseTransmissionTexture": TEXTURE,
        "diffuseTransmissionColorFactor": COLOUR,
        "diffuseTransmissionColorTexture": TEXTURE,
    },
}
TEXTURE_TRANSFORM: Final[dict[str, Reader]] = {
    "offset": lambda _, value: numbers(value, 2),
    "rotation": ANY,
    "scale": lambda _, value: numbers(value, 2),
}
UNDERSTOOD: Final = frozenset(
    {*MATERIAL_EXTENSIONS, "KHR_texture_transform", "KHR_mesh_quantization", "EXT_texture_webp"}
)


class Appearance:
    """Collects what the surfaces of one mesh use, in order of use.

    ``materials``, ``textures`` and ``samplers`` are ready for the new document; ``images`` holds (media type, bytes).
    """

    def __init__(self, container: Container) -> None:
        self.container = container
        self.materials: list[dict[str, Any]] = []
        self.textures: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        self.images: list[tuple[str, bytes]] = []
        self.used: set[str] = set()
        self.required: set[str] = set()
        self._new: dict[tuple[Any, ...], int] = {}
        self._sets: frozenset[int] = frozenset()
        self._pixels = 0

    def material(self, index: int, sets: frozenset[int]) -> int:
        """The new index of a material, for a surface with these sets of texture coordinates. Raises ``Refusal``."""
        key = ("material", index, sets)
        if key not in self._new:
            self._sets = sets
            source = entries(self.container.document, "materials")[index]
            material = self.kept(source, MATERIAL)
            if extensions := self._extensions(source, MATERIAL_EXTENSIONS):
                material["extensions"] = extensions
            self._new[key] = _append(self.materials, material)
        return self._new[key]

    def kept(self, source: Any, table: dict[str, Reader]) -> dict[str, Any]:
        """The properties of ``source`` that ``table`` names, read by it."""
        if not isinstance(source, dict):
            raise Refusal("damaged")
        read = {name: reader(self, source[name]) for name, reader in table.items() if name in source}
        return {name: value for name, value in read.items() if value is not None}

    def _extensions(self, source: dict[str, Any], tables: dict[str, dict[str, Reader]]) -> dict[str, Any]:
        found = source.get("extensions", {})
        if not isinstance(found, dict):
            raise Refusal("damaged")
        result = {name: self.kept(found[name], table) for name, table in tables.items() if name in found}
        self.used |= result.keys()
        return result

    def reference(self, value: Any, more: dict[str, Reader]) -> dict[str, Any] | None:
        """A reference to a texture for the new document; None without the coordinates or the picture for it."""
        result = self.kept(value, more)
        coordinates = integer(value.get("texCoord", 0), below=8)
        extensions = value.get("extensions", {})
        if not isinstance(extensions, dict):
            raise Refusal("damaged")
        if "KHR_texture_transform" in extensions:
            transform = self.kept(extensions["KHR_texture_transform"], TEXTURE_TRANSFORM)
            coordinates = integer(extensions["KHR_texture_transform"].get("texCoord", coordinates), below=8)
            result["extensions"] = {"KHR_texture_transform": transform}
        if coordinates not in self._sets:
            return None
        texture = self._texture(value.get("index"))
        if texture is None:
            return None
        self.used |= result.get("extensions", {}).keys()
        if coordinates:
            result["texCoord"] = coordinates
        return {**result, "index": texture}

    def _texture(self, index: Any) -> int | None:
        sources = entries(self.container.document, "textures")
        source = sources[integer(index, below=len(sources))]
        key = ("texture", index)
        if key in self._new:
            return self._new[key]
        texture: dict[str, Any] = {}
        extension = source.get("extensions", {})
        webp = extension.get("EXT_texture_webp", {}) if isinstance(extension, dict) else None
        if not isinstance(webp, dict):
            raise Refusal("damaged")
        for named in (source.get("source"), webp.get("source")):
            if named is None:
                continue
            image = self._image(named)
            if self.images[image][0] == "image/webp":
                texture["extensions"] = {"EXT_texture_webp": {"source": image}}
                self.used.add("EXT_texture_webp")
            else:
                texture["source"] = image
        if not texture:
            return None
        if "source" not in texture:
            self.required.add("EXT_texture_webp")
        if "sampler" in source:
            texture["sampler"] = self._sampler(source["sampler"])
        self._new[key] = _append(self.textures, texture)
        return self._new[key]

    def _sampler(self, index: Any) -> int:
        sources = entries(self.container.document, "samplers")
        source = sources[integer(index, below=len(sources))]
        key = ("sampler", index)
        if key not in self._new:
            sampler = {name: source[name] for name in SAMPLER_VALUES if name in source}
            for name, value in sampler.items():
                if not isinstance(value, int) or value not in SAMPLER_VALUES[name]:
                    raise Refusal("damaged")
            self._new[key] = _append(self.samplers, sampler)
        return self._new[key]

    def _image(self, index: Any) -> int:
        sources = entries(self.container.document, "images")
        source = sources[integer(index, below=len(sources))]
        key = ("image", index)
        if key not in self._new:
            data, _ = view(self.container, source.get("bufferView"))
            self._new[key] = _append(self.images, self._checked(data))
        return self._new[key]

    def _checked(self, data: memoryview) -> tuple[str, bytes]:
        """Media type by content, and the picture without tags. Raises ``Refusal``: image."""
        kind = untag.kind_of(data)
        if kind is None:
            raise Refusal("image")
        try:
            clean = untag.without_tags(data)
            picture = DECODERS[FORMATS[kind]](io.BytesIO(clean))
            pixels = picture.width * picture.height
            self._pixels += pixels
            if pixels > MAX_TEXTURE_PIXELS or self._pixels > MAX_ALL_PIXELS:
                raise Refusal("image")
            picture.load()
        except (Refusal, MemoryError):
            raise
        except Exception:
            # As in pixels.redraw: decoders meet a hostile file with errors of every class.
            raise Refusal("image") from None
        return f"image/{kind}", clean


def _append(where: list[Any], what: Any) -> int:
    where.append(what)
    return len(where) - 1
