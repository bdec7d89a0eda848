"""Form letters: what is the same for many readers is written once, and their names are filled in.

Readers of one language and one calendar get the same words but for their name. Where templates do
nothing with the reader but write the name, or ask whether there is one, a message is rendered with
a blank in its place; the name that is put there later is what the templates would have written.
Whether that is so is read from the templates: whatever else they do with the reader, such as
shortening the name or breaking lines by its length, has every message rendered by itself.

Source: docs/decisions/028-mail-side-by-side.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from jinja2 import Environment, nodes
from markupsafe import escape

from offramp.adapters.message.vocabulary import Company, File, Person
from offramp.core.link import Download, Entrance
from offramp.core.notice import NoticeFacts

FORMS_KEPT = 64
_TREES_KEPT = 64
BLANK = "\ue000\ue001\ue000"  # of Unicode's private use: no text of anybody's
_READER = "member"
_USES = (nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)
_PHRASES = frozenset({"gettext", "ngettext", "_"})
_CAPTURES = (nodes.Block, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Everything that the words of a message depend on, but who reads it.

    Attributes:
        is_named: whether the reader has a name; templates may ask.
    """

    locale: str
    facts: NoticeFacts
    about: Person | None
    organization: Company
    place: str
    zone: str | None
    attachments: tuple[File, ...]
    download: Download | None  # of this reader alone, and so are the next two
    entrance: Entrance | None
    answer: str | None
    is_named: bool

    @property
    def is_personal(self) -> bool:
        """Whether something in it is of its reader alone, beside the name."""
        return (self.download, self.entrance, self.answer) != (None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message as the templates give it; with a blank it is a form."""

    subject: str
    text: str
    html: str

    def for_name(self, name: str) -> Self:
        """Fill a name in."""
        return replace(
            self,
            subject=self.subject.replace(BLANK, name),
            text=self.text.replace(BLANK, name),
            html=self.html.replace(BLANK, str(escape(name))),
        )


def is_form(environment: Environment, *, notice: str, frame: str) -> bool:
    """Whether a notice in a frame does nothing with its reader but write the name as it is."""
    trees = [(_parse(environment, notice), False), (_parse(environment, frame), True)]
    seen = {notice, frame}
    while trees:
        tree, is_printed = trees.pop()
        if not _leaves_blank(tree, is_printed=is_printed):
            return False
        for name in _others(tree):
            if not isinstance(name, str):
                return False
            if name not in seen:
                seen.add(name)
                trees.append((_parse(environment, name), False))
    return True


@lru_cache(maxsize=_TREES_KEPT)  # many notices make use of the same few templates
def _parse(environment: Environment, name: str) -> nodes.Template:
    assert environment.loader is not None, "templates are found somewhere"
    source, _, _ = environment.loader.get_source(environment, name)
    return environment.parse(source, name)


def _others(tree: nodes.Template) -> Iterator[object]:
    """Name the templates that one makes use of, beside the frame that it extends."""
    for node in tree.find_all(_USES):
        template: nodes.Expr = getattr(node, "template")  # noqa: B009 (each of these has one)
        if isinstance(node, nodes.Extends) and _is_named(template, "frame"):
            continue
        yield getattr(template, "value", None)  # a constant, or nobody knows which


def _leaves_blank(node: nodes.Node, *, is_printed: bool) -> bool:
    """Whether a blank in the place of the name would come out as one.

    What is captured, as a block is, may be changed before it is printed.
    """
    if _is_named(node, _READER):
        return False
    is_printed = is_printed and not isinstance(node, _CAPTURES)
    children = [
        child
        for child in node.iter_child_nodes()
        if not (
            (isinstance(node, nodes.If) and child is node.test and _is_name(child))
            or (isinstance(node, nodes.Output) and is_printed and _prints_name(child))
        )
    ]
    return all(_leaves_blank(child, is_printed=is_printed) for child in children)


def _prints_name(node: nodes.Node) -> bool:
    """Whether it is the name, or a phrase with the name in it and nothing else of the reader."""
    if _is_name(node):
        return True
    if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name)):
        return False
    values = [keyword.value for keyword in node.kwargs if not _is_name(keyword.value)]
    rest = [*node.args, *values, *filter(None, (node.dyn_args, node.dyn_kwargs))]
    is_phrase = node.node.name in _PHRASES
    return is_phrase and all(_leaves_blank(each, is_printed=False) for each in rest)


def _is_name(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and node.attr == "name" and _is_named(node.node, _READER)


def _is_named(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name
