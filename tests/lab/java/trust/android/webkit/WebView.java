package android.webkit;

/** Shows every page as one with a bad certificate. */
public class WebView {
    private WebViewClient mClient;

    public void setWebViewClient(WebViewClient client) {
        mClient = client;
    }

    public void load(SslErrorHandler handler) {
        mClient.onReceivedSslError(this, handler, null);
    }
}
