"""Reads the manifest of an APK: version, permissions, components and their processes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree.ElementTree import Element

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.devices.android.device_facts import TO_COME, api_level

ANDROID = "{http://schemas.android.com/apk/res/android}"
Kind = Literal["activity", "activity-alias", "service", "receiver", "provider"]
KINDS: tuple[Kind, ...] = ("activity", "activity-alias", "service", "receiver", "provider")


@dataclass(frozen=True)
class Component:
    """An activity, service, receiver or provider."""

    kind: Kind
    name: str
    """Full name of its class."""
    process: str
    """Full name of its process: com.example:push."""
    enabled: bool = True
    launcher: bool = False
    """Whether it is shown in the launcher: MAIN and LAUNCHER in one filter."""
    isolated: bool = False
    """Whether it is a service in an isolated process."""


_PERMISSION = "android.permission."


class _ImpliedPermission(CatalogEntry):
    below: int | None = None
    named: str | None = Field(default=None, alias="with")
    also: tuple[str, ...]
    since: int = 1


class _ManifestRules(CatalogEntry):
    implied: tuple[_ImpliedPermission, ...]


@functools.cache
def _rules() -> _ManifestRules:
    return yaml_files.parse(yaml_files.HERE / "devices/manifest.yml", _ManifestRules)


def implied(permissions: Sequence[str], target_sdk: int, api: int = TO_COME) -> tuple[str, ...]:
    """Permissions that a device at an API level considers requested although the manifest does not name them."""
    held = list(permissions)
    for rule in _rules().implied:
        fits = rule.below is None or target_sdk < rule.below
        if fits and api >= rule.since and (rule.named is None or _PERMISSION + rule.named in held):
            held += [name for each in rule.also if (name := _PERMISSION + each) not in held]
    return tuple(held[len(permissions) :])


def of_manifest(manifest: Element, resolved: Callable[[str | None], str | None]) -> dict[str, Any]:
    """The fields of Apk that come from a manifest's tree. `resolved` returns the value of a reference to a resource."""
    package = manifest.get("package", "")

    def text(element: Element | None, name: str) -> str | None:
        return resolved(element.get(ANDROID + name)) if element is not None else None

    def number(element: Element | None, name: str) -> int | None:
        said = text(element, name)
        with suppress(ValueError):
            return int(said, 0) if said else None
        return None

    def flag(element: Element | None, name: str) -> bool | None:
        said = text(element, name)
        return None if said is None else said in ("true", "1", "-1")

    application = manifest.find("application")
    uses = manifest.find("uses-sdk")
    split = manifest.get("split")
    code, major = number(manifest, "versionCode"), number(manifest, "versionCodeMajor")
    least = api_level(text(uses, "minSdkVersion") or "") or 1
    uses_permission = [*manifest.findall("uses-permission"), *manifest.findall("uses-permission-sdk-23")]
    asked = [each.get(f"{ANDROID}name") for each in uses_permission]
    return {
        "package": package,
        "split": split,
        "config_for": manifest.get("configForSplit", "") if split and _is_config(split) else None,
        "version_name": text(manifest, "versionName"),
        "version_code": None if code is None else (major or 0) << 32 | code & 0xFFFFFFFF,
        "min_sdk": least,
        "target_sdk": None if split else api_level(text(uses, "targetSdkVersion") or "") or least,
        "permissions": tuple(dict.fromkeys(name for name in asked if name)),
        "components": tuple(_components(package, application, text, flag)) if application is not None else (),
        "debuggable": flag(application, "debuggable") or False,
        "extract_native_libs": flag(application, "extractNativeLibs"),
        "cleartext": flag(application, "usesCleartextTraffic"),
        "network_security": application.get(f"{ANDROID}networkSecurityConfig") if application is not None else None,
    }


def _is_config(split: str) -> bool:
    return split.startswith("config.") or ".config." in split


def _components(package: str, application: Element, text: Any, flag: Any) -> Iterator[Component]:
    own = _process(package, text(application, "process"), package)
    classes = {
        _full(package, text(each, "name") or ""): _process(package, text(each, "process"), own)
        for each in application.findall("activity")
    }
    for kind in KINDS:
        for each in application.findall(kind):
            if not (named := text(each, "name")):
                continue
            process = _process(package, text(each, "process"), own)
            if kind == "activity-alias":
                process = classes.get(_full(package, text(each, "targetActivity") or ""), own)
            yield Component(
                kind=kind,
                name=_full(package, named),
                process=process,
                enabled=flag(each, "enabled") is not False,
                launcher=kind.startswith("activity") and any(map(_launches, each.findall("intent-filter"))),
                isolated=kind == "service" and flag(each, "isolatedProcess") is True,
            )


def _launches(filter_: Element) -> bool:
    actions = {each.get(f"{ANDROID}name") for each in filter_.findall("action")}
    categories = {each.get(f"{ANDROID}name") for each in filter_.findall("category")}
    return "android.intent.action.MAIN" in actions and "android.intent.category.LAUNCHER" in categories


def _full(package: str, name: str) -> str:
    if name.startswith("."):
        return package + name
    return name if "." in name else f"{package}.{name}"


def _process(package: str, said: str | None, otherwise: str) -> str:
    if not said:
        return otherwise
    return package + said if said.startswith(":") else said
