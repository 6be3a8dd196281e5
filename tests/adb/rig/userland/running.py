"""The processes of the device, named as Android names them: by the first word of their command line, or
for a program that is a script here, by that."""

from pathlib import Path


def processes():
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda one: int(one.name)):
        try:
            status = dict(
                line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line
            )
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        script = len(words) > 1 and "/python" in words[0] and not words[1].startswith("-")
        name = words[script].rsplit("/", 1)[-1] or status["Name"]
        yield int(folder.name), int(status["Uid"].split()[0]), int(status["PPid"]), name, status["State"]
