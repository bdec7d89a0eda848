"""A form with a file in it: who sends it is known before any of it is read.

What is large waits in a nameless file that goes with the request.

Source: RFC 7578 (multipart/form-data); docs/console.md, "Reading data in again".
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from offramp.web.api.form import FIELDS_MAX
from offramp.web.console.acts import FORM_BYTES_MAX, FieldInvalid
from offramp.web.console.door import Admission, Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file, and who has sent it with which other fields."""

    visitor: Visitor
    file: BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # known to the framework by itself
class UploadAdmission:
    """Lets those pass whom an admission lets pass, with the one file that their form holds."""

    admission: Admission
    field: str

    async def __call__(self, request: Request) -> AsyncIterator[Upload]:
        """Give what was sent, for as long as it is answered.

        Raises:
            SignInNeeded, RoleTooLow, FormForeign: as at every other route.
            FieldInvalid: there is no file.
        """
        await run_in_threadpool(self.admission.require_somebody, request)
        form = await self._form(request)
        try:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            visitor = await run_in_threadpool(self.admission, request, urlencode(fields).encode())
            file = form.get(self.field)
            if not isinstance(file, UploadFile) or not file.size:
                raise FieldInvalid(path=self.field, problem="a file is asked")
            yield Upload(visitor=visitor, file=file.file)
        finally:
            await form.close()

    async def _form(self, request: Request) -> FormData:
        try:
            return await request.form(
                max_files=1, max_fields=FIELDS_MAX, max_part_size=FORM_BYTES_MAX
            )
        except HTTPException as error:
            raise FieldInvalid(path=self.field, problem="the form cannot be read") from error
