package com.android.lab;

import android.app.ActivityThread;
import android.os.SystemClock;
import android.util.Log;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewGroup;
import android.view.ViewRootImpl;
import android.view.WindowManagerGlobal;
import android.widget.Button;
import android.widget.CompoundButton;
import com.android.internal.policy.DecorView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/** The user: answers dialogs as the plan says, with touch events to the top window; then does the rest of the plan. */
final class Finger {
    /** A user who wants to withdraw consent looks for these labels, one after another. */
    private static final List<Set<String>> WAY_BACK = List.of(
            Set.of("Privacy settings", "隐私设置"),
            Set.of("Withdraw consent", "撤回同意", "Opt out of personalised ads"));
    private static View sAnswered;
    private static int sWayBack;
    private static Deque<String> sThen;

    private Finger() {
    }

    /** Takes the next step of the plan; false if there is nothing to do. */
    static boolean act() throws InterruptedException {
        ActivityThread app = ActivityThread.currentActivityThread();
        if (!app.isOpened()) {
            Log.i("lab", "the user opens the app");
            app.open();
            return true;
        }
        if (sWayBack > 0 && takeBack(Device.plan())) {
            return true;
        }
        return answer(Device.plan()) || takeBack(Device.plan()) || (Display.display().isResting() && goAway(app));
    }

    private static boolean answer(String plan) throws InterruptedException {
        boolean accept = plan.equals("accept") || plan.equals("withdraw");
        if (!accept && !plan.equals("refuse")) {
            return false;
        }
        if (PermissionController.isOpen()) {
            Log.i("lab", accept ? "permission dialog: allow" : "permission dialog: don't allow");
            PermissionController.answerOpen(accept);
            return true;
        }
        ViewRootImpl root = WindowManagerGlobal.getInstance().top();
        if (root == null || root.getView() == sAnswered || !WindowManagerGlobal.getInstance().isDialog(root)) {
            return false;
        }
        Button button = choose(buttons(root.getView()), accept);
        if (button == null) {
            return false;
        }
        sAnswered = root.getView();
        tap(root, button);
        return true;
    }

    /** The button to tap: a dialog's last button agrees, the one before it, if any, refuses. */
    private static Button choose(List<Button> buttons, boolean accept) {
        int at = buttons.size() - (accept ? 1 : 2);
        return at < 0 ? null : buttons.get(at);
    }

    /** Under the plan `withdraw`: goes through the app's privacy settings, if it has any. */
    private static boolean takeBack(String plan) throws InterruptedException {
        ViewRootImpl root = WindowManagerGlobal.getInstance().top();
        if (!plan.equals("withdraw") || root == null) {
            return false;
        }
        for (; sWayBack < WAY_BACK.size(); sWayBack++) {
            for (Button button : buttons(root.getView())) {
                if (WAY_BACK.get(sWayBack).contains(button.getText().toString())) {
                    sWayBack++;
                    sAnswered = root.getView();
                    tap(root, button);
                    return true;
                }
            }
        }
        return false;
    }

    /** What the user does at the end, under any plan: Home, the power key. */
    private static boolean goAway(ActivityThread app) {
        if (sThen == null) {
            sThen = new ArrayDeque<>(Device.list("then"));
        }
        String next = sThen.poll();
        if (next == null) {
            return false;
        }
        Log.i("lab", "the user: " + next);
        switch (next) {
            case "home" -> {
                Display.display().goneHome();
                app.pressHome();
            }
            case "power" -> {
                Device.setScreenOn(!Device.isScreenOn());
                app.screenChanged(Device.isScreenOn());
            }
            default -> throw new IllegalArgumentException("the user cannot do " + next);
        }
        return true;
    }

    private static List<Button> buttons(View decor) {
        List<Button> buttons = new ArrayList<>();
        if (decor instanceof DecorView) {
            collect(decor, buttons);
        }
        return buttons;
    }

    private static void collect(View view, List<Button> buttons) {
        if (view instanceof ViewGroup group) {
            for (int i = 0; i < group.getChildCount(); i++) {
                collect(group.getChildAt(i), buttons);
            }
        } else if (view instanceof Button button && !(view instanceof CompoundButton) && view.isShown()) {
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
