"""Numbers out of a GLB's binary chunk, each access checked to the byte. Runs inside the confined process.

Nothing is taken on trust: an accessor must lie inside its view, and a view inside the file; an integer must be one,
and in range.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from generation.confined import Refusal
from generation.glb import Container

COMPONENTS: Final = {
    5120: np.int8,
    5121: np.uint8,
    5122: np.int16,
    5123: np.uint16,
    5125: np.uint32,
    5126: np.float32,
}
LENGTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


def integer(value: Any, *, below: int, least: int = 0) -> int:
    """``value`` if it is a whole number in range. Raises ``Refusal``: out_of_range."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < below:
        raise Refusal("out_of_range")
    return value


def entries(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A top-level array of objects, empty when absent. Raises ``Refusal``: damaged."""
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Refusal("damaged")
    return value


def numbers(value: Any, length: int) -> list[float]:
    """``length`` finite numbers. Raises ``Refusal``: damaged."""
    if not isinstance(value, list) or len(value) != length:
        raise Refusal("damaged")
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        raise Refusal("damaged")
    try:
        return [float(item) for item in value]
    except OverflowError:
        raise Refusal("damaged") from None


def view(container: Container, index: Any) -> tuple[memoryview, int | None]:
    """A buffer view's bytes and its stride, if it has one. Raises ``Refusal``: out_of_range, damaged."""
    views, buffers = entries(container.document, "bufferViews"), entries(container.document, "buffers")
    found = views[integer(index, below=len(views))]
    buffer = buffers[integer(found.get("buffer"), below=min(1, len(buffers)))]
    size = integer(buffer.get("byteLength"), least=1, below=len(container.binary) + 1)
    offset = integer(found.get("byteOffset", 0), below=size)
    length = integer(found.get("byteLength"), least=1, below=size - offset + 1)
    stride = found.get("byteStride")
    if stride is not None:
        stride = integer(stride, least=4, below=253)
    return container.binary[offset : offset + length], stride


def accessor(container: Container, index: Any, *, limit: int) -> tuple[Array, bool]:
    """An accessor's (count, components) array, not copied, and whether its integers are normalised.

    Raises ``Refusal``: out_of_range, damaged, too_many_triangles (more than ``limit`` elements), sparse.
    """
    all_of_them = entries(container.document, "accessors")
    found = all_of_them[integer(index, below=len(all_of_them))]
    if "sparse" in found or "bufferView" not in found:
        raise Refusal("sparse")
    component, shape = found.get("componentType"), found.get("type")
    if not isinstance(component, int) or not isinstance(shape, str):
        raise Refusal("damaged")
    if component not in COMPONENTS or shape not in LENGTHS:
        raise Refusal("damaged")
    count = integer(found.get("count"), least=1, below=1 << 32)
    if count > limit:
        raise Refusal("too_many_triangles")
    data, stride = view(container, found["bufferView"])
    dtype = np.dtype(COMPONENTS[component]).newbyteorder("<")
    element = dtype.itemsize * LENGTHS[shape]
    step = element if stride is None else stride
    offset = integer(found.get("byteOffset", 0), below=len(data))
    if step < element or offset + step * (count - 1) + element > len(data):
        raise Refusal("out_of_range")
    array: Array = np.ndarray(
        (count, LENGTHS[shape]), dtype, buffer=data, offset=offset, strides=(step, dtype.itemsize)
    )
    return array, found.get("normalized") is True


def floats(array: Array, normalised: bool) -> Floats:
    """The numbers that an accessor's integers or floats stand for. Raises ``Refusal``: not_finite."""
    result = array.astype(np.float32)
    if normalised and array.dtype.kind in "iu":
        result = np.maximum(result / np.float32(np.iinfo(array.dtype).max), np.float32(-1))
    if not np.isfinite(result).all():
        raise Refusal("not_finite")
    return result
