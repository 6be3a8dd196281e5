package art;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/** Calls of newer Java that ART 10 has not: tools/Fit.java puts these in their place. */
public final class Newer {
    private Newer() {
    }

    public static Path writeString(Path path, CharSequence text, OpenOption... options) throws IOException {
        return Files.write(path, text.toString().getBytes(StandardCharsets.UTF_8), options);
    }

    public static long pid() {
        return android.os.Process.myPid();
    }
}
