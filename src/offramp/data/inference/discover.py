"""Meeting a database for the first time: what `map init` reads of it, all in one snapshot.

Everything that inference needs to be told is read here, and nothing is changed.
"""

from dataclasses import replace

from offramp.data.catalog.surroundings import joined_schemas, read_surroundings
from offramp.data.inference.infer import Known, infer
from offramp.data.inference.proposal import Proposal
from offramp.data.inference.witness import LiveWitness
from offramp.data.sources.sql import SqlSource


def discover(source: SqlSource, *, known: Known) -> Proposal:
    """Read a database and propose a map for it.

    Args:
        source: its `root`, `member` and `schema` are what is known beforehand; schemas that
            foreign keys join with that of the root are read too.
        known: categories that are known already, by table and column.

    Raises:
        KeyColumnMissing: root or member is not in the database.
    """
    spec = source.spec
    root_schema, dot, _ = spec.root_table.partition(".")
    with source.snapshot() as connection:
        schemas = spec.schemas or joined_schemas(
            connection, schema=spec.schema_name, root_schema=root_schema if dot else None
        )
        catalog = source.driver.catalog(connection, schema=spec.schema_name, further=schemas)
        surroundings = read_surroundings(connection, schema=spec.schema_name, further=schemas)
        proposal = infer(
            catalog,
            source=source.name,
            root=spec.root,
            member=spec.member,
            known=known,
            surroundings=surroundings,
            witness=LiveWitness(connection=connection, spec=spec, catalog=catalog),
        )
    return replace(proposal, schemas=schemas)
