"""docker/compose.yml as the tests read it: its services, with what YAML anchors share put in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "docker/compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "APPWITNESS_IMAGE" in service["image"]}
"""Services of our images: their command is one of ours."""
PROFILES = ("", *sorted({profile for service in SERVICES.values() for profile in service.get("profiles", ())}))
