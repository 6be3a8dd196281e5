package com.android.lab;

import android.os.SystemClock;
import android.util.Log;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewGroup;
import android.view.ViewRootImpl;
import android.view.WindowManagerGlobal;
import android.widget.Button;
import android.widget.CheckBox;
import com.android.internal.policy.DecorView;
import java.util.ArrayList;
import java.util.List;

/** The user: answers dialogs as the plan says, by touch events into the window on top. */
final class Finger {
    private static View sAnswered;

    private Finger() {
    }

    /** Does the next thing of the plan; false when there is nothing to do. */
    static boolean act() throws InterruptedException {
        String plan = Device.plan();
        boolean accept = plan.equals("accept");
        if (!accept && !plan.equals("refuse")) {
            return false;
        }
        if (PermissionController.isOpen()) {
            Log.i("lab", accept ? "permission dialog: allow" : "permission dialog: don't allow");
            PermissionController.answerOpen(accept);
            return true;
        }
        ViewRootImpl root = WindowManagerGlobal.getInstance().top();
        if (root == null || root.getView() == sAnswered) {
            return false;
        }
        Button button = choose(root.getView(), accept);
        if (button == null) {
            return false;
        }
        sAnswered = root.getView();
        tap(root, button);
        return true;
    }

    /** The button to tap: a dialog's last one agrees, the one before it refuses; null when there are not two. */
    private static Button choose(View decor, boolean accept) {
        List<Button> buttons = new ArrayList<>();
        if (decor instanceof DecorView) {
            collect(decor, buttons);
        }
        int count = buttons.size();
        return count < 2 ? null : buttons.get(accept ? count - 1 : count - 2);
    }

    private static void collect(View view, List<Button> buttons) {
        if (view instanceof ViewGroup group) {
            for (int i = 0; i < group.getChildCount(); i++) {
                collect(group.getChildAt(i), buttons);
            }
        } else if (view instanceof Button button && !(view instanceof CheckBox) && view.isShown()) {
            buttons.add(button);
        }
    }

    private static void tap(ViewRootImpl root, Button button) throws InterruptedException {
        int[] at = new int[2];
        button.getLocationInWindow(at);
        float x = at[0] + button.getWidth() / 2f;
        float y = at[1] + button.getHeight() / 2f;
        Log.i("lab", "tap " + x + "," + y + " on " + button.getText());
        long down = SystemClock.uptimeMillis();
        root.enqueueInputEvent(MotionEvent.obtain(down, down, MotionEvent.ACTION_DOWN, x, y, 0));
        Thread.sleep(60);
        root.enqueueInputEvent(MotionEvent.obtain(down, SystemClock.uptimeMillis(), MotionEvent.ACTION_UP, x, y, 0));
    }
}
