package callers;

import com.android.okhttp.internal.io.RealConnection;
import com.android.org.conscrypt.ConscryptEngineSocket;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLSocket;

/** Asks on its own behalf and on a proxy's, gives what only a method that is not public tells, and writes to every overload of a stream. */
public final class Main {
    private Main() {
    }

    /** What has its value from a method that no app may call. */
    public static final class Card {
        private String number() {
            return "4111";
        }
    }

    public static Card card() {
        return new Card();
    }

    public static void main(String[] args) throws Exception {
        RealConnection connection = new RealConnection();
        System.out.println(connection.createTunnelRequest());
        System.out.println(connection.createRequest());
        System.out.println(card().number());
        int port = Integer.parseInt(args[0]);
        try (SSLSocket socket = new ConscryptEngineSocket(new Socket("localhost", port))) {
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            byte[] answer = new byte[400];
            out.write(request("whole"));
            in.read(answer);
            byte[] part = request("part");
            out.write(part, 0, part.length);
            in.read(answer, 7, 300);
            for (byte each : request("single")) {
                out.write(each);
            }
            for (int left = 38; left > 0; left--) {
                in.read();
            }
        }
        System.exit(0);
    }

    private static byte[] request(String name) {
        String text = "POST /" + name + " HTTP/1.1\r\nHost: there.test\r\nContent-Length: 4\r\n\r\nbody";
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
