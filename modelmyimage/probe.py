"""Whether this container's web process answers: ``python -m modelmyimage.probe [PATH]`` ends with 0 if it does.

It asks as the proxy in front does, by the site's name and as if by TLS, since the site answers to nothing else. PATH is
``/livez`` unless said otherwise. Standard library alone: it runs every few seconds.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

SECONDS = 4.0
OK = 200


def answers(path: str) -> bool:
    """Whether the path is answered with 200 in time."""
    host = urlsplit(os.environ.get("SITE_URL", "")).netloc or "localhost"
    header = os.environ.get("PROXY_SSL_HEADER") or "X-Forwarded-Proto"
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host, header: "https"})
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers((sys.argv[1:] or ["/livez"])[0]) else 1)
