"""appwitness: proves whether personal data left an Android device without consent.

    with appwitness.observe("app.apk", device="emulator-5554", plan="refuse") as run:   a run that the block drives
        ...
    run.check()                                raises Failed for what is new since the baseline and not waived
    appwitness.report("recordings/refuse")     what was found in a recording
    appwitness.gate(["recordings/refuse"])     what became of each finding since the baseline

docs/python.md has the rest. Each name is imported when it is first used.
"""

from typing import TYPE_CHECKING

from appwitness.api.names import __all__ as __all__
from appwitness.api.names import __dir__ as __dir__
from appwitness.api.names import __getattr__ as __getattr__

if TYPE_CHECKING:
    from appwitness.api.gating import diff as diff
    from appwitness.api.gating import gate as gate
    from appwitness.api.judging import correlate as correlate
    from appwitness.api.judging import report as report
    from appwitness.api.running import DrivenRun as DrivenRun
    from appwitness.api.running import Failed as Failed
    from appwitness.api.running import Judged as Judged
    from appwitness.api.running import observe as observe
    from appwitness.events import Gap as Gap
    from appwitness.findings import Finding as Finding
    from appwitness.findings import Flow as Flow
    from appwitness.findings import Report as Report
    from appwitness.findings.gate_decision import GateReport as GateReport
    from appwitness.recording import Recording as Recording
    from appwitness.reports import render as render
    from appwitness.support.errors import SetupError as SetupError
    from appwitness.support.errors import UserError as UserError
