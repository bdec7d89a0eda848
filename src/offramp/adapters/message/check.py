"""A vendor's own templates are read to the last branch before the first message is due.

A mistake in a template would otherwise be found at midnight, by the mail that did not go out: an
unknown word, a mark that is not closed, a translation that lost its placeholder. `trial.py` finds
what only shows when a message is written.

Source: policy language N1 (a closed list of facts); docs/messages.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError, read_po
from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from offramp.adapters.message.frame import ENDING, compile_frame
from offramp.adapters.message.language import FILTERS
from offramp.adapters.message.vocabulary import BANNER_WORDS, PHRASE_WORDS, WORDS
from offramp.core.errors import Invalid, Missing
from offramp.core.spelling import did_you_mean

PHRASES = "words.jinja"  # in the folder of diplomas
BANNERS = "banners"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class TemplatesMissing(Missing):
    """There is no folder {folder} with templates."""


class TemplateInvalid(Invalid):
    """{file}, line {line}: {problem}."""


def check_templates(folder: Path, *, environment: Environment) -> None:
    """Refuse a template or a catalog of a vendor's folder that could fail or lie later.

    Args:
        folder: the vendor's own templates.
        environment: of any language, for its filters and globals.

    Raises:
        TemplatesMissing: there is no such folder.
        TemplateInvalid: the first mistake that was found.
    """
    if not folder.is_dir():
        raise TemplatesMissing(folder=str(folder), hint="the setting templates names it")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.suffix == ".po":
            _check_catalog(file)
        elif file.suffix in (".jinja", ".txt", ".html", ENDING):
            _check_template(file, environment=environment)


def _check_template(file: Path, *, environment: Environment) -> None:
    words = _words_of(file)
    try:
        source = file.read_text(encoding="utf-8")
        tree = environment.parse(source, filename=str(file))
        environment.compile(tree, filename=str(file))
        if file.suffix == ENDING:
            compile_frame(source)
    except TemplateSyntaxError as error:
        problem = (error.message or "it is no template").rstrip(".")
        hint = f"filters of ours: {', '.join(FILTERS)}" if "filter" in problem else None
        raise _invalid(file, error.lineno, problem, hint=hint) from error
    except ValueError as error:
        raise _invalid(file, 1, f"it cannot be read: {error}") from error
    for word, line in _unknown(tree, words=words, given=frozenset(environment.globals)):
        raise _unknown_word(file, line, word, words=words)


def _words_of(file: Path) -> Mapping[str, str]:
    if file.name == PHRASES:
        return PHRASE_WORDS
    return {**WORDS, **BANNER_WORDS} if file.parent.name == BANNERS else WORDS


def _unknown(
    tree: nodes.Template, *, words: Mapping[str, str], given: frozenset[str]
) -> Iterator[tuple[str, int]]:
    """Find the words that nobody will give a meaning to, with their lines."""
    asked_for = find_undeclared_variables(tree) - given
    roots = {word.partition(".")[0] for word in words}
    parts = {word.partition(".")[0] for word in words if "." in word}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in asked_for - roots:
            yield name.name, name.lineno
    owners = {root: root for root in parts & asked_for} | _items(tree, parts & asked_for)
    for part in _parts(tree):
        owner = owners.get(part.node.name) if isinstance(part.node, nodes.Name) else None
        named = _part_name(part)
        if owner is not None and named is not None and f"{owner}.{named}" not in words:
            yield f"{owner}.{named}", part.lineno


def _parts(tree: nodes.Template) -> Iterator[nodes.Getattr | nodes.Getitem]:
    yield from tree.find_all(nodes.Getattr)
    yield from tree.find_all(nodes.Getitem)


def _items(tree: nodes.Template, lists: set[str]) -> dict[str, str]:
    """Name what a loop takes out of a list after that list: ``for file in attachments``."""
    return {
        loop.target.name: loop.iter.name
        for loop in tree.find_all(nodes.For)
        if isinstance(loop.target, nodes.Name)
        and isinstance(loop.iter, nodes.Name)
        and loop.iter.name in lists
    }


def _part_name(part: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(part, nodes.Getattr):
        return part.attr
    value = part.arg.value if isinstance(part.arg, nodes.Const) else None
    return value if isinstance(value, str) else None


def _unknown_word(file: Path, line: int, word: str, *, words: Mapping[str, str]) -> TemplateInvalid:
    root, dot, part = word.partition(".")
    heads = {known.partition(".")[0] for known in words}
    parts = {known.removeprefix(f"{root}.") for known in words if known.startswith(f"{root}.")}
    beside = sorted(parts if dot else heads)
    known = ", ".join(f"{root}{dot}{name}" if dot else name for name in beside)
    return TemplateInvalid(
        file=str(file),
        line=line,
        problem=f"{word} is not known here",
        expected=known,
        hint=did_you_mean(part if dot else root, beside) or f"known are: {known}",
    )


def _invalid(file: Path, line: int, problem: str, *, hint: str | None = None) -> TemplateInvalid:
    return TemplateInvalid(file=str(file), line=line, problem=problem, hint=hint)


def _check_catalog(file: Path) -> None:
    """Read a catalog as it will be read, and compare each placeholder with the original's."""
    try:
        with file.open("rb") as source:
            catalog = read_po(source, locale=file.stem, abort_invalid=True)
    except PoFileError as error:
        raise _invalid(file, error.lineno, str(error).split(" on ")[0]) from error
    except ValueError as error:
        raise _invalid(file, 1, f"it is no catalog: {error}") from error
    for message in catalog:
        problems = [str(problem) for problem in message.check(catalog)]
        problem = next(iter(problems), None) or _misprint(message)
        if problem is not None:
            hint = "a translation keeps each %(name)s of its original"
            raise _invalid(file, message.lineno or 1, problem, hint=hint)


def _misprint(message: Message) -> str | None:
    """Say what is wrong with a translation into which no value can be put."""
    given = dict.fromkeys(_PLACEHOLDER.findall(" ".join(_texts(message.id))), "")
    for text in _texts(message.string):
        try:
            text % given  # as Jinja will do it
        except (ValueError, TypeError, LookupError) as error:
            return f"the placeholders of the translation are wrong: {error}"
    return None


def _texts(texts: str | Sequence[str] | None) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts or ())
