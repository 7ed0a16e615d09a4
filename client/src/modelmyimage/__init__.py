"""ModelMyImage from Python: a photo in, a 3D model out, nothing kept.

from modelmyimage import Client

with Client() as client:
    client.generate("photo.jpg", "model.glb", quality="high")
"""

from modelmyimage.aio import AsyncClient
from modelmyimage.errors import (
    ApiError,
    Conflict,
    Error,
    Gone,
    JobEnded,
    KeyRefused,
    NoCredits,
    NotAllowed,
    NotAPhoto,
    NotConnected,
    NotFound,
    NotSetUp,
    Refused,
    SiteFault,
    TimedOut,
    TooMany,
    Unreadable,
)
from modelmyimage.http import VERSION as __version__
from modelmyimage.shapes import (
    AccessKey,
    Asset,
    Balance,
    Credits,
    Job,
    Line,
    Provider,
    Receipt,
    Said,
    Usage,
    UsageRow,
    Wishes,
)
from modelmyimage.sync import Client
from modelmyimage.tags import Photo, photo_of, without_tags

__all__ = [
    "AccessKey",
    "ApiError",
    "Asset",
    "AsyncClient",
    "Balance",
    "Client",
    "Conflict",
    "Credits",
    "Error",
    "Gone",
    "Job",
    "JobEnded",
    "KeyRefused",
    "Line",
    "NoCredits",
    "NotAPhoto",
    "NotAllowed",
    "NotConnected",
    "NotFound",
    "NotSetUp",
    "Photo",
    "Provider",
    "Receipt",
    "Refused",
    "Said",
    "SiteFault",
    "TimedOut",
    "TooMany",
    "Unreadable",
    "Usage",
    "UsageRow",
    "Wishes",
    "__version__",
    "photo_of",
    "without_tags",
]
