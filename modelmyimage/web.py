"""The web server process: uvicorn with our limits, our logs, and no access log.

An access log would tie people's addresses to what they looked at. ``python -m modelmyimage.web`` reads HOST and
PORT; a reverse proxy's headers are believed only from the addresses in FORWARDED_ALLOW_IPS.
"""

import os

import uvicorn

from modelmyimage.logs import hush_crashes


def main() -> None:
    """Serve until told to stop; open event streams are given 3 s."""
    from modelmyimage import metrics
    from modelmyimage.asgi import application  # a mistake in the settings is still told in full

    hush_crashes()
    from django.conf import settings

    if settings.METRICS_PORT:
        metrics.listen(state=True)
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "")
    uvicorn.run(
        application,
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "8000")),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
