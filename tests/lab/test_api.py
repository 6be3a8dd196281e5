"""The lab device's framework classes say what the public Android API says."""

import shutil
import zipfile
from pathlib import Path

import pytest

from hatch_build import build_lab
from tests.lab import signatures
from tests.lab.signatures import Declared, same

ROOT = Path(__file__).parents[2]

HIDDEN_CLASSES = {
    "android.app.ActivityThread",
    "android.content.IContentProvider",
    "android.os.BinderProxy",
    "android.os.ServiceManager",
    "android.database.BulkCursorToCursorAdaptor",
    "android.view.ViewRootImpl",
    "android.view.WindowManagerGlobal",
}
"""Of Android, but not of its public API."""
OWN_CLASSES = {"android.content.ProvidedResolver", "android.os.LooperWatch"}
"""Of the lab device, in packages of Android to see what is package-private there."""
HIDDEN_MEMBERS = {
    ("android.content.ClipboardManager", "<init>"),
    ("android.location.LocationManager", "<init>"),
    ("android.os.PowerManager", "<init>"),
    ("android.telecom.TelecomManager", "<init>"),
    ("android.telephony.SubscriptionManager", "<init>"),
    ("android.telephony.TelephonyManager", "<init>"),
    ("android.telephony.TelephonyManager", "from"),
    ("android.telephony.TelephonyManager", "getMsisdn"),
    ("android.view.View", "dispatchPointerEvent"),
}
"""Of Android, hidden from applications."""
HIDDEN_OVERLOADS = {("android.telephony.TelephonyManager", "getLine1Number", ("number",))}


@pytest.fixture(scope="module")
def ours() -> dict[str, Declared]:
    if not shutil.which("javap"):
        pytest.skip("javap, which tells our signatures, is not installed")
    jar = build_lab(ROOT)
    entries = zipfile.ZipFile(jar).namelist()
    names = [name.removesuffix(".class").replace("/", ".") for name in entries if name.startswith(("android/", "org/"))]
    return signatures.of_jar(jar, names)


def lineage(listed: dict[str, Declared], name: str) -> list[Declared]:
    """A class of the list and all that it inherits from."""
    found, waiting = {}, [name]
    while waiting:
        name = waiting.pop()
        if name in listed and name not in found:
            found[name] = listed[name]
            waiting += listed[name].parents
    return list(found.values())


def test_the_list_is_read_right(listed):
    query = "query", ("android.net.Uri", "string[]", "android.os.Bundle", "android.os.CancellationSignal")
    assert listed["android.content.ContentResolver"].methods[query] == {"android.database.Cursor"}
    assert ("string",) in listed["android.location.Location"].constructors
    assert listed["android.content.DialogInterface"].constants["BUTTON_NEGATIVE"] == "-2"
    assert listed["android.app.AlertDialog"].parents[0] == "android.app.Dialog"
    assert ("onClick", ("android.view.View",)) in listed["android.view.View$OnClickListener"].methods
    assert len(listed) > 5000


def test_our_signatures_are_read_right(ours):
    resolver = ours["android.content.ContentResolver"]
    assert {parameters for name, parameters in resolver.methods if name == "query"} == {
        ("android.net.Uri", "string[]", "string", "string[]", "string"),
        ("android.net.Uri", "string[]", "string", "string[]", "string", "android.os.CancellationSignal"),
        ("android.net.Uri", "string[]", "android.os.Bundle", "android.os.CancellationSignal"),
    }
    assert ours["android.location.LocationManager"].constants["GPS_PROVIDER"] == "gps"


def test_every_class_is_one_of_android(ours, listed):
    strange = set(ours) - set(listed) - HIDDEN_CLASSES - OWN_CLASSES
    assert not {name for name in strange if name.partition("$")[0] not in HIDDEN_CLASSES | OWN_CLASSES}


def test_every_method_is_as_in_the_public_api(ours, listed):
    missing = [
        f"{name}.{method}{parameters}: {results}"
        for name in sorted(set(ours) & set(listed))
        for (method, parameters), results in ours[name].methods.items()
        if (name, method) not in HIDDEN_MEMBERS
        and (name, method, parameters) not in HIDDEN_OVERLOADS
        and (method, parameters) not in {("toString", ()), ("equals", ("any",)), ("hashCode", ())}
        and not any(
            method == known
            and same(parameters, takes)
            and any(same((ours_,), (it,)) for ours_ in results for it in gives)
            for declared in lineage(listed, name)
            for (known, takes), gives in declared.methods.items()
        )
    ]
    assert missing == []


def test_every_constructor_is_as_in_the_public_api(ours, listed):
    missing = [
        f"{name}{parameters}"
        for name in sorted(set(ours) & set(listed))
        for parameters in ours[name].constructors
        if (name, "<init>") not in HIDDEN_MEMBERS
        and not any(same(parameters, takes) for takes in listed[name].constructors)
    ]
    assert missing == []


def test_every_constant_has_the_value_of_the_public_api(ours, listed):
    wrong = [
        f"{name}.{constant} = {value}"
        for name in sorted(set(ours) & set(listed))
        for constant, value in ours[name].constants.items()
        if not any(
            constant in declared.constants and declared.constants[constant] in (None, value)
            for declared in lineage(listed, name)
        )
    ]
    assert wrong == []


def test_what_is_said_to_be_hidden_is_ours_and_not_public(ours, listed):
    assert set(ours) - set(listed) >= {name for name in HIDDEN_CLASSES | OWN_CLASSES if name in ours}
    for name, method in HIDDEN_MEMBERS:
        known = listed[name]
        if method == "<init>":
            assert ours[name].constructors, name
            assert not ours[name].constructors & known.constructors, name
        else:
            assert any(method == one for one, _ in ours[name].methods), method
            assert not any(method == one for one, _ in known.methods), method
    for name, method, parameters in HIDDEN_OVERLOADS:
        assert (method, parameters) in ours[name].methods
        assert (method, parameters) not in listed[name].methods
