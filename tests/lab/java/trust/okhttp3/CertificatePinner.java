package okhttp3;

import java.util.List;
import javax.net.ssl.SSLPeerUnverifiedException;

/** Pins what nobody has. */
public final class CertificatePinner {
    public void check(String hostname, List<?> peerCertificates) throws SSLPeerUnverifiedException {
        throw new SSLPeerUnverifiedException("Certificate pinning failure!");
    }
}
