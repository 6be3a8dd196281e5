from appwitness.reports.frames import StackLine, caller, frames
from tests.reports import sample


def test_the_caller_is_the_innermost_code_that_is_not_the_frameworks():
    found = [caller(stack) for stack in (sample.READ_STACK, sample.SDK_STACK)]
    assert [frame and frame.name for frame in found] == [
        "com.example.circle.contacts.AddressBook.all",
        "com.friendgraph.sdk.Uploader.flush",
    ]
    assert caller(sample.FRAMEWORK) is None
    assert caller(()) is None


def test_a_frame_in_parts():
    assert frames(["a.B.c(D.java:12)"]) == [StackLine("a.B.c(D.java:12)", "a.B.c", "D.java:12", own=True)]
    assert frames(["strange"])[0][1:] == ("strange", "", True, None)
    assert frames(["java.lang.Thread.run(Native Method)"])[0][1:] == (
        "java.lang.Thread.run",
        "Native Method",
        False,
        None,
    )


def test_an_unknown_source_is_not_worth_a_word():
    assert frames(["a.B.c(Unknown Source)"])[0].place == ""
