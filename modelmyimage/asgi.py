"""The site as an ASGI application, behind the cap on request bodies."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from modelmyimage.bodylimit import FORM_OVERHEAD, BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")

# Only the create page takes files; everything else is a form.
application = BodyLimit(
    get_asgi_application(),
    limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    larger={"/create": settings.UPLOAD_LIMIT_BYTES + FORM_OVERHEAD},
    machines=frozenset({"/billing/webhook"}),
)
