"""A page for people, which loads nothing and goes nowhere but where it has to.

Source: Content Security Policy Level 3.
"""

from http import HTTPStatus

from fastapi.responses import HTMLResponse, Response

from offramp.adapters.message.page import LinkPages


def answer_page(
    text: str, *, pages: LinkPages, has_form: bool = False, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """Answer with a page; its form may be sent to where it came from."""
    form_action = "'self'" if has_form else "'none'"
    policy = f"{pages.sources}; base-uri 'none'; form-action {form_action}; frame-ancestors 'none'"
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": policy})
