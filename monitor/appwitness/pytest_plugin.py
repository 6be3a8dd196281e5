"""The pytest plugin: fixtures that record and judge runs, and fail a test by their verdict.

Imports nothing but pytest until a test uses one of its fixtures. docs/python.md shows how to use it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from appwitness.api.devices import NamedDevice
    from appwitness.api.running import DrivenRun, Judged
    from appwitness.api.suite import Case, EndedTest, Session
    from appwitness.support.errors import UserError

OURS = "appwitness"
"""Name of the marker, of the option group, and of the report property in which a worker passes on a test's result."""
MARKERS = (
    "appwitness(plan=, app_type=, law=, fail_on=, min_confidence=): how the runs of this test are made and judged",
    "allowed_flow(data=, recipient=, consent=None, reason=): this may be sent; any flow no list allows fails the test",
    "forbidden_flow(data=, recipient=None, reason=None): this must not be sent",
    "allowed_gap(where=, why=, subject=, reason=): under --appwitness-strict, a gap that is accepted; `*`: any text",
)
FILES = frozenset({"policy", "rules", "persona", "frida_server", "frida_gadget", "upstream_ca"})
OURS_FIXTURES = frozenset({"appwitness_run", "appwitness_recording"})
_JUDGED: pytest.StashKey[list[tuple[Judged, Path, bool]]] = pytest.StashKey()
"""A test's runs, the folder of each, and whether the recording is ours to remove."""
_CASE: pytest.StashKey[Case] = pytest.StashKey()
_FAILED: pytest.StashKey[bool] = pytest.StashKey()
_SESSION: pytest.StashKey[Session] = pytest.StashKey()
_INDEX: pytest.StashKey[tempfile.TemporaryDirectory[str]] = pytest.StashKey()
_PARTIAL: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; every name begins with --appwitness-, so that it does not clash with another plugin's."""
    group = parser.getgroup(OURS, "personal data that an Android app sends")
    group.addoption(
        "--appwitness-device",
        default="lab:circle",
        metavar="DEVICE",
        help="Device: lab:circle ..., a serial, several with commas (one for each worker), or any. [lab:circle]",
    )
    group.addoption(
        "--appwitness-output",
        default="appwitness-results",
        metavar="DIR",
        help="Folder of recordings and reports, a folder for each test; nothing in it is removed. [appwitness-results]",
    )
    group.addoption(
        "--appwitness-keep",
        choices=("failed", "all", "none"),
        default="failed",
        help="Which tests' recordings are kept. [failed]",
    )
    group.addoption(
        "--appwitness-baseline", metavar="FILE", help="Baseline file. [appwitness-baseline.yml, if it exists]"
    )
    group.addoption(
        "--appwitness-update",
        action="store_true",
        help="Add findings that are new or worse to the baseline; after a run of the whole suite, remove those that "
        "are gone.",
    )
    group.addoption(
        "--appwitness-fail-on",
        choices=("high", "medium", "low", "info", "never"),
        help="Lowest level that fails. [medium]",
    )
    group.addoption(
        "--appwitness-strict",
        action="store_true",
        help="Also fail where a part of the baseline could not be observed.",
    )
    group.addoption(
        "--appwitness-replay",
        metavar="DIR",
        help="Replay the recordings in this output folder of an earlier pytest run, instead of using a device.",
    )
    group.addoption(
        "--appwitness-missing",
        choices=("fail", "skip"),
        default="fail",
        help="What happens to a test whose device does not come up. [fail]",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; also the writer of the results, in the one process that writes them at the end."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Results(config), f"{OURS}-results")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the index, as it contains values."""
    if _INDEX in config.stash:
        config.stash[_INDEX].cleanup()


# Whether the whole suite was to be run: after a part of it, no finding counts as gone.


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Note whether options or other plugins leave tests out, such as -k or sharding."""
    there = len(items)
    yield
    config.stash[_PARTIAL] = len(items) < there


def _asked_for_a_part(config: pytest.Config) -> bool:
    """Whether the command line names tests, or leaves some out. Not for workers, which are always given names."""
    chosen = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise")
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return named or any(getattr(config.option, name, None) for name in chosen)


# The fixtures.


@pytest.fixture(scope="session")
def appwitness_device(request: pytest.FixtureRequest) -> NamedDevice:
    """The device of --appwitness-device; under xdist, worker gw0 gets the first, gw1 the second ..."""
    from appwitness.api.devices import chosen
    from appwitness.support.errors import UserError

    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    try:
        return chosen(request.config.getoption("--appwitness-device"), int(worker) if worker.isdecimal() else 0)
    except UserError as error:
        _missing(request.config, error, None)
        raise


@pytest.fixture(scope="session")
def appwitness_args() -> dict[str, Any]:
    """Arguments of `appwitness_run` for all tests: plan, law, app_type, policy, persona, mode, duration_s, unpin, case.

    Override it in a conftest.py.
    """
    return {}


@pytest.fixture
def appwitness_run(
    request: pytest.FixtureRequest, appwitness_args: dict[str, Any]
) -> Iterator[Callable[..., AbstractContextManager[DrivenRun]]]:
    """Record a run while a block lasts: `with appwitness_run("app.apk", plan="refuse") as run:`.

    Takes the arguments of `appwitness.observe`. After the test, findings that are new or worse than in the
    baseline fail it.
    """
    config, item = request.config, request.node
    options = _options(item, appwitness_args)
    judged = item.stash.setdefault(_JUDGED, [])
    replayed = config.getoption("--appwitness-replay")
    count = 0
    with ExitStack() as turn:

        @contextmanager
        def run(app: Path | str | None = None, **given: Any) -> Iterator[DrivenRun]:
            from appwitness.api import running, suite
            from appwitness.support.errors import UserError

            nonlocal count
            said = {"hooks": True, **options, **_named(given)}  # without hooks, a test that sees little would pass
            try:
                gate = _session(config).gate(said, _flows(item), item.nodeid)
                said = {name: value for name, value in said.items() if name not in (*suite.CHOICES, *suite.LIMITS)}
                folder = suite.new_run(item.nodeid, _output(config))
                if replayed:
                    path = suite.recorded(item.nodeid, config.invocation_params.dir / replayed, count + 1)
                    one: AbstractContextManager[DrivenRun] = nullcontext(running.Replayed(path, gate))
                else:
                    device = request.getfixturevalue("appwitness_device")
                    if not count:
                        turn.enter_context(device.alone())
                    one = running.observed(gate, app, device=device.name, output=folder / suite.RECORDING, **said)
                count += 1
                with one as up:
                    if config.getoption("--appwitness-keep") == "none":
                        up.page = folder / suite.REPORT
                    judged.append((up, folder, not replayed))
                    yield up
            except UserError as error:
                _missing(config, error, item)
                raise

        yield run
    if config.getoption("--appwitness-keep") != "all":
        kept = config.getoption("--appwitness-keep") == "failed" and item.stash.get(_FAILED, True)
        for one, _, ours in judged:
            if ours and not kept:
                shutil.rmtree(one.recording, ignore_errors=True)


@pytest.fixture
def appwitness_recording(
    request: pytest.FixtureRequest, appwitness_args: dict[str, Any]
) -> Callable[[Path | str], Judged]:
    """Judge an existing recording, without a device: `appwitness_recording("recordings/refuse")`."""
    item = request.node
    options = _options(item, appwitness_args)

    def judge(path: Path | str) -> Judged:
        from appwitness.api import suite
        from appwitness.api.running import Judged
        from appwitness.support.errors import UserError

        try:
            gate = _session(request.config).gate(options, _flows(item), item.nodeid)
        except UserError as error:
            _missing(request.config, error, item)
            raise
        one = Judged(request.config.invocation_params.dir / path, gate)
        item.stash.setdefault(_JUDGED, []).append((one, suite.new_run(item.nodeid, _output(request.config)), False))
        return one

    return judge


# What a test specifies for its runs.


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as `appwitness.observe` takes them; here `law` is a list, or text as on the command line; a path may
    be text."""
    named: dict[str, Any] = dict(given)
    named |= {name: Path(value) for name, value in given.items() if name in FILES and isinstance(value, str)}
    if (law := named.pop("law", None)) is not None:
        named["laws"] = tuple(code.strip() for code in (law.split(",") if isinstance(law, str) else law))
    return named


def _options(item: pytest.Item, args: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the command line, the fixture and the marker; later ones override earlier ones."""
    config = item.config
    said: dict[str, Any] = {"strict": config.getoption("--appwitness-strict")}
    if level := config.getoption("--appwitness-fail-on"):
        said["fail_on"] = level
    marker = item.get_closest_marker(OURS)
    said |= _named(args) | (_named(marker.kwargs) if marker else {})
    if gaps := _marks(item, "allowed_gap", True):
        names = tuple(":".join(gap.get(part, "*") for part in ("where", "why", "subject")) for gap in gaps)
        said["allowed_gaps"] = (*said.get("allowed_gaps", ()), *names)
    return said


def _marks(item: pytest.Item, name: str, with_reason: bool) -> list[dict[str, Any]]:
    """The arguments of a test's markers with this name. Fails the test if a required reason is missing."""
    said = [dict(mark.kwargs) for mark in item.iter_markers(name)]
    if with_reason and not all(each.get("reason") for each in said):
        pytest.fail(f"{item.nodeid}: {name} needs a reason: @pytest.mark.{name}(..., reason='...')", pytrace=False)
    return said


def _flows(item: pytest.Item) -> dict[str, list[dict[str, Any]]]:
    marked = {name: _marks(item, f"{name}_flow", name == "allowed") for name in ("allowed", "forbidden")}
    return {name: entries for name, entries in marked.items() if entries}


def _session(config: pytest.Config) -> Session:
    if _SESSION not in config.stash:
        from appwitness.api.suite import Session

        index = config.stash[_INDEX] = tempfile.TemporaryDirectory(prefix="appwitness-", ignore_cleanup_errors=True)
        named = config.getoption("--appwitness-baseline")
        baseline = config.invocation_params.dir / named if named else None
        update = config.getoption("--appwitness-update")
        config.stash[_SESSION] = Session(baseline, Path(index.name) / "index.sqlite", update)
    return config.stash[_SESSION]


def _output(config: pytest.Config) -> Path:
    return Path(config.invocation_params.dir / config.getoption("--appwitness-output"))


def _missing(config: pytest.Config, error: UserError, item: pytest.Item | None) -> None:
    """Fail or skip a test whose device does not come up or whose arguments are invalid; a traceback would not help."""
    from appwitness.support.errors import SetupError

    device = config.getoption("--appwitness-device")
    text = f"appwitness: {error.what}\n{error.next_step}"
    if isinstance(error, SetupError):
        text += f"\nMore: appwitness doctor --device {device}"
        if config.getoption("--appwitness-missing") == "skip" and (item is None or not item.stash.get(_JUDGED, None)):
            pytest.skip(text)
    pytest.fail(text, pytrace=False)


# The verdict.


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run a test; if it made runs, also fail it for what counts against them, in addition to its own failure."""
    if not _uses_ours(item):
        yield
        return
    failed: BaseException | None = None
    try:
        yield
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
        failed = error
    case = item.stash[_CASE] = _case(item, failed)
    skipped = isinstance(failed, pytest.skip.Exception)
    item.stash[_FAILED] = case.message is not None or (failed is not None and not skipped)
    if failed is None:
        if case.message:
            pytest.fail(case.message, pytrace=False)
    elif case.message is None or skipped or case.message == str(failed):
        raise failed
    elif isinstance(failed, pytest.fail.Exception):
        raise pytest.fail.Exception(f"{failed.msg}\n\n{case.message}", pytrace=failed.pytrace)
    else:
        failed.add_note(f"\n{case.message}")
        raise failed


def _uses_ours(item: pytest.Item) -> bool:
    return _JUDGED in item.stash or not OURS_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _case(item: pytest.Item, failed: BaseException | None) -> Case:
    """Judge the runs of a test and write what is kept of them."""
    from appwitness.api import running, suite
    from appwitness.support.errors import UserError

    case = suite.Case(partial=item.config.stash.get(_PARTIAL, True) or failed is not None)
    messages = []
    if isinstance(failed, running.Failed):
        messages.append(str(failed))
    elif failed is not None and not isinstance(failed, pytest.skip.Exception):
        case.otherwise = f"{type(failed).__name__}: {failed}"
    for judged, folder, _ in item.stash.get(_JUDGED, []):
        try:
            suite.write(judged, folder)
            case.runs.append(str(folder))
            if not judged.checked:
                judged.check()
        except (running.Failed, UserError) as error:
            messages.append(str(error))
    case.message = "\n\n".join(messages) or None
    if messages or failed is not None:
        for judged, folder, _ in item.stash.get(_JUDGED, []):
            if str(folder) in case.runs:
                case.attached += map(str, suite.attach(judged, folder))
        _to_allure(item.config, case)
    return case


def _to_allure(config: pytest.Config, case: Case) -> None:
    if config.pluginmanager.has_plugin("allure_pytest"):
        import allure  # type: ignore[import-not-found]

        for file in map(Path, case.attached):
            kind = allure.attachment_type.HTML if file.suffix == ".html" else allure.attachment_type.JSON
            allure.attach.file(str(file), name=file.name, attachment_type=kind)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach a test's Case to its report, which is all that a worker sends back."""
    report = yield
    if call.when == "call" and _CASE in item.stash:
        report.user_properties.append((OURS, item.stash[_CASE].plain()))
    elif call.when == "setup" and not report.passed and _uses_ours(item):
        report.user_properties.append((OURS, {"partial": True, "otherwise": str(call.excinfo and call.excinfo.value)}))
    return report


class _Results:
    """Collects the reports of all tests, in the one process that sees them all, and writes the results at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._ended: dict[str, EndedTest] = {}
        self._lines: list[str] = []
        self._skipped = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remove our property from the report: as a property of a JUnit test case it would break the schema."""
        ours: list[Any] = [value for name, value in report.user_properties if name == OURS]
        if not ours:
            return
        report.user_properties = [each for each in report.user_properties if each[0] != OURS]
        from appwitness.api.suite import Case, EndedTest

        case = Case(**ours[-1])
        if hasattr(report, "wasxfail"):  # it was expected to fail
            case.message = case.otherwise = None
        elif report.skipped:
            self._skipped = True
            return
        self._ended[report.nodeid] = EndedTest(report.nodeid, report.duration, case)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write JUnit, SARIF and the changes for all tests, and the baseline if it is to be updated."""
        if self._ended:
            from appwitness.api.suite import finish
            from appwitness.support.errors import UserError

            cut = exitstatus not in (0, 1) or session.shouldstop or session.shouldfail or self._skipped
            if cut or _asked_for_a_part(self._config):
                for each in self._ended.values():
                    each.case.partial = True
            try:
                self._lines = finish(
                    list(self._ended.values()), _session(self._config), _output(self._config), self._config.rootpath
                )
            except UserError as error:
                self._lines = [str(error)]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print how the findings changed, and where the results are written."""
        if self._ended:
            terminalreporter.section(OURS)
            for line in self._lines:
                terminalreporter.line(line)
            terminalreporter.line(f"written: {os.path.relpath(_output(self._config))}")
