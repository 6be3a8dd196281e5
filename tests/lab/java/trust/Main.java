package trust;

import android.webkit.SslErrorHandler;
import android.webkit.WebView;
import android.webkit.WebViewClient;
import com.android.org.conscrypt.TrustManagerImpl;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.CertificatePinner;
import org.chromium.net.CronetEngine;

/** Talks TLS by every way there is, and checks certificates as libraries do; prints what came of it. */
public class Main {
    static native int post(String host, int port, byte[] request, boolean verify);

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        for (int i = 1; i < args.length; i++) {
            String step = args[i];
            try {
                System.out.println(step + ": " + run(step, port));
            } catch (Exception e) {
                System.out.println(step + ": " + e.getClass().getSimpleName());
            }
        }
        System.out.println("done");
        System.exit(0);
    }

    private static String run(String step, int port) throws Exception {
        switch (step) {
            case "engine":
                return engine(HttpClient.Version.HTTP_1_1, "https://localhost:" + port + "/engine");
            case "http2":
                return engine(HttpClient.Version.HTTP_2, "https://localhost:" + port + "/http2");
            case "url":
                return url(new URL("https://localhost:" + port + "/url"), false);
            case "verifier":
                return url(new URL("https://localhost:" + port + "/verifier"), true);
            case "socket":
                return socket(port);
            case "kept":
                return kept(port);
            case "native":
            case "native-verify":
                System.load(System.getProperty("openssl"));
                byte[] request = ("POST /" + step + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nphone1").getBytes(StandardCharsets.US_ASCII);
                return "" + post("localhost", port, request, step.equals("native-verify"));
            case "pinner":
                new CertificatePinner().check("localhost", List.of());
                return "accepted";
            case "chain":
                return "" + new TrustManagerImpl().verifyChain(List.of("leaf"), "localhost").size();
            case "web":
                return web();
            case "cronet":
                return "" + new CronetEngine.Builder().addPublicKeyPins("localhost").enablePublicKeyPinningBypassForLocalTrustAnchors(false).pins();
            default:
                throw new IllegalArgumentException(step);
        }
    }

    private static String engine(HttpClient.Version version, String url) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(version).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString("number=" + "5".repeat(20_000)))
                .build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        return response.statusCode() + " " + response.version();
    }

    private static String url(URL url, boolean own) throws Exception {
        HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
        if (own) {
            HostnameVerifier refuses = (host, session) -> false;
            connection.setHostnameVerifier(refuses);
            return connection.getHostnameVerifier() == refuses ? "refuses" : "the platform's";
        }
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        try (OutputStream out = connection.getOutputStream()) {
            out.write("hello".getBytes(StandardCharsets.US_ASCII));
        }
        return "" + connection.getResponseCode();
    }

    private static String socket(int port) throws Exception {
        try (SSLSocket socket = (SSLSocket) SSLSocketFactory.getDefault().createSocket("localhost", port)) {
            socket.getOutputStream().write(new byte[] {1, 2, 3, 'p', 'i', 'n'});
            socket.getOutputStream().write('!');
            return "" + socket.getInputStream().read();
        }
    }

    /** A connection that is there before anybody looks, and is written to when told so on stdin. */
    private static String kept(int port) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            System.out.println("connected: " + socket.getLocalPort());
            System.in.read();
            socket.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
            return "" + socket.getInputStream().read();
        }
    }

    private static String web() {
        WebView view = new WebView();
        view.setWebViewClient(new Careful());
        SslErrorHandler handler = new SslErrorHandler();
        view.load(handler);
        return handler.state;
    }

    /** An app's own. */
    static final class Careful extends WebViewClient {
        @Override
        public void onReceivedSslError(WebView view, SslErrorHandler handler, Object error) {
            handler.cancel();
        }
    }
}
