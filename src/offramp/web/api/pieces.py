"""Answers that are sent piece by piece, for they may be larger than memory.

Source: RFC 9112, section 8 (incomplete messages).
"""

from collections.abc import Generator

from fastapi.responses import StreamingResponse
from starlette.types import Send


class PiecesResponse(StreamingResponse):
    """Sends piece by piece; what ends early is cut off, so that nobody takes it for whole."""

    def __init__(
        self, content: Generator[bytes, None, None], *, status: int, headers: dict[str, str]
    ) -> None:
        """Send what a generator gives; the headers say how much it is."""
        super().__init__(content, status_code=status, headers=headers)
        self._content = content

    async def stream_response(self, send: Send) -> None:
        """Send the answer, end it only where all of it was sent, and let go of the file."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        left = int(self.headers["content-length"])
        try:
            await send({"type": "http.response.start", **start})
            async for piece in self.body_iterator:
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        finally:
            self._content.close()
