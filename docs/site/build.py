"""Builds the site: the pages of docs/ and of the root, and a reference made from the program itself.

`python -m docs.site.build FOLDER` (`make docs`) writes it by mkdocs-material, and fails on a link that leads nowhere.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import cloup
import yaml

from appwitness.api import hooked_apis, reference
from appwitness.cli import catalog_pages
from appwitness.cli.front_page import VERBS
from appwitness.cli.verbs import main
from appwitness.reports.words import Words
from appwitness.support import escape
from appwitness.support.spoken import say
from docs.site import terminal

ROOT = Path(__file__).parents[2]
DEVICES = ROOT / "monitor/appwitness/catalog/devices"
REPOSITORY = "https://github.com/appwitness/appwitness/blob/main/"
NAV = yaml.safe_load((ROOT / "docs/site/pages.yml").read_text("utf-8"))
BESIDE = {"README.md": "index.md", "README.zh.md": "zh.md"} | {
    f"{name}.md": f"{name.lower()}.md" for name in ("CHANGELOG", "SECURITY", "CONTRIBUTING", "ARCHITECTURE", "AGENTS")
}
"""Pages that stand at the root of the repository -> what they are on the site."""
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FOLDERS = {"en": "", "zh": "zh/"}
RULES = {
    "en": "# Rules\n\n| rule | level | objects to |\n|---|---|---|",
    "zh": "# 规则\n\n| 规则 | 级别 | 针对的行为 |\n|---|---|---|",
}
FAULTS = {
    "en": ("What doctor and errors say", "What to do:", "| code | |"),
    "zh": ("doctor 与错误信息的代码", "处理方法：", "| 代码 | |"),
}
"""Language -> title of the list, what stands before the remedy, head of the list."""
KINDS = {
    "faults": {"en": "This stops a run.", "zh": "出现时无法运行。"},
    "warnings": {
        "en": "This is a warning of `doctor`: a run sees less, or says less.",
        "zh": "这是 `doctor` 的警告：运行能观测到或能说明的内容会减少。",
    },
    "frida": {"en": "This is an error of Frida's.", "zh": "这是 Frida 的错误。"},
}
PATTERN = {
    "en": "Frida's error says something that this pattern fits: `{}`.",
    "zh": "Frida 的错误信息符合此模式：`{}`。",
}


def pages(out: Path) -> None:
    """Write into `out` the Markdown that the site is made of."""
    shutil.copytree(ROOT / "docs", out, ignore=shutil.ignore_patterns("site", "ci", "__pycache__", "*.py"))
    for page in out.rglob("*.md"):
        folder = (Path("docs") / page.parent.relative_to(out)).as_posix()
        page.write_text(relinked(page.read_text("utf-8"), folder), "utf-8")
    for name, there in BESIDE.items():
        if (ROOT / name).exists():
            (out / there).write_text(relinked((ROOT / name).read_text("utf-8"), ""), "utf-8")
    for name, text in {
        **verbs(),
        **rules(),
        **faults(),
        "reference/sources.md": sources(),
        **terminals(out),
    }.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, "utf-8")


def relinked(text: str, folder: str) -> str:
    """A page of `folder` with its links as they are on the site; what is not on it is shown in the repository."""

    def lead(found: re.Match[str]) -> str:
        path, mark, anchor = found[2].partition("#")
        if not path or ":" in path:
            return found[0]
        parts: list[str] = []
        for part in f"{folder}/{path}".split("/"):
            if part == "..":
                parts.pop()
            elif part not in {"", "."}:
                parts.append(part)
        there, up = "/".join(parts), "../" * folder.count("/")
        if there in BESIDE:
            return f"{found[1]}{up}{BESIDE[there]}{mark}{anchor}{found[3]}"
        if re.fullmatch(r"docs/(?:(?:zh/)?[\w-]+\.md|pictures/.*)", there):
            return f"{found[1]}{up}{there.removeprefix('docs/')}{mark}{anchor}{found[3]}"
        return f"{found[1]}{REPOSITORY}{there}{mark}{anchor}{found[3]}"

    return LINK.sub(lead, text)


def verbs() -> dict[str, str]:
    """A page for each verb: its help, and that of the verbs below it."""
    made: dict[str, str] = {}
    context = cloup.Context(main, info_name="appwitness")
    for name in VERBS:
        command = main.get_command(context, name)
        assert command is not None
        made[f"reference/verbs/{name}.md"] = f"# {name}\n\n" + "\n".join(_helps(command, context, name))
    rows = "\n".join(f"- [`appwitness {name}`](verbs/{name}.md)" for name in VERBS)
    return {**made, "reference/verbs.md": f"# Verbs\n\n{rows}\n"}


def _helps(command: click.Command, above: click.Context, name: str) -> Iterator[str]:
    context = cloup.Context(command, parent=above, info_name=name, terminal_width=100, max_content_width=100)
    if above.parent is not None:
        yield f"## {name}\n"
    yield f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None and not found.hidden:
                yield from _helps(found, context, below)


def rules() -> dict[str, str]:
    """A page for each rule in each language: what `appwitness list rules RULE` prints, as a page."""
    made: dict[str, str] = {}
    for lang, folder in FOLDERS.items():
        pages = [reference.rule_page(rule.id) for rule in reference.rules()]
        for each in pages:
            made[f"{folder}reference/rules/{each.rule.id}.md"] = _rule(each, lang)
        rows = "\n".join(
            f"| [{each.rule.id}](rules/{each.rule.id}.md) | {Words(lang)(f'level_{each.rule.level}')} "
            f"| {each.rule.title[lang]} |"
            for each in pages
        )
        made[f"{folder}reference/rules.md"] = f"{RULES[lang]}\n{rows}\n"
    return made


def _rule(known: reference.RulePage, lang: str) -> str:
    rule = known.rule
    told = [f"# {rule.title[lang]}", f"`{rule.id}`", escape.markdown(rule.why[lang])]
    for part in catalog_pages.rule_parts(known, lang):
        if part.name == "why":
            continue
        told += [f"## {part.head}", *([escape.markdown(part.text)] if part.text else [])]
        items = (
            escape.markdown(each if isinstance(each, str) else Words(lang)("colon").join(each)) for each in part.items
        )
        told.append("\n".join(f"- {item}" for item in items))
    shown = f"appwitness list rules {rule.id}{'' if lang == 'en' else f' --lang {lang}'}"
    return "\n\n".join([*filter(None, told), f"```text\n{shown}\n```"]) + "\n"


def faults() -> dict[str, str]:
    """A page for each code of `doctor` and of errors in each language: what happened, and what to do."""
    made: dict[str, str] = {}
    for lang, folder in FOLDERS.items():
        told = _faults(lang)
        head, do_, row = FAULTS[lang]
        for code, (what, said, do) in told.items():
            parts = [f"# {code}", what, _marked(said), f"**{do_}** {_marked(do)}"]
            made[f"{folder}reference/doctor/{code}.md"] = "\n\n".join(filter(None, parts)) + "\n"
        rows = "\n".join(f"| [{code}](doctor/{code}.md) | {what} |" for code, (what, _, _) in sorted(told.items()))
        made[f"{folder}reference/doctor.md"] = f"# {head}\n\n{row}\n|---|---|\n{rows}\n"
    return made


def _faults(lang: str) -> dict[str, tuple[str, str, str]]:
    """Code -> what kind it is, what it says, and what to do."""
    told: dict[str, tuple[str, str, str]] = {}
    for file, part in (("faults", "faults"), ("doctor", "warnings")):
        tree = yaml.safe_load((DEVICES / f"{file}.yml").read_text("utf-8"))
        roms = "\n".join(
            f"- {say(rom['name'], lang)}{Words(lang)('colon')}{say(rom['do'], lang)}" for rom in tree.get("roms", ())
        )
        for code, each in tree[part].items():
            do = f"\n\n{roms}" if each["do"] == "{remedy}" else say(each["do"], lang)
            told[code] = (KINDS[part][lang], say(each["what"], lang), do)
    for each in yaml.safe_load((DEVICES / "frida.yml").read_text("utf-8"))["errors"]:
        says = PATTERN[lang].format(each["says"]) if "says" in each else ""
        told[each["code"]] = (KINDS["frida"][lang], says, say(each["do"], lang))
    return told


def _marked(text: str) -> str:
    return re.sub(r"(?<!`)\{(\w+)\}(?!`)", r"*\1*", text)


def sources() -> str:
    """The APIs that are hooked, by kind of data."""
    by_kind: dict[str, list[str]] = {}
    for api in hooked_apis.hooked_apis():
        by_kind.setdefault(api.data, []).append(f"- `{api.name}`" + (f" ({api.permission})" if api.permission else ""))
    told = (f"## {kind}\n\n" + "\n".join(names) + "\n" for kind, names in sorted(by_kind.items()))
    return "# Hooked APIs\n\n" + "\n".join(told)


def terminals(out: Path) -> dict[str, str]:
    """A page of recorded terminals, each with what it shows at its end as text; none where none was recorded here."""
    told = []
    for name, command in terminal.COMMANDS.items():
        cast = terminal.CASTS / f"{name}.cast"
        if cast.exists():
            shutil.copy(cast, out / cast.name)
            player = json.dumps({"file": cast.name, "title": command, "cols": terminal.COLUMNS, "rows": terminal.ROWS})
            told.append(
                f"## {command}\n\n```asciinema-player\n{player}\n```\n\n"
                f"As text, at its end:\n\n```text\n{terminal.plain(cast)}\n```\n"
            )
    return {"terminals.md": "# In a terminal\n\n" + "\n".join(told)} if told else {}


def build(out: Path) -> None:
    """Build the site into `out`. Ends the program where a page or a heading that is linked is not there."""
    room = ROOT / ".setup/site"
    shutil.rmtree(room, ignore_errors=True)
    pages(room / "pages")
    nav = [entry for entry in NAV["nav"] if _there(entry, room / "pages")]
    settings = NAV | {"nav": nav, "docs_dir": str(room / "pages"), "site_dir": str(out.resolve())}
    (room / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(room / "mkdocs.yml")], check=False
    )
    sys.exit(done.returncode)


def _there(entry: dict[str, object], room: Path) -> bool:
    return not isinstance(page := next(iter(entry.values())), str) or (room / page).exists()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
