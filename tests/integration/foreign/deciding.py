"""What a person does with a proposed map: finish the entries that were left open."""

import re

from ruamel.yaml import YAML

OPEN = re.compile(r"  # NOT DECIDED:\n((?:  # .*\n)+)")


def finish(text, decisions):
    """Uncomment every open entry, and write the decision into it.

    Shape:
        decisions: table -> keys of its rule; `shared` stands alone, others complete what is there.
    """
    decided = set()

    def uncommented(match):
        entry = YAML(typ="safe").load(re.sub(r"(?m)^  # ", "", match[1]))
        ((table, rule),) = entry.items()
        if table not in decisions:
            return match[0]
        decided.add(table)
        change = dict(decisions[table])
        if "shared" in change:
            return f"  {table}: {{shared: '{change['shared']}'}}\n"
        rule = {key: value for key, value in rule.items() if key not in ("shared", "owned_by")}
        return _dumped(table, rule | change)

    finished = OPEN.sub(uncommented, text)
    assert decided == set(decisions), f"not open: {set(decisions) - decided}"
    return finished


def _dumped(table, rule):
    lines = [f"  {table}:"]
    for key, value in rule.items():
        lines.append(f"    {key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {_flow(each)}' for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)
