"""am broadcast -a ACTION [-d URI] [-n COMPONENT] [-e KEY VALUE]: the media scanner listens to it until Android 10, the
WireGuard app to its own"""

import providers
import wireguard


def main(arguments, state):
    print("Broadcasting: Intent { act=... }")
    words = list(arguments)
    if "-e" in words:
        at = words.index("-e")
        words[at + 1 : at + 3] = [" ".join(words[at + 1 : at + 3])]
    options = dict(zip(words[::2], words[1::2], strict=False))
    if options.get("-a") == "android.intent.action.MEDIA_SCANNER_SCAN_FILE" and state["api"] < 30:
        with providers.of("media", state, 0) as media:
            media.scan(options["-d"].removeprefix("file://"))
    if options.get("-a", "").startswith(f"{wireguard.APP}.action."):
        wireguard.asked(options, state)
    print("Broadcast completed: result=0")
    return 0
