package android.os;

/** Tools for managing OS processes. */
public class Process {
    public static final int SYSTEM_UID = 1000;
    public static final int FIRST_APPLICATION_UID = 10000;

    public static final int myPid() {
        return (int) ProcessHandle.current().pid();
    }

    public static final int myUid() {
        return FIRST_APPLICATION_UID + 123;
    }

    public static final int myTid() {
        return (int) Thread.currentThread().getId();
    }

    /** Ends a process. The app's own process ends at once, without shutdown hooks, as with SIGKILL. */
    public static final void killProcess(int pid) {
        if (pid == myPid()) {
            Runtime.getRuntime().halt(0);
        }
    }
}
