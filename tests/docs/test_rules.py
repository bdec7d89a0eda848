"""docs/rules.md explains every rule of the policy language that the code cites."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
CITED = re.compile(r"policy\s+language\s+((?:[TSANEDR]\d(?:-[TSANEDR]?\d)?(?:,\s+)?)+)")
RULE = re.compile(r"([TSANEDR])(\d)(?:-[TSANEDR]?(\d))?")


def cited():
    """List the rules that docstrings name as their source; T1-T4 is four of them."""
    found = set()
    for file in (ROOT / "src").rglob("*.py"):
        for listed in CITED.findall(file.read_text("utf-8")):
            for letter, first, last in RULE.findall(listed):
                found |= {f"{letter}{n}" for n in range(int(first), int(last or first) + 1)}
    return found


def explained():
    return set(re.findall(r"^\| ([TSANEDR]\d) (?:\(access\) )?\|", PAGE, re.MULTILINE))


def test_every_rule_that_the_code_cites_is_explained():
    assert {"T1", "T8", "S7", "D2", "R1"} <= cited()
    assert cited() <= explained()


def test_no_rule_is_explained_twice():
    rules = re.findall(r"^\| ([TSANEDR]\d)\b", PAGE, re.MULTILINE)

    assert len(rules) == len(set(rules))
