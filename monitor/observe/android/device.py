"""One Android device for one run: its parts put together, each change written down before it is made, all taken back."""

from __future__ import annotations

import shutil
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor import private
from monitor.errors import SetupError
from monitor.events import AppIdentity, DeviceIdentity, Gap, Value
from monitor.observe.android import finding, package, persona, processes, server, traffic, trust
from monitor.observe.android.control import Control
from monitor.observe.android.endings import last_end
from monitor.observe.android.faults import DeviceFault, fault
from monitor.observe.android.screens import Screens
from monitor.observe.android.wanted import Wanted
from monitor.observe.android.witnesses import Witnesses
from monitor.observe.device import Ended, Records
