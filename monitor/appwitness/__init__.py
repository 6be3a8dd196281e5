"""appwitness: proves whether personal data left an Android device without consent.

    with appwitness.observe("app.apk", device="emulator-5554", plan="refuse") as run:   a run that the block drives
        ...
    run.check()                                raises Failed for findings that are new or worse, and not waived
    appwitness.report("recordings/refuse")     what was found in a recording
    appwitness.gate(["recordings/refuse"])     how each finding changed since the baseline
    appwitness.verify("recordings/refuse")     whether it is unchanged since it was recorded

docs/python.md has the rest. Each name is imported when it is first used.
"""

from appwitness.api.names import __all__ as __all__
from appwitness.api.names import __dir__ as __dir__
from appwitness.api.names import __getattr__ as __getattr__

TYPE_CHECKING = False  # type checkers treat it as true; importing typing would take longer than all else here
if TYPE_CHECKING:
    from appwitness.api.fleets import Fleet as Fleet
    from appwitness.api.gating import diff as diff
    from appwitness.api.gating import gate as gate
    from appwitness.api.judging import correlate as correlate
    from appwitness.api.judging import report as report
    from appwitness.api.programs import Explained as Explained
    from appwitness.api.programs import baseline as baseline
    from appwitness.api.programs import baseline_update as baseline_update
    from appwitness.api.programs import compare as compare
    from appwitness.api.programs import explain as explain
    from appwitness.api.programs import forget as forget
    from appwitness.api.programs import import_captures as import_captures
    from appwitness.api.programs import mark as mark
    from appwitness.api.programs import share as share
    from appwitness.api.programs import verify as verify
    from appwitness.api.running import DrivenRun as DrivenRun
    from appwitness.api.running import Failed as Failed
    from appwitness.api.running import Judged as Judged
    from appwitness.api.running import observe as observe
    from appwitness.events import Access as Access
    from appwitness.events import Connection as Connection
    from appwitness.events import Consent as Consent
    from appwitness.events import Gap as Gap
    from appwitness.events import Phase as Phase
    from appwitness.events import Run as Run
    from appwitness.events import Screen as Screen
    from appwitness.events import Transform as Transform
    from appwitness.events import Upload as Upload
    from appwitness.events import Value as Value
    from appwitness.events import Witness as Witness
    from appwitness.findings import Finding as Finding
    from appwitness.findings import Flow as Flow
    from appwitness.findings import Report as Report
    from appwitness.findings.gate_decision import GateReport as GateReport
    from appwitness.recording import Recording as Recording
    from appwitness.reports import render as render
    from appwitness.support.errors import SetupError as SetupError
    from appwitness.support.errors import UserError as UserError
