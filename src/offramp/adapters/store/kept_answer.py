"""Answers that are kept, so that a request that comes twice is carried out once.

Source: ``ports.KeptAnswers``.
"""

from dataclasses import asdict

from sqlalchemy import delete, select, update
from whenever import Instant

from offramp.adapters.store.part import Part
from offramp.adapters.store.schema_kept_answer import kept_answer
from offramp.ports import KeptAnswer


class KeptAnswerPart(Part):
    """What was asked and answered within a day."""

    def keep_answer(self, begun: KeptAnswer) -> KeptAnswer | None:
        """Note a request that begins, unless it is noted."""
        mine = kept_answer.c.request == begun.request
        over = mine & (kept_answer.c.expires_at <= begun.begun_at)
        self.connection.execute(delete(kept_answer).where(over))
        if self._create(kept_answer, asdict(begun)):
            return None
        row = self.connection.execute(select(kept_answer).where(mine)).first()
        return None if row is None else KeptAnswer(**row._mapping)

    def save_answer(self, answered: KeptAnswer) -> None:
        """Write what a request was answered."""
        values = {"status": answered.status, "answer": answered.answer}
        mine = kept_answer.c.request == answered.request
        self.connection.execute(update(kept_answer).where(mine).values(values))

    def forget_answer(self, request: str) -> None:
        """Let a request be as if it had never come."""
        self.connection.execute(delete(kept_answer).where(kept_answer.c.request == request))

    def tidy_answers(self, *, at: Instant) -> int:
        """Forget what is over at an instant."""
        over = delete(kept_answer).where(kept_answer.c.expires_at <= at)
        return self.connection.execute(over).rowcount
