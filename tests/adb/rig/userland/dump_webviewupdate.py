"""dumpsys webviewupdate"""


def main(arguments, state):
    webview = state.get("webview", ["com.google.android.webview", "124.0.6367.219"])
    print("Current WebView Update Service state")
    if webview:
        print(f"  Current WebView package (name, version): ({webview[0]}, {webview[1]})")
    else:
        print("  Current WebView package is null")
