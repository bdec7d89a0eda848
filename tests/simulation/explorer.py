"""Every state that a model can reach, breadth first, so that what is found is the shortest way."""

from collections import defaultdict, deque


class LawBroken(AssertionError):
    """A step of the model broke a law; the message is the way to it."""


class Stuck(AssertionError):
    """From some state the goal cannot be reached any more; the message is the way to it."""


def explore(start, moves, laws):
    """Visit everything that can be reached, and judge every step.

    Args:
        start: a state; states are hashable values.
        moves: gives the name and the state after it of everything that may happen in a state.
        laws: each is asked about every step, as `law(before, after)`, and says whether it holds.

    Returns:
        Every state, with the state before it and the name of the step between them.
    """
    found = {start: None}
    waiting = deque([start])
    while waiting:
        before = waiting.popleft()
        for name, after in moves(before):
            broken = [law.__doc__ for law in laws if not law(before, after)]
            if broken:
                raise LawBroken("\n".join([*way_to(before, found), name, *broken]))
            if after not in found:
                found[after] = (before, name)
                waiting.append(after)
    return found


def require_reachable(found, moves, is_goal):
    """Make sure that from every state that was found some way leads to the goal."""
    back = defaultdict(list)
    for before in found:
        for _, after in moves(before):
            back[after].append(before)
    hopeful = {state for state in found if is_goal(state)}
    waiting = deque(hopeful)
    while waiting:
        for before in back[waiting.popleft()]:
            if before not in hopeful:
                hopeful.add(before)
                waiting.append(before)
    for state in found:
        if state not in hopeful:
            raise Stuck("\n".join(way_to(state, found)))


def way_to(state, found):
    """Name the steps from the start to a state."""
    names = []
    while found[state] is not None:
        state, name = found[state]
        names.append(name)
    return names[::-1]
