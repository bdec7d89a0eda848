"""Saved views: a filter of organizations under a name, for the operator who has made it.

What was typed into the search is not part of one: a name or an address of somebody would stay in
our own tables after they are gone.

Source: docs/console.md, "Organizations"; lesson L30.
"""

from offramp.core.errors import Invalid, Missing
from offramp.engine.context import Context
from offramp.engine.sign_in import SignedIn
from offramp.ports import Condition, SavedView

NAME_CHARACTERS_MAX = 60
VIEWS_MAX = 20  # of one operator


class ViewInvalid(Invalid):
    """The view cannot be saved: {problem}."""


class ViewUnknown(Missing):
    """There is no view of this name."""


def save_view(
    context: Context, signed_in: SignedIn, *, name: str, condition: Condition, stage: str
) -> None:
    """Keep a filter under a name; an earlier one of that name is replaced.

    Raises:
        ViewInvalid: the name is none, it filters nothing, or there are too many already.
    """
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise ViewInvalid(problem=f"a name of 1 to {NAME_CHARACTERS_MAX} letters is asked")
    if condition is Condition.ANY and not stage:
        raise ViewInvalid(problem="it filters nothing", hint="choose where it stands, or a stage")
    mine = signed_in.operator.id
    with context.store.transaction() as transaction:
        others = [view for view in transaction.views(mine) if view.name != name]
        if len(others) >= VIEWS_MAX:
            raise ViewInvalid(problem=f"there are {VIEWS_MAX} already")
        view = SavedView(operator=mine, name=name, condition=condition, stage=stage)
        transaction.put_view(view)


def list_views(context: Context, signed_in: SignedIn) -> tuple[SavedView, ...]:
    """List the views of an operator by name."""
    with context.store.reading() as transaction:
        return transaction.views(signed_in.operator.id)


def forget_view(context: Context, signed_in: SignedIn, name: str) -> None:
    """Forget a view.

    Raises:
        ViewUnknown: there is none of this name.
    """
    with context.store.transaction() as transaction:
        if not transaction.drop_view(signed_in.operator.id, name):
            raise ViewUnknown
