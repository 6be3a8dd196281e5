package attribution;

import com.android.mine.Own;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Asks by code of several owners, and talks TLS by every overload. Arguments: another package's code, a port, the app's library
 * and that of the other package.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        System.getProperty("os.version");
        new Own().run();
        Runnable lambda = () -> System.getProperty("java.vm.version");
        lambda.run();
        ClassLoader other = (ClassLoader) Class.forName("dalvik.system.PathClassLoader")
                .getConstructor(String.class, ClassLoader.class).newInstance(args[0], null);
        Runnable thing = (Runnable) other.loadClass("org.chromium.other.Thing").getDeclaredConstructor().newInstance();
        thing.run();
        new same.Name().run();
        ((Runnable) other.loadClass("org.chromium.other.Thing").getMethod("ofTheSameName").invoke(null)).run();
        Thread alone = new Thread(thing);
        alone.start();
        alone.join();
        new Given().given("it");
        System.load(args[2]);
        System.load(args[3]);
        byOwn();
        byOther();
        tls(Integer.parseInt(args[1]));
        MessageDigest.getInstance("SHA-256").digest("mine".getBytes(StandardCharsets.US_ASCII));
        System.exit(0);
    }

    /** What the system calls. */
    static final class Given {
        void given(String value) {
            System.getProperty("os.arch");
        }
    }

    private static native int byOwn();

    private static native int byOther();

    private static void tls(int port) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Anyone()}, null);
        System.out.println(context.getProvider().getName());
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            byte[] answer = new byte[400];
            out.write(request("whole"));
            in.read(answer);
            byte[] part = request("xxpartxx");
            byte[] padded = new byte[part.length + 10];
            System.arraycopy(part, 0, padded, 5, part.length);
            out.write(padded, 5, part.length);
            in.read(answer, 7, 300);
            for (byte each : request("single")) {
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

    private static final class Anyone implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
