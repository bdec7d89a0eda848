"""An application made of a few statements, with the map that was proposed for it."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from offramp.data.check import Severity, check
from offramp.data.datamap import DataMap, SqlSourceSpec
from offramp.data.handover.export import digest
from offramp.data.inference.discover import discover
from offramp.data.inference.proposal import Proposal
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource, open_sources, open_sql_source
from offramp.documents.datamap import load_datamap
from offramp.documents.datamap_writer import write_datamap
from tests.integration.data.leaving import come_back, data_of, leave, take

ONE, TWO = Scope(organization="1"), Scope(organization="2")


def run(url, *statements):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@dataclass
class Application:
    """A database, what was proposed for it, and the map that came of it."""

    url: str
    proposal: Proposal
    datamap: DataMap
    sources: dict[str, SqlSource] = field(init=False)

    def __post_init__(self):
        self.sources = open_sources(self.datamap, environment={})

    @property
    def undecided(self):
        return {each.subject: each.problem for each in self.proposal.undecided}

    @property
    def tables(self):
        return {table.name: table for table in self.proposal.tables}

    def errors(self):
        found = check(self.datamap, self.sources)
        return {(each.kind, each.subject) for each in found if each.severity is Severity.ERROR}

    def rows(self, statement):
        with self.sources["app"].engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def digest(self, scope):
        return digest(self.datamap, self.sources, scope)

    def close(self):
        for source in self.sources.values():
            source.close()


def propose(url, *, root="companies.id", **spec):
    described = {"kind": "sql", "url": url, "root": root} | spec
    source = open_sql_source("app", SqlSourceSpec.model_validate(described), environment={})
    try:
        return discover(source, known={})
    finally:
        source.close()


@contextmanager
def application(url, folder, *statements, decide=(), root="companies.id", **spec):
    """Build a database, propose a map, and write what is decided by hand into it."""
    run(url, *statements)
    proposal = propose(url, root=root, **spec)
    file = folder / "datamap.yaml"
    file.write_text(write_datamap(proposal, url=url, schema=spec.get("schema")), "utf-8")
    datamap = load_datamap(file)
    if decide:
        plain = datamap.model_dump(by_alias=True)
        plain["tables"] = dict(plain["tables"]) | dict(decide)
        datamap = DataMap.model_validate(plain)
    made = Application(url=url, proposal=proposal, datamap=datamap)
    try:
        yield made
    finally:
        made.close()


def go_and_come_back(app, folder, *, scope=ONE, sibling=TWO, rows=1):
    """Hand over, erase in small chunks, restore, hand over again; the sibling stays as it is."""
    before = app.digest(sibling)
    take(app, scope, folder / "out.json")
    result = leave(app, scope, rows=rows)
    assert app.digest(sibling) == before
    come_back(app, folder / "out.json")
    take(app, scope, folder / "again.json")
    assert data_of(folder / "again.json") == data_of(folder / "out.json")
    assert app.digest(sibling) == before
    return result
