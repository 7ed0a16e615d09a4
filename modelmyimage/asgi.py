"""The site as an ASGI application, behind the caps on request bodies and on how many come in, measured and watched."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")
site = get_asgi_application()

from accounts.recording import Recorder  # noqa: E402  # they need what was set up just now
from modelmyimage import telemetry  # noqa: E402
from modelmyimage.bodylimit import FORM_OVERHEAD, BodyLimit  # noqa: E402
from modelmyimage.everywhere import Everywhere  # noqa: E402
from modelmyimage.measuring import Measuring  # noqa: E402
from modelmyimage.metrics import Metrics  # noqa: E402
from modelmyimage.probes import Probes  # noqa: E402
from modelmyimage.receiving import PATHS, Receiving  # noqa: E402
from modelmyimage.watching import Watching  # noqa: E402

# Only the create page and the API's two ways to send take files; everything else is a form.
limited = BodyLimit(
    Receiving(site),
    limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    larger=dict.fromkeys(("/create", *PATHS), settings.UPLOAD_LIMIT_BYTES + FORM_OVERHEAD),
    machines=frozenset({"/billing/webhook"}),
)
# Probes and figures come first: they have no host name, no TLS, and are no requests of anybody's.
application = Everywhere(Probes(Metrics(Watching(Measuring(limited, Recorder())))))
telemetry.start()
