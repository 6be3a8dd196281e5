"""docker/compose.yml: it parses, names only what exists, and gives nothing away that it need not."""

import re
import shutil
import subprocess

import click
import pytest

from appwitness.cli.verbs import main
from appwitness.web.auth import HEALTH
from tests.docker.compose import COMPOSE, FILE, OURS, PROFILES, ROOT, SERVICES

COMPOSE_PROGRAM = shutil.which("docker-compose")
DEVICES = ("emulator", "redroid")


@pytest.mark.skipif(COMPOSE_PROGRAM is None, reason="apt-get install docker-compose")
@pytest.mark.parametrize("profile", PROFILES)
def test_it_parses_under_each_profile(profile):
    done = subprocess.run(
        [str(COMPOSE_PROGRAM), "--file", FILE, *(("--profile", profile) if profile else ()), "config", "--services"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    chosen = {name for name, service in SERVICES.items() if profile in service.get("profiles", [profile])}
    assert set(done.stdout.split()) == chosen


def test_without_a_profile_it_is_the_demo_and_its_pages():
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"demo", "web"}


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_digest_or_is_the_users_choice(name):
    image = SERVICES[name]["image"]
    if name in OURS:
        assert SERVICES[name]["pull_policy"] == "never", "a registry may have somebody else's under this name"
    else:
        assert re.search(r"@sha256:[0-9a-f]{64}\}?$|-set-\w+_IMAGE-to-an-image-with-its-digest\}$", image)


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_published_to_this_machine_alone(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))
    assert SERVICES[name].get("network_mode") in (None, "none")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name):
    service = SERVICES[name]
    assert service.get("privileged", False) == (name == "redroid")
    assert {"mem_limit", "pids_limit", "logging"} <= set(service)
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    if name != "redroid":
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] == (name not in DEVICES)
    assert not {"cap_add", "pid", "ipc", "userns_mode"} & set(service)
    assert not [volume for volume in service.get("volumes", ()) if "/" in volume.split(":")[0]], "none of the host"


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_reaches_nothing_but_the_monitor(name):
    assert SERVICES[name]["networks"] == ["devices"]
    assert COMPOSE["networks"]["devices"] == {"internal": True}
    assert COMPOSE["networks"]["store"] == {"internal": True}
    there = {each for each, service in SERVICES.items() if "devices" in service.get("networks", ())}
    assert there == {*DEVICES, "redroid-ready", "emulator-ready", "monitor", "host"}


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_of_ours(name):
    parsed(list(OURS[name]["command"]))


def parsed(words: list[str]) -> None:
    """Have click parse a command line, as the program does. Raises click.UsageError."""
    command: click.Command | None = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, name
    assert command is not None
    command.make_context(command.name, words)


def test_health_checks_ask_what_is_there():
    for service in OURS.values():
        match service.get("healthcheck", {}).get("test"):
            case ["CMD", "appwitness", *words]:
                parsed(words)
            case ["CMD", "python", "-c", program]:
                compile(program, "healthcheck", "exec")
                assert f"http://127.0.0.1:8080{HEALTH}" in program
                assert service["command"][service["command"].index("--port") + 1] == "8080"
            case None:
                pass
            case other:
                raise AssertionError(other)


def test_a_secret_is_a_file_and_no_variable_has_one():
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    said = {name: value for service in SERVICES.values() for name, value in service.get("environment", {}).items()}
    assert {name: value for name, value in said.items() if "PASSWORD" in name or "DB" in name} == {
        "APPWITNESS_DB_FILE": "/run/secrets/db",
        "POSTGRES_DB": "appwitness",
        "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
    }
    assert "/secrets/" in (ROOT / "docker/.gitignore").read_text()
