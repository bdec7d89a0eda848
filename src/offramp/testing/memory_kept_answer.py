"""Answers that are kept, in the store in memory.

Source: ``ports.KeptAnswers``.
"""

from whenever import Instant

from offramp.ports import KeptAnswer
from offramp.testing.memory_tables import MemoryPart


class MemoryKeptAnswerPart(MemoryPart):
    """What was asked and answered within a day."""

    def keep_answer(self, begun: KeptAnswer) -> KeptAnswer | None:
        """Note a request that begins, unless it is noted."""
        known = self.tables.kept_answers.get(begun.request)
        if known is not None and known.expires_at > begun.begun_at:
            return known
        self.tables.kept_answers[begun.request] = begun
        return None

    def save_answer(self, answered: KeptAnswer) -> None:
        """Write what a request was answered."""
        if answered.request in self.tables.kept_answers:
            self.tables.kept_answers[answered.request] = answered

    def forget_answer(self, request: str) -> None:
        """Let a request be as if it had never come."""
        self.tables.kept_answers.pop(request, None)

    def tidy_answers(self, *, at: Instant) -> int:
        """Forget what is over at an instant."""
        kept = self.tables.kept_answers
        over = [request for request, each in kept.items() if each.expires_at <= at]
        for request in over:
            del kept[request]
        return len(over)
