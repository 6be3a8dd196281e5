package okhttp3;

import java.util.List;

/** As the library's: refuses every certificate. */
public final class CertificatePinner {
    public void check(String host, List<String> peers) {
        throw new IllegalStateException("pinned: " + host);
    }
}
