"""The parts of the API's schema that no type says: bodies that are photos, answers that are models or event streams."""

from __future__ import annotations

from typing import Any, Final

from generation import api_wants
from generation.api_uploads import FIELDS

PICTURES: Final = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/avif")
BINARY: Final = {"type": "string", "format": "binary"}
REQUEST_ID: Final = {"Request-Id": {"$ref": "#/components/headers/Request-Id"}}

SIDES: Final = {
    "image": "The photo; of several, the one of the front.",
    "image_left": "The same object from its left, for providers that take it.",
    "image_back": "From behind.",
    "image_right": "From its right.",
}


LINKS: Final = {
    operation: {"operationId": operation, "parameters": {"job_id": "$response.body#/id"}}
    for operation in (
        "get_job", "follow_job", "cancel_job", "fetch_asset", "destroy_asset", "get_receipt",
    )
}  # fmt: skip
"""What can be asked about a job that was just sent."""


def sending(*, idempotent: bool) -> dict[str, Any]:
    """The body and parameters of a request that brings a photo."""
    photos = {name: {**BINARY, "description": SIDES[name]} for name in FIELDS}
    form = {
        "type": "object",
        "additionalProperties": False,
        "required": ["image"],
        "properties": {**photos, **api_wants.properties()},
    }
    headers = [
        {
            "in": "header",
            "name": "Prefer",
            "required": False,
            "description": "`wait=N` answers when the model is ready, or after N seconds (60 at most).",
            "schema": {"type": "string"},
            "example": "wait=30",
        },
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "description": "Anything of up to 255 printable ASCII characters that you use for this photo only.",
            "schema": {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"},
            "example": "order-4711",
        },
    ]
    return ({"responses": {201: {"links": LINKS}}} if idempotent else {}) | {
        "parameters": [*(headers if idempotent else ()), *api_wants.parameters()],
        "requestBody": {
            "required": True,
            "description": "A form, or the photo alone. What you wish for is in the form or in the query.",
            "content": {
                "multipart/form-data": {"schema": form},
                **{media_type: {"schema": BINARY} for media_type in PICTURES},
            },
        },
    }


def model() -> dict[str, Any]:
    """An answer that is a model."""
    headers = {**REQUEST_ID, "Job-Id": {"description": "The job's id.", "schema": {"type": "string", "format": "uuid"}}}
    content = {"model/gltf-binary": {"schema": BINARY}}
    return {"responses": {200: {"description": "The GLB.", "headers": headers, "content": content}}}


def events() -> dict[str, Any]:
    """An answer that is a stream of events."""
    event = {"type": "object", "properties": {"event": {"type": "string"}, "data": {"type": "string"}}}
    content = {"text/event-stream": {"schema": event}}
    said = "Events named `state`, each with a job as JSON, as GET /jobs/{job_id} has it."
    return {"responses": {200: {"description": said, "headers": REQUEST_ID, "content": content}}}
