package kotlin.coroutines;

/** As Kotlin has it: what a suspended function gives its result to. */
public interface Continuation {
    void resumeWith(Object result);
}
