package android.webkit;

/** Takes the decision. */
public class SslErrorHandler {
    public String state = "open";

    public void proceed() {
        state = "proceeded";
    }

    public void cancel() {
        state = "cancelled";
    }
}
