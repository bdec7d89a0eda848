"""The two sample applications come back: real maps, real schemas, byte for byte."""

import pytest

from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.documents.datamap import load_datamap
from tests.integration.data.leaving import come_back, data_of, leave, take, totals
from tests.integration.data.test_samples import EXAMPLES, Sample, fill_notes, fill_training


@pytest.fixture(params=["training_platform", "note_taking"])
def sample(request, sample_url):
    fill = {"training_platform": fill_training, "note_taking": fill_notes}[request.param]
    engine, root, variable = fill(sample_url)
    datamap = load_datamap(EXAMPLES / request.param / "datamap.yaml")
    sources = open_sources(datamap, environment={variable: sample_url})
    yield Sample(engine, datamap, sources, root)
    sources["app"].close()
    engine.dispose()


def test_an_organization_leaves_and_comes_back_byte_identical(sample, tmp_path):
    """A9: after deletion; L42: its siblings notice nothing."""
    organization, *siblings = sample.organizations()
    scope = Scope(organization=organization)
    before = {each: sample.digest(organization=each) for each in siblings}
    take(sample, scope, tmp_path / "out.json")
    leave(sample, scope)

    first = come_back(sample, tmp_path / "out.json")
    second = come_back(sample, tmp_path / "out.json")

    take(sample, scope, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")
    assert totals(first)["added"] > 0
    assert totals(second) | {"present": 0} == {"added": 0, "present": 0, "relinked": 0, "moved": 0}
    assert {each: sample.digest(organization=each) for each in siblings} == before
    assert sample.organizations() == [organization, *siblings]


def test_an_organization_that_never_left_loses_nothing_by_a_restore(sample, tmp_path):
    """A9: before deletion."""
    organization = sample.organizations()[0]
    before = {each: sample.digest(organization=each) for each in sample.organizations()}
    take(sample, Scope(organization=organization), tmp_path / "out.json")

    result = come_back(sample, tmp_path / "out.json")

    assert totals(result)["added"] == totals(result)["relinked"] == 0
    assert {each: sample.digest(organization=each) for each in sample.organizations()} == before


def test_a_member_leaves_and_comes_back(sample, tmp_path):
    """S7."""
    organization = sample.organizations()[0]
    person = sample.people(organization)[-1]
    scope = Scope(organization=organization, member=person)
    take(sample, scope, tmp_path / "out.json")
    leave(sample, scope)

    come_back(sample, tmp_path / "out.json")

    take(sample, scope, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")
    assert person in sample.people(organization)
