"""Records each upload: a line in uploads.jsonl, its bytes in bodies/, and a line in gaps.jsonl for what was missed.

Works with the stock programs (`mitmdump -s addons/uploads.py --set recording=DIR`) and in capture.py. Uses only the
standard library and mitmproxy; the format of lines is the recording contract (its other side is
monitor/appwitness/events).

These files explain what is recorded, and when: record/exchanges.py (HTTP, WebSocket, gRPC), record/raw.py (TCP, UDP,
DNS), record/unseen.py (what could not be observed), disk/storage.py (what is on disk at which moment).
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.utils import human

# Run by its path, from a checkout or from inside the installed package: make `addons` importable in both.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from addons.record.cleartext import Cleartext
from addons.record.exchanges import Exchanges
from addons.record.raw import Raw
from addons.record.recorder import Recorder
from addons.record.starttls import StartTls
from addons.record.unseen import Unseen


class Uploads:
    """Records what leaves the device."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.exchanges = Exchanges(self.recorder)
        self.raw = Raw(self.recorder)
        self.addons = [Cleartext(), self.exchanges, self.raw, Unseen(self.recorder), StartTls()]
        """The other addons that mitmproxy is to call."""

    def load(self, loader: Loader) -> None:
        loader.add_option("recording", str, "", "Folder of the recording that uploads are written into.")
        loader.add_option(
            "upload_limit",
            str,
            "4g",
            "Longest body that is stored whole; a longer one is truncated to this size. Accepts k, m and g.",
        )
        loader.add_option(
            "recording_limit",
            str,
            "",
            "No more bodies are stored once the recording has reached this size. Accepts k, m and g.",
        )
        loader.add_option("disk_free", str, "", "Nothing is written while less than this is free on the disk.")
        loader.add_option("upload_wait", int, 3, "Seconds to wait for a response before its request is written.")
        loader.add_option(
            "pass_refused",
            bool,
            False,
            "A host for which an app refused our certificate is let through undecrypted from then on; a gap says so.",
        )

    def configure(self, updated: set[str]) -> None:
        for name, place in (("upload_limit", "limit"), ("recording_limit", "most"), ("disk_free", "free")):
            if name in updated:
                size = getattr(ctx.options, name)
                try:
                    setattr(self.recorder, place, human.parse_size(size) or 0 if size else 0)
                except ValueError as error:
                    raise exceptions.OptionsError(f"{name} is not a size: {size!r}. Write it as 500m or 4g.") from error
        if "upload_wait" in updated:
            self.exchanges.wait = ctx.options.upload_wait
        if "upstream_auth" in updated:
            secret = getattr(ctx.options, "upstream_auth", None)
            self.exchanges.own = b"Basic " + base64.b64encode(secret.encode()) if secret else None
        if "recording" in updated:
            self.recorder.open(ctx.options.recording, live=getattr(ctx.options, "server", True))

    def done(self) -> None:
        self.exchanges.finish()
        self.raw.finish()
        self.recorder.finish()


addons = [Uploads()]
