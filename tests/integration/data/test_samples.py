"""The two sample applications leave: real maps, real schemas, every table and every shape."""

import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import sqlalchemy as sa
from whenever import Instant

from examples.note_taking import database as notes_database
from examples.note_taking.customers import TINY as NOTES_TINY
from examples.note_taking.generate import populate
from examples.training_platform import database as training_database
from examples.training_platform.companies import TINY as TRAINING_TINY
from examples.training_platform.generate import build
from offramp.data.check import Severity, check
from offramp.data.datamap import DataMap
from offramp.data.erasure.erase import erase
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest, export
from offramp.data.handover.members import AchievementReader
from offramp.data.proof.verify import require_clean, verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.documents.datamap import load_datamap
from tests.integration.data.school import KEY, CountingFence, no_progress, still

EXAMPLES = Path(notes_database.__file__).parents[1]
LEAVING_ON = date(2024, 8, 30)


@dataclass
class Sample:
    """A filled sample application with its map."""

    engine: sa.Engine
    datamap: DataMap
    sources: dict
    root: str

    def organizations(self):
        return self.read(f"SELECT id FROM {self.root} ORDER BY id")

    def people(self, organization):
        column = "company_id" if self.root == "companies" else "organization_id"
        chosen = f"CAST({column} AS TEXT) = '{organization}'"
        return self.read(f"SELECT id FROM users WHERE {chosen} ORDER BY id")

    def read(self, text):
        with self.engine.connect() as connection:
            return [str(value) for value in connection.execute(sa.text(text)).scalars()]

    def digest(self, **scope):
        return digest(self.datamap, self.sources, Scope(**scope))

    def leave(self, **scope):
        """Export, compare, bury, erase, verify."""
        chosen = Scope(**scope)
        sink = io.BytesIO()
        manifest = export(
            self.datamap,
            self.sources,
            chosen,
            sink,
            header={},
            taken_at=Instant.from_utc(2024, 9, 22),
            progress=no_progress,
        )
        assert digest(self.datamap, self.sources, chosen) == manifest.digests()
        tombstone = take_tombstone(
            self.datamap, self.sources, chosen, key=KEY, digests=manifest.digests()
        )
        result = erase(
            self.datamap,
            self.sources,
            chosen,
            key=KEY,
            fence=CountingFence(),
            elapsed=still,
            tombstone=tombstone,
            progress=no_progress,
            chunk_rows_max=3,
        )
        found = verify(self.datamap, self.sources, chosen, tombstone=tombstone, key=KEY)
        return json.loads(sink.getvalue()), result, found


def fill_training(url):
    build(url, seed=7, leaving_on=LEAVING_ON, members=TRAINING_TINY)
    return training_database.open_engine(url), "companies", "TRAINING_DATABASE_URL"


def fill_notes(url):
    notes_database.migrate(url)
    engine = notes_database.open_engine(url)
    populate(engine, seed=7, leaving_on=LEAVING_ON, sizes=NOTES_TINY)
    return engine, "organizations", "NOTES_DATABASE_URL"


@pytest.fixture(params=["training_platform", "note_taking"])
def sample(request, sample_url):
    fill = {"training_platform": fill_training, "note_taking": fill_notes}[request.param]
    engine, root, variable = fill(sample_url)
    datamap = load_datamap(EXAMPLES / request.param / "datamap.yaml")
    sources = open_sources(datamap, environment={variable: sample_url})
    yield Sample(engine, datamap, sources, root)
    sources["app"].close()
    engine.dispose()


def test_the_map_of_the_sample_is_complete(sample):
    """L15."""
    findings = check(sample.datamap, sample.sources)

    assert [each for each in findings if each.severity is Severity.ERROR] == []


def test_an_organization_leaves_and_its_siblings_stay_byte_identical(sample):
    """A10, L42."""
    leaving, *siblings = sample.organizations()
    before = {each: sample.digest(organization=each) for each in siblings}

    document, result, found = sample.leave(organization=leaving)

    jsonschema.validate(document, document["schema"])
    assert len(document["data"]["users"]) == result.tables["app.users"] > 0
    assert {each: sample.digest(organization=each) for each in siblings} == before
    assert sample.organizations() == siblings
    assert found.residue == {}
    require_clean(found)


def test_a_member_leaves_and_only_their_own_goes(sample):
    """S7."""
    organization, *siblings = sample.organizations()
    person, *others = sample.people(organization)
    before = {each: sample.digest(organization=each) for each in siblings}

    document, result, found = sample.leave(organization=organization, member=person)

    assert len(document["data"]["users"]) == result.tables["app.users"] == 1
    assert sample.people(organization) == others
    assert {each: sample.digest(organization=each) for each in siblings} == before
    assert sum(found.counts.values()) == sum(found.orphans.values()) == 0


def test_a_member_of_a_sibling_is_out_of_reach(sample):
    organization, sibling, *_ = sample.organizations()
    stranger = sample.people(sibling)[0]

    document, result, _ = sample.leave(organization=organization, member=stranger)

    assert not any(document["data"].values())
    assert not any(result.tables.values())
    assert stranger in sample.people(sibling)


def test_a_product_leaves_alone(sample):
    """B1: several products, one clock each."""
    products = sorted({rule.product for rule in sample.datamap.tables.values()} - {None})
    organization = sample.organizations()[0]
    people = sample.people(organization)

    for product in products:
        _, result, found = sample.leave(organization=organization, product=product)
        assert sum(result.tables.values()) > 0
        assert found.clean
    assert sample.people(organization) == people


def test_achievements_are_read_for_all_members(sample):
    """A3."""
    organization = sample.organizations()[0]
    people = sample.people(organization)

    earned = AchievementReader(sample.datamap, sample.sources, organization).read(people)

    assert bool(earned) == bool(sample.datamap.achievements)
    assert set(earned) <= set(people)
