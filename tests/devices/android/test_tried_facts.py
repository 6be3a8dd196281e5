"""Of which runtime and processor a device's apps are, as far as it says so; and what run.json has of that."""

import pytest

from appwitness.devices.android.device_facts import DeviceFacts

ARM = "arm64-v8a,armeabi-v7a,armeabi"
TRANSLATING = "x86_64,x86,arm64-v8a,armeabi-v7a,armeabi"


def facts(sdk="34", abis=ARM, apexes=()):
    properties = {"ro.build.version.sdk": sdk, "ro.product.cpu.abilist": abis}
    return DeviceFacts(properties, boot="b", selinux=None, kernel=None, page_size=None, apexes=apexes)


@pytest.mark.parametrize(
    ("sdk", "apexes", "art"),
    [
        ("34", (), 34),
        ("31", ("com.android.conscrypt@351412000", "com.android.art@341411300"), 34),
        ("36", ("com.android.art@361401120",), 36),
        ("31", ("com.android.art@1",), 31),  # as it was built
        ("35", ("com.android.art@990090000",), 35),  # of a build that is not released
        ("29", ("com.android.runtime@1",), 29),
        ("", ("com.android.art@341411300",), 34),
        ("", (), None),
    ],
)
def test_the_runtime_may_be_newer_than_android(sdk, apexes, art):
    assert facts(sdk, apexes=apexes).art == art


@pytest.mark.parametrize(
    ("abis", "libraries", "process"),
    [
        (ARM, (), "arm64-v8a"),
        (ARM, ("arm64-v8a", "armeabi-v7a"), "arm64-v8a"),
        (ARM, ("armeabi-v7a",), "armeabi-v7a"),
        (ARM, ("mips",), "arm64-v8a"),
        (TRANSLATING, (), "x86_64"),
        (TRANSLATING, ("arm64-v8a",), "x86_64"),
        (TRANSLATING, ("armeabi-v7a",), "x86"),
        ("x86_64,arm64-v8a,armeabi-v7a", ("armeabi-v7a",), "x86_64"),
        (TRANSLATING, ("x86",), "x86"),
        ("", (), None),
        ("", ("arm64-v8a",), None),
    ],
)
def test_a_process_is_of_the_architecture_of_its_libraries(abis, libraries, process):
    assert facts(abis=abis).process_abi(libraries) == process
