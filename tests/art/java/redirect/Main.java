package redirect;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/** Connections that no proxy setting concerns: each way of Java to make one, and what it says of it. */
class Main {
    /** ADDRESS, PORT (an echo), CLOSED (nobody), SILENT (nobody answers). */
    public static void main(String[] words) throws Exception {
        steps(words);
        say("closed meanwhile", () -> {
            Socket socket = new Socket();
            new Thread(() -> {
                try {
                    Thread.sleep(300);
                    socket.close();
                } catch (Exception error) {
                    System.out.println(error);
                }
            }).start();
            socket.connect(at(words[0], words[3]));
            return "connected";
        });
        say("limits of a URL's connection", () -> {
            URLConnection connection = new URL("http://abroad.test/").openConnection();
            return connection.getConnectTimeout() + ", " + connection.getReadTimeout();
        });
        System.exit(0);
    }

    static void steps(String... words) {
        InetSocketAddress open = at(words[0], words[1]), closed = at(words[0], words[2]), silent = at(words[0], words[3]);
        say("socket", () -> talk(connected(open, 0)));
        say("refused", () -> talk(connected(closed, 0)));
        say("in time", () -> talk(connected(open, 5000)));
        say("refused in time", () -> talk(connected(closed, 5000)));
        say("no answer in time", () -> talk(connected(silent, 300)));
        say("selected", () -> selected(open));
        say("selected, refused", () -> selected(closed));
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

    static InetSocketAddress at(String address, String port) {
        return new InetSocketAddress(address, Integer.parseInt(port));
    }

    static Socket connected(InetSocketAddress to, int patience) throws Exception {
        Socket socket = new Socket();
        socket.connect(to, patience);
        return socket;
    }

    static String talk(Socket socket) throws Exception {
        socket.getOutputStream().write("hello".getBytes());
        byte[] said = new byte[5];
        int count = 0;
        while (count < 5) {
            count += socket.getInputStream().read(said, count, 5 - count);
        }
        socket.shutdownOutput();
        int last = socket.getInputStream().read();
        socket.close();
        return new String(said) + " " + last;
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
