package redirect;

import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLSocketFactory;

/** Connections that no proxy setting concerns, from Java and from C; says what the app saw of them. */
class Main {
    /** In C, for each address that stands in PLACES. */
    static native int all(int open, int closed);

    /** HOST ADDRESS PORT (an echo), CLOSED (nobody), SILENT (nobody answers), TLS (a server). */
    public static void main(String[] words) throws Exception {
        System.load(System.getProperty("redirect"));
        String host = words[0], address = words[1];
        int open = Integer.parseInt(words[2]), closed = Integer.parseInt(words[3]);
        say("socket", () -> talk(new Socket(address, open)));
        say("refused", () -> talk(new Socket(address, closed)));
        say("in time", () -> {
            Socket socket = new Socket(Proxy.NO_PROXY);
            socket.connect(new InetSocketAddress(address, open), 5000);
            return talk(socket);
        });
        say("refused in time", () -> {
            new Socket().connect(new InetSocketAddress(address, closed), 5000);
            return "connected";
        });
        say("no answer in time", () -> {
            new Socket().connect(new InetSocketAddress(address, Integer.parseInt(words[4])), 300);
            return "connected";
        });
        for (int port : new int[] {open, closed}) {
            say(port == open ? "selected" : "selected, refused", () -> selected(new InetSocketAddress(address, port)));
        }
        say("tls", () -> {
            try (Socket socket = SSLSocketFactory.getDefault().createSocket(host, Integer.parseInt(words[5]))) {
                String request = "POST /raw HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 12\r\n\r\n+15550109999";
                socket.getOutputStream().write(request.getBytes());
                return new String(socket.getInputStream().readNBytes(12));
            }
        });
        System.out.flush();
        all(open, closed);
        Thread.sleep(Long.getLong("stay", 0));
        System.exit(0);
    }

    interface Step {
        String run() throws Exception;
    }

    static void say(String name, Step step) {
        try {
            System.out.println(name + ": " + step.run());
        } catch (Exception error) {
            System.out.println(name + ": " + error);
        }
    }

    static String talk(Socket socket) throws Exception {
        socket.getOutputStream().write("hello".getBytes());
        InputStream in = socket.getInputStream();
        String said = new String(in.readNBytes(5));
        socket.shutdownOutput();
        int last = in.read();
        socket.close();
        return said + " " + last;
    }

    static String selected(InetSocketAddress to) throws Exception {
        try (Selector selector = Selector.open(); SocketChannel channel = SocketChannel.open()) {
            channel.configureBlocking(false);
            boolean done = channel.connect(to);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            while (!done) {
                selector.select(5000);
                done = channel.finishConnect();
            }
            channel.write(ByteBuffer.wrap("hello".getBytes()));
            ByteBuffer said = ByteBuffer.allocate(5);
            key.interestOps(SelectionKey.OP_READ);
            while (said.hasRemaining()) {
                selector.select(5000);
                channel.read(said);
            }
            return new String(said.array());
        }
    }
}
