"""Published policies: every version stays as it was published.

Everything that reads or writes a policy document in the store lives here.

Source: docs/rules.md, "Stages, causes, versions"; docs/glossary.md.
"""

import json
from functools import lru_cache

from sqlalchemy import Text, cast, func, select, text
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.core.policy import Policy
from offramp.ports import PolicyNote, PolicyVersionTaken

READ_MAX = 64
GOES_ON = text("status IN ('open', 'stopped')")  # word for word as its index says it

_NOTE = ("version", "published_at", "by", "reason")


class PolicyPart(Part):
    """What was promised."""

    def put_policy(
        self, policy: Policy, *, at: Instant, by: str | None = None, reason: str | None = None
    ) -> bool:
        """Publish a version; false when that very version is there."""
        document = policy.model_dump(mode="json", by_alias=True)
        row = {
            "id": policy.policy,
            "version": policy.version,
            "document": document,
            "published_at": at,
            "published_by": by,
            "reason": reason,
        }
        if self._create(schema.policy, row):
            return True
        if self.policy(policy.policy, policy.version) != policy:
            raise PolicyVersionTaken(policy=policy.policy, version=policy.version)
        return False

    def policy(self, policy: str, version: int | None = None) -> Policy | None:
        """Find a published version; the newest without a number."""
        table = schema.policy
        chosen = select(cast(table.c.document, Text)).where(table.c.id == policy)
        if version is not None:
            chosen = chosen.where(table.c.version == version)
        document = self.connection.scalar(chosen.order_by(table.c.version.desc()).limit(1))
        return None if document is None else _read(document)

    def policy_notes(self, policy: str) -> tuple[PolicyNote, ...]:
        """Say of every version of a policy when it was published."""
        table = schema.policy.c
        told = select(table.version, table.published_at, table.published_by, table.reason)
        rows = self.connection.execute(
            told.where(table.id == policy).order_by(table.version.desc())
        )
        return tuple(PolicyNote(**dict(zip(_NOTE, row, strict=True))) for row in rows)

    def policies(self) -> tuple[Policy, ...]:
        """List the newest version of every policy."""
        table = schema.policy.c
        chosen = select(cast(table.document, Text)).order_by(table.id, table.version)
        found = map(_read, self.connection.scalars(chosen))
        return tuple({policy.policy: policy for policy in found}.values())

    def policy_versions(self) -> tuple[tuple[Policy, int], ...]:
        """List every version, and how many off-boardings go on by it."""
        table, row = schema.policy.c, schema.offboarding.c
        used = (row.policy, row.policy_version)
        counted = select(*used, func.count()).where(GOES_ON).group_by(*used)
        counts = {(name, version): n for name, version, n in self.connection.execute(counted)}
        chosen = select(cast(table.document, Text)).order_by(table.id, table.version)
        found = map(_read, self.connection.scalars(chosen))
        return tuple((each, counts.get((each.policy, each.version), 0)) for each in found)


@lru_cache(maxsize=READ_MAX)
def _read(document: str) -> Policy:
    """Read a document once: nobody changes a published version, nor what was read of it."""
    return Policy.model_validate(json.loads(document))
