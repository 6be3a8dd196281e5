package android.webkit;

/** What an app does about a page. */
public class WebViewClient {
    public void onReceivedSslError(WebView view, SslErrorHandler handler, Object error) {
        handler.cancel();
    }
}
