"""A policy file becomes a policy, or one error that names the line. All policies are read here.

Source: docs/policy.md; the presets are files like any other, shipped in `offramp.presets`.
"""

from collections.abc import Iterable, Mapping
from importlib.resources import as_file, files
from pathlib import Path

from offramp.core.errors import Invalid
from offramp.core.fault import Fault
from offramp.core.lint import faults, override_faults
from offramp.core.policy import Policy
from offramp.core.spelling import did_you_mean
from offramp.documents.yaml import (
    Document,
    DocumentInvalid,
    dotted,
    load_yaml,
    parse_data,
    read_yaml,
    written_path,
)

_UNNAMED = Path("policy")
PRESETS = ("license-pool", "edit-only-grace")


class PolicyUnknown(Invalid):
    """There is no policy {name}: it is neither a preset nor a file."""


class OverrideInvalid(Invalid):
    """{path}: {problem}."""


def find_policy(name_or_file: str) -> Policy:
    """Read a preset by its name, or else the policy in a file.

    Raises:
        PolicyUnknown: there is neither.
        DocumentInvalid: the file is not a policy.
    """
    if name_or_file in PRESETS:
        with as_file(files("offramp.presets") / f"{name_or_file}.yaml") as file:
            return read_policy(file)
    file = Path(name_or_file)
    if not file.exists():
        raise PolicyUnknown(
            name=name_or_file,
            file=name_or_file,
            expected="a file, or one of " + ", ".join(PRESETS),
            hint=did_you_mean(name_or_file, PRESETS) or "is the path right?",
        )
    return read_policy(file)


def read_policy(file: Path) -> Policy:
    """Read the policy in a file and check it as a whole.

    Raises:
        DocumentUnreadable: there is no such file, or it is not text.
        DocumentInvalid: it is not a policy; the error names the first mistake and lists all.
    """
    return _checked(load_yaml(file), file=file)


def parse_policy_text(text: str) -> Policy:
    """Read a policy from the text of its file, and check it as a whole.

    Raises:
        DocumentUnreadable: it is more than a policy can be.
        DocumentInvalid: it is not a policy; the error names the first mistake and lists all.
    """
    return _checked(read_yaml(text, file=_UNNAMED), file=_UNNAMED)


def parse_policy(data: object) -> Policy:
    """Read a policy from what its file would hold, and check it as a whole.

    Raises:
        DocumentInvalid: it is not a policy; the error names the first mistake and lists all.
    """
    return _checked(Document(data, lambda _: 1), file=_UNNAMED)


def _checked(document: Document, *, file: Path) -> Policy:
    policy = parse_data(Policy, document, file=file)
    found = faults(policy)
    if found:
        raise _refusal(found, document, file=file)
    return policy


def check_overrides(policy: Policy, overrides: Mapping[str, str]) -> None:
    """Accept the periods that a contract sets in place of the policy's.

    Raises:
        OverrideInvalid: one is unknown, unreadable, or outside the bounds of the policy.
    """
    for fault in override_faults(policy, overrides):
        raise OverrideInvalid(
            path=dotted(fault.path),
            problem=fault.problem,
            expected=fault.expected,
            hint=fault.hint,
        )


def _refusal(found: Iterable[Fault], document: Document, *, file: Path) -> DocumentInvalid:
    placed = [(document.line_of(written_path(document.data, f.path)), f) for f in found]
    placed.sort(key=lambda row: row[0])
    line, first = placed[0]
    return DocumentInvalid(
        file=str(file),
        line=line,
        path=_shown(document, first),
        problem=first.problem,
        expected=first.expected,
        hint=first.hint,
        problems=tuple((line, _shown(document, fault), fault.problem) for line, fault in placed),
    )


def _shown(document: Document, fault: Fault) -> str:
    return dotted(written_path(document.data, fault.path))
