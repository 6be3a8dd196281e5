package late;

/** Comes late, by a loader of its own; the tests pack it as a resource, not as a class. */
public class Late {
    public String secret() {
        return "late secret";
    }
}
