package android.content;

/** As much of Android's as the agent asks of it. */
public class Context {
    private final ClassLoader loader;

    protected Context(ClassLoader loader) {
        this.loader = loader;
    }

    public ClassLoader getClassLoader() {
        return loader;
    }
}
