# SPDX-License-Identifier: BSD-3-Clause
"""A small S3 in memory, for tests where no real one is: python3 server.py [OPTIONS] [PORT]. Prints its port.

It checks signatures (AWS Signature Version 4) of the key "test" with the secret "secret", ranges, If-None-Match, parts,
and listings in pages of 1,000 names.

It also gives keys of roles: as the metadata service of a machine (/latest/…), and as that of a container (/container,
with "Authorization: permit"). GET /.roles tells how many keys it has given, and /.requests how many other requests
there were.
"""
import argparse
import email.utils
import hashlib
import hmac
import json
import re
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

parser = argparse.ArgumentParser()
parser.add_argument("port", nargs="?", type=int, default=0)
parser.add_argument("--unconditional", action="store_true", help="ignores If-None-Match")
parser.add_argument("--refuses-conditions", action="store_true", help="answers 501 to If-None-Match")
parser.add_argument("--fails", type=int, default=0, help="answers this status to everything")
parser.add_argument("--whole", action="store_true", help="ignores Range")
parser.add_argument("--region", default="", help="the only region that it accepts; any other is told this one")
parser.add_argument("--role-seconds", type=int, default=3600, help="for how long keys of roles are valid, as it says")
parser.add_argument("--role-requests", type=int, default=1 << 30, help="after so many requests they have expired")
parser.add_argument("--certificate", default="", help="a file with a certificate and its key: speaks TLS")
options = parser.parse_args()

# Of each key: its secret, the token that it needs, and the number of requests for which it is valid.
keys = {"test": ["secret", "", 1 << 30]}
count = {"requests": 0}
objects, uploads, lock = {}, {}, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def refuse(self, status, code, message=""):
        text = f"<Error><Code>{code}</Code><Message>{escape(message or code)}</Message></Error>"
        self.answer(status, text.encode(), [("Content-Type", "application/xml")])

    def is_signed(self, payload):
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)",
            self.headers.get("Authorization", ""))
        if found is None or found[1] not in keys:
            return False
        key, day, region, names, signature = found.groups()
        secret, token, _ = keys[key]
        if token and ("x-amz-security-token" not in names or self.headers.get("x-amz-security-token") != token):
            return False
        digest = self.headers.get("x-amz-content-sha256", "")
        if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(payload).hexdigest()):
            return False
        if any(name not in self.headers for name in names.split(";")):
            return False
        path, _, query = self.path.partition("?")
        pairs = sorted(part if "=" in part else part + "=" for part in query.split("&") if part)
        headers = "".join(f"{name}:{' '.join(self.headers.get(name, '').split())}\n" for name in names.split(";"))
        canonical = "\n".join([self.command, path, "&".join(pairs), headers, names, digest])
        scope = f"{day}/{region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
        made = ("AWS4" + secret).encode()
        for part in (day, region, "s3", "aws4_request"):
            made = hmac.new(made, part.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(hmac.new(made, text.encode(), hashlib.sha256).hexdigest(), signature)

    def give_role(self):
        number = str(len(keys))
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + options.role_seconds))
        keys["role-" + number] = ["role-secret-" + number, "role-token-" + number, options.role_requests]
        document = {"AccessKeyId": "role-" + number, "SecretAccessKey": "role-secret-" + number,
                    "Token": "role-token-" + number, "Expiration": end}
        self.answer(200, json.dumps(document).encode())

    def serve_roles(self):
        service = "/latest/meta-data/iam/security-credentials/"
        if self.path == "/.roles":
            return self.answer(200, str(len(keys) - 1).encode())
        if self.path == "/container":
            if self.headers.get("Authorization") != "permit":
                return self.refuse(401, "Unauthorized")
            return self.give_role()
        if self.path == "/latest/api/token" and self.command == "PUT":
            return self.answer(200, b"a-token")
        if self.headers.get("X-aws-ec2-metadata-token") != "a-token":
            return self.refuse(401, "Unauthorized")
        if self.path == service:
            return self.answer(200, b"a-role")
        if self.path == service + "a-role":
            return self.give_role()
        self.refuse(404, "NotFound")

    def is_served(self, key):
        """Whether the key is valid and the region is this one; if not, it is answered."""
        with lock:
            keys[key][2] -= 1
            if keys[key][2] < 0:
                self.refuse(400, "ExpiredToken", "The provided token has expired.")
                return False
        if options.region and f"/{options.region}/s3/" not in self.headers["Authorization"]:
            text = "<Error><Code>PermanentRedirect</Code><Message>use the endpoint of the bucket</Message></Error>"
            self.answer(301, text.encode(), [("x-amz-bucket-region", options.region)])
            return False
        if options.refuses_conditions and "If-None-Match" in self.headers:
            self.refuse(501, "NotImplemented", "The header If-None-Match is not supported")
            return False
        return True

    def handle_any(self):
        payload = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # As a proxy gets it.
        self.path = re.sub("^http://[^/]*", "", self.path)
        if re.match("/(latest/|container|[.]roles)", self.path):
            return self.serve_roles()
        if self.path == "/.requests":
            return self.answer(200, str(count["requests"]).encode())
        with lock:
            count["requests"] += 1
        if options.fails:
            return self.refuse(options.fails, "Fails", "as it was told")
        if not self.is_signed(payload):
            return self.refuse(403, "SignatureDoesNotMatch", "The request signature does not match.")
        if not self.is_served(re.search("Credential=([^/]+)", self.headers["Authorization"])[1]):
            return
        url = urllib.parse.urlsplit(self.path)
        key = urllib.parse.unquote(url.path).lstrip("/")
        # The bucket may stand in the name of the host.
        host = re.fullmatch(r"(.+)[.](localhost|example)(:\d+)?", self.headers.get("Host", ""))
        if host:
            key = host[1] + "/" + key
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        getattr(self, "do_" + self.command.lower())(key, query, payload)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

    def do_get(self, key, query, _):
        if query.get("list-type") == "2":
            return self.list(key.rstrip("/"), query)
        with lock:
            found = objects.get(key)
        if found is None:
            return self.refuse(404, "NoSuchKey")
        data, _ = found
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted and not options.whole:
            first, last = int(wanted[1]), int(wanted[2])
            if first >= len(data):
                return self.refuse(416, "InvalidRange")
            return self.answer(206, data[first:last + 1])
        self.answer(200, data)

    def do_head(self, key, *_):
        with lock:
            found = objects.get(key)
        if found is None:
            return self.answer(404)
        when = email.utils.formatdate(found[1], usegmt=True)
        self.answer(200, headers=[("Content-Length", str(len(found[0]))), ("Last-Modified", when)])

    def store(self, key, data):
        with lock:
            if self.headers.get("If-None-Match") == "*" and key in objects and not options.unconditional:
                return False
            objects[key] = (data, time.time())
            return True

    def do_put(self, key, query, payload):
        etag = '"' + hashlib.md5(payload).hexdigest() + '"'
        if "uploadId" in query:
            with lock:
                if query["uploadId"] not in uploads:
                    return self.refuse(404, "NoSuchUpload")
                uploads[query["uploadId"]][int(query["partNumber"])] = payload
            return self.answer(200, headers=[("ETag", etag)])
        if not self.store(key, payload):
            return self.refuse(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold")
        self.answer(200, headers=[("ETag", etag)])

    def do_post(self, key, query, payload):
        if "uploads" in query:
            with lock:
                name = str(len(uploads)) + key
                uploads[name] = {}
            return self.answer(200, f"<Result><UploadId>{escape(name)}</UploadId></Result>".encode())
        with lock:
            parts = uploads.get(query["uploadId"])
        if parts is None:
            return self.refuse(404, "NoSuchUpload")
        wanted = [int(number) for number in re.findall(rb"<PartNumber>(\d+)", payload)]
        if not self.store(key, b"".join(parts[number] for number in wanted)):
            return self.refuse(412, "PreconditionFailed")
        with lock:
            del uploads[query["uploadId"]]
        self.answer(200, b"<CompleteMultipartUploadResult/>")

    def do_delete(self, key, query, _):
        with lock:
            if "uploadId" in query:
                uploads.pop(query["uploadId"], None)
            else:
                objects.pop(key, None)
        self.answer(204)

    def list(self, bucket, query):
        prefix, delimiter = bucket + "/" + query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token", "")
        with lock:
            names = sorted(name for name in objects if name.startswith(prefix) and name > after)
            contents, folders, last = [], [], ""
            for name in names:
                if len(contents) + len(folders) == 1000:
                    break
                rest = name[len(prefix):]
                if delimiter and delimiter in rest:
                    folder = prefix + rest.split(delimiter)[0] + delimiter
                    if folder[len(bucket) + 1:] not in folders:
                        folders.append(folder[len(bucket) + 1:])
                else:
                    data, when = objects[name]
                    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(when))
                    contents.append((name[len(bucket) + 1:], stamp, len(data)))
                last = name
            more = bool(names) and last != names[-1]
        text = "<ListBucketResult>" + "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>{when}</LastModified><Size>{size}</Size></Contents>"
            for name, when, size in contents)
        text += "".join(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders)
        text += f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            text += f"<NextContinuationToken>{escape(last)}</NextContinuationToken>"
        self.answer(200, (text + "</ListBucketResult>").encode())


server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None  # clients that go away
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    # The handshake is made by the thread of a connection, so that a client that breaks off does no harm.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
