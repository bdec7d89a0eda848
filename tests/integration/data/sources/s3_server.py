"""A small server that speaks S3 as far as obstore asks: list, head, get, put, delete, bulk delete.

Buckets are dictionaries. What a test needs of the other side's moods is a flag: who may enter,
whether versions are kept, whether a deletion is only said to have happened.
"""

import hashlib
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

PAGE = 2  # keys in one answer, so that every listing has several


@dataclass
class Bucket:
    """What is in it, and how it behaves."""

    objects: dict = field(default_factory=dict)
    types: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)  # of the upload that is under way
    is_closed: bool = False
    keeps_versions: bool = False
    forgets_to_delete: bool = False
    requests: list = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        bucket, key, query = self._begin()
        if bucket is None:
            return
        if not key:
            self._answer(200, _listing(bucket, query), {"Content-Type": "application/xml"})
        elif key in bucket.objects:
            self._object(bucket, key)
        else:
            self._refuse(404, "NoSuchKey")

    do_HEAD = do_GET

    def do_PUT(self):
        bucket, key, query = self._begin()
        if bucket is None:
            return
        if "partNumber" in query:
            bucket.parts[int(query["partNumber"][0])] = self.body
            self._answer(200, b"", {"ETag": _tag(self.body)})
            return
        bucket.objects[key] = self.body
        bucket.types[key] = self.headers.get("Content-Type", "")
        self._answer(200, b"", {"ETag": _tag(self.body)})

    def do_POST(self):
        bucket, key, query = self._begin()
        if bucket is None:
            return
        if "delete" not in query:
            self._answer(200, _upload(bucket, key, is_over="uploadId" in query), {})
            return
        tree = ElementTree.fromstring(self.body)
        keys = [node.text for node in tree.iter() if node.tag.endswith("Key")]
        for key in keys if not bucket.forgets_to_delete else ():
            bucket.objects.pop(key, None)
        told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode(), {})

    def do_DELETE(self):
        bucket, key, _ = self._begin()
        if bucket is None:
            return
        if not bucket.forgets_to_delete:
            bucket.objects.pop(key, None)
        self._answer(204, b"", {})

    def _begin(self):
        parts = urlsplit(self.path)
        self.body = self._read_body()
        _, name, *key = unquote(parts.path).split("/", 2)
        bucket = self.server.buckets.get(name)
        if bucket is None:
            self._refuse(404, "NoSuchBucket")
            return None, "", {}
        bucket.requests.append(self.command)
        if bucket.is_closed:
            self._refuse(403, "AccessDenied")
            return None, "", {}
        return bucket, "".join(key), parse_qs(parts.query, keep_blank_values=True)

    def _read_body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _object(self, bucket, key):
        content = bucket.objects[key]
        headers = {
            "ETag": _tag(content),
            "Last-Modified": "Sun, 01 Mar 2026 00:00:00 GMT",
            "Content-Type": bucket.types.get(key, ""),
        }
        if bucket.keeps_versions:
            headers["x-amz-version-id"] = "v1"
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, content, headers)
            return
        start, end = int(asked[1]), int(asked[2]) + 1
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        self._answer(206, content[start:end], headers)

    def _refuse(self, status, code):
        self._answer(status, f"<Error><Code>{code}</Code></Error>".encode(), {})

    def _answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _upload(bucket, key, *, is_over):
    """Begin an upload in parts, or put its parts together."""
    if not is_over:
        bucket.parts.clear()
        start = f"<Bucket>uploads</Bucket><Key>{escape(key)}</Key><UploadId>1</UploadId>"
        start = f"<InitiateMultipartUploadResult>{start}</InitiateMultipartUploadResult>"
        return start.encode()
    bucket.objects[key] = b"".join(bucket.parts[number] for number in sorted(bucket.parts))
    tag = escape(_tag(bucket.objects[key]))
    over = f"<ETag>{tag}</ETag>"
    return f"<CompleteMultipartUploadResult>{over}</CompleteMultipartUploadResult>".encode()


def _tag(content):
    return f'"{hashlib.md5(content).hexdigest()}"'


def _listing(bucket, query):
    prefix = query.get("prefix", [""])[0]
    after = query.get("continuation-token", [""])[0]
    keys = [key for key in sorted(bucket.objects) if key.startswith(prefix) and key > after]
    page = keys[:PAGE]
    parts = [
        f"<Contents><Key>{escape(key)}</Key><Size>{len(bucket.objects[key])}</Size>"
        f"<ETag>{escape(_tag(bucket.objects[key]))}</ETag>"
        "<LastModified>2026-03-01T00:00:00.000Z</LastModified></Contents>"
        for key in page
    ]
    is_cut = len(keys) > len(page)
    more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if is_cut else ""
    return (
        f"<ListBucketResult>{''.join(parts)}{more}"
        f"<IsTruncated>{str(is_cut).lower()}</IsTruncated></ListBucketResult>"
    ).encode()


@contextmanager
def serve(buckets):
    """Serve buckets on this machine and yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.buckets = buckets
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
