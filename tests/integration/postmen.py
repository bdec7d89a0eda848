"""Workers that send many mails, each with a file of its reader's own; a `crew` has them.

The files are made beforehand, as it were: how fast real ones are made is a page of its own.
"""

from dataclasses import replace
from hashlib import shake_256

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.ports import Attachment
from tests.integration import crew
from tests.simulation.shop import open_shop_at

FILE_BYTES = 2_000
ATTEMPTS_MAX = 1000  # a worker that is killed has used one up


class PreparedFiles:
    """Gives everybody a file of their own, the same one at every attempt."""

    def attach(self, achievements, *, member, organization, at, language):
        content = shake_256(member.id.encode()).digest(FILE_BYTES)
        return (Attachment(name="badges.zip", media_type="application/zip", content=content),)


def equip(place, context):
    return replace(
        context,
        composer=JinjaComposer(achievement_files=PreparedFiles()),
        data=open_shop_at(place.app_url).data,
        limits=replace(context.limits, attempts_max=ATTEMPTS_MAX),
    )


if __name__ == "__main__":
    crew.main(equip)
