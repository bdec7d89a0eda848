"""A proposal as a data map to be read and finished by a person: YAML with a reason on every line.

What is decided becomes entries; what is not is told at the top and stands as a comment that only
has to be finished. Names come from a stranger's database and never end a comment.

Source: data/inference/proposal.py; docs/datamap.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from offramp.data.inference.proposal import ColumnProposal, Proposal, TableProposal, Undecided

LINE_MAX = 1_000  # a rule stays on its line, with its reason
ALIGNED_MAX = 56  # a longer rule has its reason right behind it
COLUMN_INDENT = 6
_OPENING = """\
Proposed by `offramp map init` from what the database declares; the reason stands with each line.
Rows are deleted with their organization unless their table says `erase: keep`.
`offramp map check` compares this file with the database."""


def write_datamap(proposal: Proposal, *, url: str, schema: str | None = None) -> str:
    """Write a proposal as the text of a data map; `url` stands in the file as it is."""
    spec: dict[str, object] = {
        "kind": "sql",
        "url": url,
        "root": proposal.root,
        "member": proposal.member,
        "schema": schema,
        "schemas": _listed(proposal.schemas) if proposal.schemas else None,
    }
    source = _inline({key: value for key, value in spec.items() if value is not None})
    head = CommentedMap({"offramp": 1, "sources": {proposal.source: source}})
    head["tables"] = _tables(proposal)
    parts = [_comment(_heading(proposal)), _dump(head)]
    parts += [_unfinished(proposal.source, table) for table in proposal.tables if _is_open(table)]
    return "\n".join([*parts, *_tail(proposal)])


def _heading(proposal: Proposal) -> Iterator[str]:
    yield _OPENING
    if proposal.undecided:
        yield ""
        yield f"NOT DECIDED ({len(proposal.undecided)}); the check fails until you have decided:"
        for each in proposal.undecided:
            yield from _told(proposal.source, each)
    if proposal.notes:
        yield ""
        yield f"LOOK AT ({len(proposal.notes)}):"
        yield from (f"- {_one_line(note)}" for note in proposal.notes)


def _told(source: str, undecided: Undecided) -> Iterator[str]:
    yield f"- {source}.{_one_line(undecided.subject)}: {_one_line(undecided.problem)}"
    yield from (f"    {_one_line(option)}" for option in undecided.options)
    yield f"  {_one_line(undecided.hint)}"


def _tables(proposal: Proposal) -> CommentedMap:
    tables = CommentedMap()
    for table in proposal.decided:
        name = f"{proposal.source}.{table.name}"
        tables[name] = _table(table)
        told = "\n".join(["", *(_one_line(reason) for reason in table.reasons)])
        tables.yaml_set_comment_before_after_key(name, before=told, indent=2)
    return tables


def _is_open(table: TableProposal) -> bool:
    return not table.is_decided


def _unfinished(source: str, table: TableProposal) -> str:
    """Write a table that is not decided as a comment with everything that is known of it."""
    is_told = table.columns or table.shared
    entry = _table(table) if is_told else _inline({"shared": "SAY WHY, or name its references"})
    text = _dump(CommentedMap({f"{source}.{_one_line(table.name)}": entry}))
    return "".join(f"  # {line}\n" for line in ["NOT DECIDED:", *text.splitlines()])


def _table(table: TableProposal) -> CommentedMap:
    if table.shared is not None:
        return _inline({"shared": table.shared})
    entry = CommentedMap()
    if table.via:
        entry["via"] = _listed(table.via)
    if table.also:
        entry["also"] = _listed([_written_way(columns) for columns in table.also])
    if table.owned_by:
        entry["owned_by"] = _listed(table.owned_by)
    if table.references:
        entry["references"] = _inline(table.references)
    columns = CommentedMap((column.name, _column(column)) for column in table.columns)
    lines = (len(_dump(CommentedMap({name: value}))) for name, value in columns.items())
    edge = COLUMN_INDENT + max((line for line in lines if line <= ALIGNED_MAX), default=0) + 1
    for column in table.columns:
        columns.yaml_add_eol_comment(_one_line(column.reason), column.name, column=edge)
    entry["columns"] = columns
    return entry


def _written_way(columns: Sequence[str]) -> object:
    return columns[0] if len(columns) == 1 else _listed(columns)


def _column(column: ColumnProposal) -> object:
    if not column.is_secret:
        return column.category
    replaced = {"restore": "random"} if column.is_replaced else {}
    return _inline({"category": column.category, "export": "never"} | replaced)


def _tail(proposal: Proposal) -> Iterator[str]:
    members = proposal.members
    if members is not None:
        told = {key: value for key, value in members.model_dump().items() if value}
        told |= {"name": _listed(members.name)} if members.name else {}
        why = "Where members are read from, and how they are reached."
        yield _explained(why, {"people": CommentedMap({"members": CommentedMap(told)})})
    if proposal.achievements:
        awards = [
            _inline({key: value for key, value in each.model_dump().items() if value})
            for each in proposal.achievements
        ]
        yield _explained("What people have earned, for their farewell.", {"achievements": awards})
    if proposal.marks:
        why = "What an organization is recognized by, wherever it may be left over."
        yield _explained(why, {"marks": list(proposal.marks)})


def _explained(why: str, part: Mapping[str, Any]) -> str:
    return _comment([why]) + _dump(CommentedMap(part))


def _inline(values: Mapping[str, Any]) -> CommentedMap:
    written = CommentedMap(values)
    written.fa.set_flow_style()
    return written


def _listed(values: Sequence[object]) -> CommentedSeq:
    written = CommentedSeq(values)
    written.fa.set_flow_style()
    return written


def _comment(lines: Iterator[str] | Sequence[str]) -> str:
    text = "\n".join(lines)
    return "".join(f"# {line}".rstrip() + "\n" for line in text.split("\n"))


def _one_line(text: str) -> str:
    """Keep a stranger's name from ending the comment in which it stands."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _dump(data: CommentedMap) -> str:
    yaml = YAML()
    yaml.width = LINE_MAX
    yaml.indent(mapping=2, sequence=4, offset=2)
    sink = StringIO()
    yaml.dump(data, sink)
    return sink.getvalue()
