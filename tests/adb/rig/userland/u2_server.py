"""Stands in for uiautomator2's server: JSON-RPC over HTTP as its client speaks it, over the display's files."""

import base64
import json
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import display
from state import State

# One grey pixel.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgy"
    "PC4zNDL/wAALCAABAAEBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG"
    "E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJ"
    "ipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/ACv/2Q=="
)


class Service:
    """The methods that the product calls."""

    def __init__(self, refuses):
        self._refuses = refuses
        self.configuration = {
            "_waitForIdleTimeout": 10000,
            "waitForIdleTimeout": 10000,
            "waitForSelectorTimeout": 10000,
        }

    def _inject(self, what):
        if self._refuses:
            raise PermissionError(
                "java.lang.SecurityException: Injecting input events requires INJECT_EVENTS permission"
            )
        display.touch(what)
        return True

    def click(self, x, y):
        return self._inject(f"tap {x} {y}")

    def pressKey(self, key):
        return self._inject(f"key {key.upper()}")

    def dumpWindowHierarchy(self, compressed, max_depth, root_in_active=False):
        return display.window(active=root_in_active)

    def takeScreenshot(self, scale, quality):
        return base64.b64encode(JPEG).decode()

    def getClipboard(self):
        with State() as state:
            return state.get("clipboard")

    def setClipboard(self, label, text):
        with State() as state:
            if state.get("clipboard_refused"):
                raise PermissionError("java.lang.SecurityException: Package android does not belong to 2000")
            state["clipboard"] = text
            if not text:
                del state["clipboard"]

    def getConfigurator(self):
        return self.configuration

    def setConfigurator(self, configuration):
        self.configuration = configuration
        return configuration


def serve(port, refuses, breaks):
    service = Service(refuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._say(b"pong" if self.path == "/ping" else b"", "text/plain")

        def do_POST(self):
            order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {"jsonrpc": "2.0", "id": order["id"]}
            try:
                if breaks:
                    raise RuntimeError("java.lang.NullPointerException: UiAutomation is not connected")
                method = getattr(service, order["method"])
                params = order["params"]
                answer["result"] = method(**params) if isinstance(params, dict) else method(*params)
            except Exception as error:
                answer["error"] = {"code": -32001, "message": str(error), "data": traceback.format_exc()}
            self._say(json.dumps(answer).encode(), "application/json")

        def _say(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
