"""What the worlds of these tests stand on."""

import pytest

from tests.integration.data.sources.s3_server import Bucket, serve


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket of the name `uploads`, reached as obstore reaches S3."""
    found = Bucket()
    with serve({"uploads": found}) as address:
        monkeypatch.setenv("AWS_ENDPOINT", address)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        yield found
