"""The HTML frame: written in MJML, compiled once, then filled in by Jinja for each message.

MJML knows what mail programs need: nested tables, what Outlook leaves out, what a phone shows. It
leaves Jinja's marks alone where they stand in text, in attributes, or in `mj-raw`; what stands
before `<mjml` is kept as it is. A `<` inside of a mark is the one thing that it does not take.

Source: docs/decisions/024-messages.md.
"""

from collections.abc import Callable
from functools import lru_cache

from jinja2 import BaseLoader, Environment, TemplateSyntaxError
from mjml import mjml2html

ENDING = ".mjml"
FRAMES_KEPT = 16


class FrameLoader(BaseLoader):
    """Gives templates; one in MJML as the HTML that it stands for."""

    def __init__(self, inner: BaseLoader) -> None:
        """Prepare to compile what another loader finds."""
        self._inner = inner

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Find a template's source, and compile it where it is MJML."""
        source, file, is_current = self._inner.get_source(environment, template)
        if template.endswith(ENDING):
            try:
                source = compile_frame(source)
            except ValueError as error:
                problem = f"it is not MJML: {error}"
                raise TemplateSyntaxError(problem, 1, name=template, filename=file) from error
        return source, file, is_current

    def list_templates(self) -> list[str]:
        """List what the other loader finds."""
        return self._inner.list_templates()


@lru_cache(maxsize=FRAMES_KEPT)
def compile_frame(source: str) -> str:
    """Compile MJML to HTML; no web fonts, no comments.

    Raises:
        ValueError: it is not MJML; nothing says where.
    """
    before, opening, rest = source.partition("<mjml")
    return before + mjml2html(opening + rest, disable_comments=True, fonts={})
