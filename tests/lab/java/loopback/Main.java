package loopback;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** An app that listens on localhost: prints its ports, takes what comes, then talks to itself in the same way. */
class Main {
    static final String OWN = "GET /own?uid=own-0123456789 HTTP/1.1\r\nHost: localhost\r\n\r\n";

    public static void main(String[] args) throws Exception {
        ServerSocket stream = new ServerSocket();
        stream.bind(new InetSocketAddress("127.0.0.1", 0));
        DatagramSocket datagrams = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0));
        System.out.println(stream.getLocalPort() + " " + datagrams.getLocalPort());
        for (int i = 0; i < Integer.parseInt(args[0]); i++) {
            take(stream.accept());
        }
        DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
        datagrams.receive(packet);
        Thread own = new Thread(() -> {
            try (Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), stream.getLocalPort())) {
                socket.getOutputStream().write(OWN.getBytes());
                socket.getInputStream().read();
            } catch (java.io.IOException error) {
                throw new IllegalStateException(error);
            }
        });
        own.start();
        take(stream.accept());
        own.join();
        stream.close();
        datagrams.close();
        System.out.println("done");
    }

    static void take(Socket socket) throws Exception {
        try (socket) {
            InputStream in = socket.getInputStream();
            byte[] bytes = new byte[1 << 17];
            int length = 0;
            while (!new String(bytes, 0, length).endsWith("\r\n\r\n") && bytes[Math.max(0, length - 1)] != '}') {
                int read = in.read(bytes, length, Math.min(700, bytes.length - length));
                if (read < 0) {
                    break;
                }
                length += read;
            }
            OutputStream out = socket.getOutputStream();
            out.write("HTTP/1.1 204 No Content\r\n\r\n".getBytes());
        }
    }
}
