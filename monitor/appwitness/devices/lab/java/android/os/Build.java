package android.os;

/** Information about the current build, from the lab device. */
public class Build {
    public static final String UNKNOWN = "unknown";
    public static final String BRAND = "appwitness";
    public static final String MANUFACTURER = "appwitness";
    public static final String MODEL = "Lab device";
    public static final String DEVICE = "lab";
    public static final String PRODUCT = "lab";
    public static final String HARDWARE = "jvm";
    public static final String BOARD = "lab";
    public static final String ID = "LAB1";
    public static final String DISPLAY = "LAB1";
    public static final String TYPE = "user";
    public static final String TAGS = "release-keys";
    public static final String FINGERPRINT = "appwitness/lab/lab:14/LAB1/1:user/release-keys";

    /** Various version strings. */
    public static class VERSION {
        public static final int SDK_INT = 34;
        public static final String RELEASE = "14";
        public static final String CODENAME = "REL";
        public static final String INCREMENTAL = "1";
    }

    /** Enumeration of the currently known SDK version codes. */
    public static class VERSION_CODES {
        public static final int M = 23;
        public static final int N = 24;
        public static final int O = 26;
        public static final int P = 28;
        public static final int Q = 29;
        public static final int R = 30;
        public static final int S = 31;
        public static final int TIRAMISU = 33;
        public static final int UPSIDE_DOWN_CAKE = 34;
    }
}
