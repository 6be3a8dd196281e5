package callers;

import com.android.okhttp.internal.io.RealConnection;
import com.android.org.conscrypt.ConscryptEngineSocket;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
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
        talk(new ConscryptEngineSocket(new Socket("localhost", port)), "");
        // The library once more, as a plug-in brings it in a loader of its own.
        URL[] classes = {Main.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader own = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader())) {
            Class<?> again = own.loadClass(ConscryptEngineSocket.class.getName());
            talk((SSLSocket) again.getConstructor(Socket.class).newInstance(new Socket("localhost", port)), "-again");
        }
        System.exit(0);
    }

    private static void talk(SSLSocket talks, String suffix) throws Exception {
        try (SSLSocket socket = talks) {
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            byte[] answer = new byte[400];
            out.write(request("whole" + suffix));
            in.read(answer);
            byte[] part = request("part" + suffix);
            out.write(part, 0, part.length);
            in.read(answer, 7, 300);
            for (byte each : request("single" + suffix)) {
                out.write(each);
            }
            for (int left = 38; left > 0; left--) {
                in.read();
            }
        }
    }

    private static byte[] request(String name) {
        String text = "POST /" + name + " HTTP/1.1\r\nHost: there.test\r\nContent-Length: 4\r\n\r\nbody";
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
