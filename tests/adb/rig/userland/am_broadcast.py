"""am broadcast -a ACTION [-d URI]: the media scanner listens to it until Android 10"""

import providers


def main(arguments, state):
    print("Broadcasting: Intent { act=... }")
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if options.get("-a") == "android.intent.action.MEDIA_SCANNER_SCAN_FILE" and state["api"] < 30:
        with providers.of("media", state, 0) as media:
            media.scan(options["-d"].removeprefix("file://"))
    print("Broadcast completed: result=0")
    return 0
