"""The endpoints from their YAML file."""

from pathlib import Path

from offramp.data.endpoint_spec import WebhookFile
from offramp.documents.yaml import parse_model


def load_webhooks(file: Path) -> WebhookFile:
    """Read which endpoints there are; every mistake is told with file, line and path.

    Raises:
        DocumentUnreadable: there is no such text file.
        DocumentInvalid: it is not a list of endpoints.
    """
    return parse_model(WebhookFile, file)
