"""What the worlds of these tests stand on."""

import pytest

from offramp.testing.participant import serve as serve_participant
from tests.integration.data.sources.http_world import http_world, new_participant
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


@pytest.fixture
def asked(tmp_path):
    """A world whose further source is a service on a socket of this machine."""
    participant = new_participant()
    with serve_participant(participant) as address:
        world = http_world(tmp_path, participant, address)
        yield world
        for source in world.others.values():
            source.close()
