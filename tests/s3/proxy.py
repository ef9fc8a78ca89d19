# SPDX-License-Identifier: BSD-3-Clause
"""Stands between a client and a server of S3, and harms one request: python3 proxy.py PORT_OF_SERVER. Prints its port.

PUT /.proxy?at=N&what=W plans to harm request N from now on, counted from 0; GET /.proxy tells how many there were.

W is "cut" (the request is not forwarded, and the connection is closed), "deaf" (it is forwarded, and the connection is
closed without an answer), "half" (half of the answer is sent), "500", "503", "409", "412" (that answer, without
forwarding), "500 after" (the request is forwarded, and answered so), "twice" (it is forwarded twice, and the second
answer is sent) or "late" (it is forwarded after the connection was closed, while the client does other things).

With "overtaken", the connection is closed at once, and the request is forwarded just before the next one of its method.

Three more keep the request until the next PUT /.proxy, so that a test can kill the client or the server meanwhile:
"hold" (it is forwarded never), "hold after" (it is forwarded at once, and has no answer) and "hold before" (it is
forwarded then, and answered). "slow" makes every request from N on wait for 20 ms.
"""
import http.client
import socket
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

target = int(sys.argv[1])
lock = threading.Lock()
plan = {"at": -1, "what": "", "seen": 0, "release": threading.Event(), "late": None}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def send(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length") or (
                    self.command == "HEAD" and name.lower() == "content-length"):
                self.send_header(name, value)
        if self.command != "HEAD" and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def forward(self, body):
        with lock:
            late = plan["late"]
            if late and late[0] == self.command:
                plan["late"] = None
        if late and late[0] == self.command:
            self.pass_on(*late)
        return self.pass_on(self.command, self.path, self.headers, body)

    def pass_on(self, command, path, headers, body):
        server = http.client.HTTPConnection("127.0.0.1", target)
        server.putrequest(command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name.lower() != "connection":
                server.putheader(name, value)
        server.endheaders(body)
        answer = server.getresponse()
        content = answer.read()
        server.close()
        return answer.status, answer.getheaders(), content

    def close(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/.proxy"):
            with lock:
                if self.command == "PUT":
                    wanted = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                    plan["release"].set()
                    plan.update(at=int(wanted["at"]), what=wanted.get("what", ""), seen=0, release=threading.Event(), late=None)
                return self.send(200, [], str(plan["seen"]).encode())
        with lock:
            is_meant = plan["seen"] >= plan["at"] if plan["what"] == "slow" else plan["seen"] == plan["at"]
            what, release = plan["what"] if is_meant else "", plan["release"]
            if what != "hold after":
                plan["seen"] += 1
        try:
            self.harm(what, release, body)
        except OSError:  # the client or the server is gone
            self.close_connection = True

    def harm(self, what, release, body):
        if what == "cut":
            return self.close()
        if what == "overtaken":
            with lock:
                plan["late"] = (self.command, self.path, self.headers, body)
            return self.close()
        if what == "slow":
            time.sleep(0.02)
        if what == "hold after":
            self.forward(body)
            with lock:
                plan["seen"] += 1
        if what.startswith("hold"):
            release.wait(60)
        if what in ("hold", "hold after"):
            return self.close()
        if what in ("500", "503", "409", "412"):
            return self.send(int(what), [], b"<Error><Code>Harmed</Code><Message>by the proxy</Message></Error>")
        if what == "late":
            threading.Thread(target=lambda: (time.sleep(0.05), self.forward(body))).start()
            return self.close()
        answer = self.forward(body)
        if what == "twice":
            answer = self.forward(body)
        if what == "deaf":
            return self.close()
        if what == "500 after":
            return self.send(500, [], b"")
        if what == "half" and len(answer[2]) > 1:
            self.send_response_only(answer[0])
            self.send_header("Content-Length", str(len(answer[2])))
            self.end_headers()
            self.wfile.write(answer[2][:len(answer[2]) // 2])
            return self.close()
        self.send(*answer)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None  # clients that go away
print(server.server_address[1], flush=True)
server.serve_forever()
