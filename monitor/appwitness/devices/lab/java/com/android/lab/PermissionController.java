package com.android.lab;

import android.content.pm.PackageManager;
import android.os.Handler;
import android.os.Looper;
import java.util.ArrayList;
import java.util.List;

/** The system's permission dialog, in another process: the app only sees a pause, the answer and a resume. */
public final class PermissionController {
    private static final long SWITCH_MS = 50;
    private static final List<Request> OPEN = new ArrayList<>();
    private static final Handler MAIN = new Handler(Looper.getMainLooper());

    /** How the activity that asks gets its answer. */
    public interface Prompt {
        void shown();

        void answered(int[] results);
    }

    private record Request(String[] permissions, Prompt prompt) {
    }

    private PermissionController() {
    }

    /** Asks the user, unless everything is granted already. */
    public static void ask(String[] permissions, Prompt prompt) {
        boolean asked = false;
        for (String permission : permissions) {
            boolean declared = Device.list("permissions.requested").contains(permission);
            asked |= declared && !Device.isGranted(permission);
        }
        Request request = new Request(permissions, prompt);
        if (!asked) {
            MAIN.post(() -> answer(request, false));
            return;
        }
        // Another process comes to the front, which takes a moment; the app's own messages still run meanwhile.
        MAIN.postDelayed(() -> {
            prompt.shown();
            synchronized (OPEN) {
                OPEN.add(request);
            }
        }, SWITCH_MS);
    }

    /** Whether a dialog is open. */
    static boolean isOpen() {
        synchronized (OPEN) {
            return !OPEN.isEmpty();
        }
    }

    /** The permissions that the dialog asks for; empty if no dialog is open. */
    static String[] open() {
        synchronized (OPEN) {
            return OPEN.isEmpty() ? new String[0] : OPEN.get(0).permissions();
        }
    }

    /** The user taps Allow or Don't allow in the open dialog. */
    static void answerOpen(boolean allow) {
        Request request;
        synchronized (OPEN) {
            request = OPEN.remove(0);
        }
        MAIN.post(() -> answer(request, allow));
    }

    private static void answer(Request request, boolean allow) {
        int[] results = new int[request.permissions.length];
        for (int i = 0; i < results.length; i++) {
            String permission = request.permissions[i];
            if (allow && Device.list("permissions.requested").contains(permission)) {
                Device.grant(permission);
            }
            boolean granted = Device.isGranted(permission);
            results[i] = granted ? PackageManager.PERMISSION_GRANTED : PackageManager.PERMISSION_DENIED;
        }
        request.prompt.answered(results);
    }
}
