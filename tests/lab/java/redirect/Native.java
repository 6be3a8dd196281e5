package redirect;

import java.net.Socket;
import javax.net.ssl.SSLSocketFactory;

/** The connections of Main (tests/art/java/redirect), one by TLS, and those of C; says what the app saw of them. */
class Native {
    /** In C, for each address that stands in PLACES. */
    static native int all(int open, int closed);

    /** HOST ADDRESS PORT (an echo), CLOSED (nobody), SILENT (nobody answers), TLS (a server). */
    public static void main(String[] words) throws Exception {
        System.load(System.getProperty("redirect"));
        String host = words[0];
        Main.steps(words[1], words[2], words[3], words[4]);
        Main.say("tls", () -> {
            try (Socket socket = SSLSocketFactory.getDefault().createSocket(host, Integer.parseInt(words[5]))) {
                String request = "POST /raw HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 12\r\n\r\n+15550109999";
                socket.getOutputStream().write(request.getBytes());
                return new String(socket.getInputStream().readNBytes(12));
            }
        });
        System.out.flush();
        all(Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        Thread.sleep(Long.getLong("stay", 0));
        System.exit(0);
    }
}
