"""Published policies: every version stays as it was published.

Everything that reads or writes a policy document in the store lives here.

Source: docs/rules.md, "Stages, causes, versions"; docs/glossary.md.
"""

from sqlalchemy import select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.core.policy import Policy
from offramp.core.transitions import OffboardingStatus
from offramp.ports import PolicyVersionTaken


class PolicyPart(Part):
    """What was promised."""

    def put_policy(self, policy: Policy, *, at: Instant) -> bool:
        """Publish a version; false when that very version is there."""
        document = policy.model_dump(mode="json", by_alias=True)
        row = {
            "id": policy.policy,
            "version": policy.version,
            "document": document,
            "published_at": at,
        }
        if self._create(schema.policy, row):
            return True
        if self.policy(policy.policy, policy.version) != policy:
            raise PolicyVersionTaken(policy=policy.policy, version=policy.version)
        return False

    def policy(self, policy: str, version: int | None = None) -> Policy | None:
        """Find a published version; the newest without a number."""
        table = schema.policy
        chosen = select(table.c.document).where(table.c.id == policy)
        if version is not None:
            chosen = chosen.where(table.c.version == version)
        document = self.connection.scalar(chosen.order_by(table.c.version.desc()).limit(1))
        return None if document is None else Policy.model_validate(document)

    def repin(self, policy: str, version: int) -> int:
        """Move the open off-boardings in which nothing has happened yet to a version."""
        table = schema.offboarding
        untouched = update(table).where(
            table.c.policy == policy,
            table.c.policy_version != version,
            table.c.status == OffboardingStatus.OPEN,
            table.c.id.not_in(select(schema.step.c.offboarding)),
        )
        # A worker that is about to begin under the old version loses its claim.
        moved = untouched.values(
            policy_version=version, attempt=table.c.attempt + 1, lease_until=None, armed=None
        )
        return self.connection.execute(moved).rowcount
