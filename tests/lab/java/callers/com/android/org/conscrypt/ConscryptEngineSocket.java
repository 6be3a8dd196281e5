package com.android.org.conscrypt;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.security.NoSuchAlgorithmException;
import javax.net.ssl.HandshakeCompletedListener;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/** Has Conscrypt's streams, none of whose overloads passes another; there is no TLS below, which another hook would see. */
public final class ConscryptEngineSocket extends SSLSocket {
    private static final SSLSession SESSION = session();
    private static final String[] NONE = new String[0];
    private final Socket real;
    private final SSLOutputStream out = new SSLOutputStream();
    private final SSLInputStream in = new SSLInputStream();

    public ConscryptEngineSocket(Socket real) {
        this.real = real;
    }

    private static SSLSession session() {
        try {
            return SSLContext.getDefault().createSSLEngine().getSession();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private final class SSLOutputStream extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            real.getOutputStream().write(b);
        }

        @Override
        public void write(byte[] b) throws IOException {
            real.getOutputStream().write(b);
        }

        @Override
        public void write(byte[] b, int off, int len) throws IOException {
            real.getOutputStream().write(b, off, len);
        }
    }

    private final class SSLInputStream extends InputStream {
        @Override
        public int read() throws IOException {
            return real.getInputStream().read();
        }

        @Override
        public int read(byte[] b) throws IOException {
            return real.getInputStream().read(b);
        }

        @Override
        public int read(byte[] b, int off, int len) throws IOException {
            return real.getInputStream().read(b, off, len);
        }
    }

    @Override
    public OutputStream getOutputStream() {
        return out;
    }

    @Override
    public InputStream getInputStream() {
        return in;
    }

    @Override
    public void close() throws IOException {
        real.close();
    }

    @Override
    public InetAddress getInetAddress() {
        return real.getInetAddress();
    }

    @Override
    public InetAddress getLocalAddress() {
        return real.getLocalAddress();
    }

    @Override
    public int getPort() {
        return real.getPort();
    }

    @Override
    public int getLocalPort() {
        return real.getLocalPort();
    }

    @Override
    public SSLSession getSession() {
        return SESSION;
    }

    @Override
    public void startHandshake() {
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return NONE;
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return NONE;
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
    }

    @Override
    public String[] getSupportedProtocols() {
        return NONE;
    }

    @Override
    public String[] getEnabledProtocols() {
        return NONE;
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
    }

    @Override
    public void addHandshakeCompletedListener(HandshakeCompletedListener listener) {
    }

    @Override
    public void removeHandshakeCompletedListener(HandshakeCompletedListener listener) {
    }

    @Override
    public void setUseClientMode(boolean mode) {
    }

    @Override
    public boolean getUseClientMode() {
        return true;
    }

    @Override
    public void setNeedClientAuth(boolean need) {
    }

    @Override
    public boolean getNeedClientAuth() {
        return false;
    }

    @Override
    public void setWantClientAuth(boolean want) {
    }

    @Override
    public boolean getWantClientAuth() {
        return false;
    }

    @Override
    public void setEnableSessionCreation(boolean flag) {
    }

    @Override
    public boolean getEnableSessionCreation() {
        return true;
    }
}
