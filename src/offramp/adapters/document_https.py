"""One small document from a host that we name ourselves, over HTTPS.

It is for hosts that no message can choose. A redirect is no document; nothing is sent along.

Source: docs/decisions/029-returned-mail.md; RFC 9110.
"""

import http.client
import ssl
from contextlib import closing
from http import HTTPStatus

from offramp.core.errors import Unavailable

BYTES_MAX = 64 * 1024
TIMEOUT_SECONDS = 10.0  # for any one answer


class DocumentUnavailable(Unavailable):
    """{host} does not give what is asked of it: {reason}."""


def fetch_document(
    host: str, target: str, *, port: int = http.client.HTTPS_PORT, tls: ssl.SSLContext | None = None
) -> bytes:
    """Ask a host for what is at a path and query.

    Raises:
        DocumentUnavailable: it is not there, or too large, or the host is somebody else.
    """
    context = tls or ssl.create_default_context()
    client = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
    try:
        with closing(client):
            client.request("GET", target, headers={"User-Agent": "Offramp"})
            answer = client.getresponse()
            document = answer.read(BYTES_MAX + 1)
    except (OSError, http.client.HTTPException) as error:
        raise DocumentUnavailable(host=host, reason=type(error).__name__) from error
    if answer.status != HTTPStatus.OK:
        raise DocumentUnavailable(host=host, reason=str(answer.status))
    if len(document) > BYTES_MAX:
        raise DocumentUnavailable(host=host, reason=f"it is larger than {BYTES_MAX} bytes")
    return document
