package android.os;

import android.system.Os;

/** The lab device's class as ART needs it: with numbers from the system, and the native method that Frida asks for. */
public class Process {
    public static final int SYSTEM_UID = 1000;
    public static final int FIRST_APPLICATION_UID = 10000;

    static {
        System.loadLibrary("android_runtime");
    }

    public static final native long getElapsedCpuTime();

    public static final int myPid() {
        return Os.getpid();
    }

    public static final int myUid() {
        return FIRST_APPLICATION_UID + 123;
    }

    public static final int myTid() {
        return Os.gettid();
    }

    /** Ends a process. The app's own one ends at once, without shutdown hooks, as by SIGKILL. */
    public static final void killProcess(int pid) {
        if (pid == Os.getpid()) {
            Runtime.getRuntime().halt(0);
        }
    }
}
