"""Every kind of source, held to the suite that is shipped for them."""

import pytest

from offramp.testing.source_contract import SourceContract
from offramp.testing.source_world import SourceWorld
from tests.integration.data.sources.file_world import FolderWorld, bucket_world


class TestDatabase(SourceContract):
    @pytest.fixture
    def world(self, tmp_path):
        return SourceWorld(folder=tmp_path)


class TestFolder(SourceContract):
    @pytest.fixture
    def world(self, tmp_path):
        return FolderWorld(folder=tmp_path)


class TestBucket(SourceContract):
    @pytest.fixture
    def world(self, tmp_path, bucket):
        return bucket_world(tmp_path, bucket)


class TestService(SourceContract):
    @pytest.fixture
    def world(self, asked):
        return asked
