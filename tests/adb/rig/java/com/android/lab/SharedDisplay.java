package com.android.lab;

import android.app.Activity;
import android.app.ActivityThread;
import android.app.Dialog;
import android.os.Handler;
import android.os.Looper;
import android.os.SystemClock;
import android.util.Log;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewGroup;
import android.view.ViewRootImpl;
import android.view.Window;
import android.view.WindowManagerGlobal;
import android.widget.Checkable;
import android.widget.TextView;
import com.android.internal.policy.DecorView;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The display of the lab device in a folder that the system property lab.screen names: `window.xml` in it is what is on
 * top, as uiautomator writes it, `focus` whose window that is, and a file in `touches` (`tap X Y`, `key BACK`) is a touch
 * from outside.
 */
public final class SharedDisplay implements Display {
    private static final int WIDTH = 1080;
    private static final int HEIGHT = 2400;
    /** Where dialogs begin, from the top. */
    private static final int DIALOG_TOP = 800;
    private static final int POLL_MS = 20;
    private static final int PATIENCE_MS = Integer.getInteger("lab.patience", 4000);
    private static final String FOLDER = System.getProperty("lab.screen");
    private static final String CONTROLLER = "com.android.permissioncontroller";
    private static volatile long sMoved = System.nanoTime();
    private static volatile boolean sAtHome;
    private static String sShown = "";

    /** What can be touched in the system's own dialog. */
    private record Choice(String label, String id, boolean allows, int top) {
    }

    @Override
    public boolean isResting() {
        return (System.nanoTime() - sMoved) / 1_000_000 >= PATIENCE_MS;
    }

    @Override
    public void goneHome() {
        sAtHome = true;
    }

    @Override
    public boolean share() {
        Thread thread = new Thread(SharedDisplay::run, "lab-display");
        thread.setDaemon(true);
        thread.start();
        Runtime.getRuntime().addShutdownHook(new Thread(SharedDisplay::remove));
        return true;
    }

    @Override
    public void clear() {
        remove();
    }

    private static void remove() {
        try {
            Files.deleteIfExists(Path.of(FOLDER, "window.xml"));
            Files.deleteIfExists(Path.of(FOLDER, "focus"));
        } catch (IOException e) {
            Log.w("lab", "the display is not cleared", e);
        }
    }

    private static void run() {
        try {
            Files.createDirectories(Path.of(FOLDER, "touches"));
            write("owner", Long.toString(ProcessHandle.current().pid()));
            while (true) {
                touches();
                show();
                Thread.sleep(POLL_MS);
            }
        } catch (IOException e) {
            Log.w("lab", "the display is not shared", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void show() throws IOException {
        String xml;
        try {
            xml = hierarchy();
        } catch (RuntimeException e) {
            return; // the app's own thread changes it at this moment
        }
        if (xml.equals(sShown)) {
            return;
        }
        sShown = xml;
        sMoved = System.nanoTime();
        if (xml.isEmpty()) {
            remove();
            return;
        }
        String component = PermissionController.isOpen()
                ? CONTROLLER + "/" + CONTROLLER + ".permission.ui.GrantPermissionsActivity"
                : Device.packageName() + "/" + Device.fact("activity");
        write("focus", component);
        write("window.xml", xml);
    }

    private static void write(String name, String text) throws IOException {
        Path written = Path.of(FOLDER, "." + name);
        Files.writeString(written, text);
        Files.move(written, Path.of(FOLDER, name), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String hierarchy() {
        StringBuilder out = new StringBuilder("<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n");
        out.append("<hierarchy rotation=\"0\">");
        if (PermissionController.isOpen()) {
            permission(out);
            return out.append("</hierarchy>").toString();
        }
        ViewRootImpl root = WindowManagerGlobal.getInstance().top();
        if (root == null || sAtHome) {
            return "";
        }
        boolean dialog = WindowManagerGlobal.getInstance().isDialog(root);
        View view = root.getView();
        node(out, view, 0, dialog ? DIALOG_TOP : 0, dialog ? view.getHeight() : HEIGHT);
        return out.append("</hierarchy>").toString();
    }

    private static void node(StringBuilder out, View view, int left, int top, int height) {
        if (view.getVisibility() != View.VISIBLE) {
            return;
        }
        String text = view instanceof TextView label ? label.getText().toString() : "";
        CharSequence description = view.getContentDescription();
        boolean checkable = view instanceof Checkable;
        open(out, className(view), Device.packageName(), "", text, description == null ? "" : description.toString(),
                view.isClickable(), checkable, checkable && ((Checkable) view).isChecked(), view.isEnabled(),
                left, top, left + view.getWidth(), top + height);
        if (view instanceof ViewGroup group) {
            for (int i = 0; i < group.getChildCount(); i++) {
                View child = group.getChildAt(i);
                node(out, child, left + child.getLeft(), top + child.getTop(), child.getHeight());
            }
        }
        out.append("</node>");
    }

    /** Of Android's own, as accessibility names it. */
    private static String className(View view) {
        for (Class<?> each = view.getClass(); each != null; each = each.getSuperclass()) {
            if (each.getName().startsWith("android.widget.")) {
                return each.getName();
            }
        }
        return "android.view.View";
    }

    private static void open(StringBuilder out, String type, String owner, String id, String text, String description,
            boolean clickable, boolean checkable, boolean checked, boolean enabled,
            int left, int top, int right, int bottom) {
        out.append("<node index=\"0\"");
        attribute(out, "text", text);
        attribute(out, "resource-id", id);
        attribute(out, "class", type);
        attribute(out, "package", owner);
        attribute(out, "content-desc", description);
        attribute(out, "checkable", Boolean.toString(checkable));
        attribute(out, "checked", Boolean.toString(checked));
        attribute(out, "clickable", Boolean.toString(clickable));
        attribute(out, "enabled", Boolean.toString(enabled));
        attribute(out, "bounds", "[" + left + "," + top + "][" + right + "," + bottom + "]");
        out.append(">");
    }

    private static void attribute(StringBuilder out, String name, String value) {
        String safe = value.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;").replace("\n", "&#10;");
        out.append(' ').append(name).append("=\"").append(safe).append('"');
    }

    // The system's question about a permission, which is of another process.

    private static void permission(StringBuilder out) {
        String[] asked = PermissionController.open();
        List<Choice> choices = choices(asked);
        int bottom = choices.get(choices.size() - 1).top() + 120;
        open(out, "android.widget.FrameLayout", CONTROLLER, CONTROLLER + ":id/grant_dialog", "", "", false, false, false,
                true, 60, DIALOG_TOP, WIDTH - 60, bottom);
        String message = "Allow " + Device.fact("label").replaceAll(" \\(.*", "") + " to " + question(asked) + "?";
        open(out, "android.widget.TextView", CONTROLLER, CONTROLLER + ":id/permission_message", message, "", false, false,
                false, true, 100, DIALOG_TOP + 20, WIDTH - 100, DIALOG_TOP + 180);
        out.append("</node>");
        for (Choice choice : choices) {
            open(out, "android.widget.Button", CONTROLLER, CONTROLLER + ":id/" + choice.id(), choice.label(), "", true,
                    false, false, true, 100, choice.top(), WIDTH - 100, choice.top() + 100);
            out.append("</node>");
        }
        out.append("</node>");
    }

    private static String question(String[] asked) {
        return switch (asked.length == 0 ? "" : asked[0].substring(asked[0].lastIndexOf('.') + 1)) {
            case "READ_CONTACTS", "WRITE_CONTACTS" -> "access your contacts";
            case "ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION" -> "access this device’s location";
            case "READ_PHONE_STATE", "READ_PHONE_NUMBERS" -> "make and manage phone calls";
            default -> "do that";
        };
    }

    private static List<Choice> choices(String[] asked) {
        int top = DIALOG_TOP + 200;
        if (question(asked).endsWith("location")) {
            return List.of(
                    new Choice("While using the app", "permission_allow_foreground_only_button", true, top),
                    new Choice("Only this time", "permission_allow_one_time_button", true, top + 120),
                    new Choice("Don’t allow", "permission_deny_button", false, top + 240));
        }
        return List.of(
                new Choice("Allow", "permission_allow_button", true, top),
                new Choice("Don’t allow", "permission_deny_button", false, top + 120));
    }

    // Touches.

    private static void touches() throws IOException, InterruptedException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of(FOLDER, "touches"))) {
            files.filter(file -> file.toString().endsWith(".touch")).sorted().forEach(found::add);
        }
        for (Path file : found) {
            String[] words = Files.readString(file).trim().split(" ");
            Files.delete(file);
            sMoved = System.nanoTime();
            Log.i("lab", "from outside: " + String.join(" ", words));
            if (words[0].equals("tap")) {
                tap(Float.parseFloat(words[1]), Float.parseFloat(words[2]));
            } else {
                press(words[1]);
            }
        }
    }

    private static void tap(float x, float y) throws InterruptedException {
        if (PermissionController.isOpen()) {
            for (Choice choice : choices(PermissionController.open())) {
                if (x >= 100 && x < WIDTH - 100 && y >= choice.top() && y < choice.top() + 100) {
                    PermissionController.answerOpen(choice.allows());
                    return;
                }
            }
            return;
        }
        ViewRootImpl root = WindowManagerGlobal.getInstance().top();
        if (root == null) {
            return;
        }
        float top = WindowManagerGlobal.getInstance().isDialog(root) ? y - DIALOG_TOP : y;
        long down = SystemClock.uptimeMillis();
        root.enqueueInputEvent(MotionEvent.obtain(down, down, MotionEvent.ACTION_DOWN, x, top, 0));
        Thread.sleep(60);
        root.enqueueInputEvent(MotionEvent.obtain(down, SystemClock.uptimeMillis(), MotionEvent.ACTION_UP, x, top, 0));
    }

    private static void press(String key) {
        if (key.equals("HOME")) {
            sAtHome = true;
            ActivityThread.currentActivityThread().pressHome();
        } else if (key.equals("BACK") && !PermissionController.isOpen()) {
            new Handler(Looper.getMainLooper()).post(SharedDisplay::back);
        }
    }

    private static void back() {
        ViewRootImpl root = WindowManagerGlobal.getInstance().top();
        if (root == null || !(root.getView() instanceof DecorView decor)) {
            return;
        }
        try {
            Field window = DecorView.class.getDeclaredField("mWindow");
            window.setAccessible(true);
            Window.Callback owner = ((Window) window.get(decor)).getCallback();
            if (owner instanceof Dialog dialog) {
                dialog.onBackPressed();
            } else if (owner instanceof Activity activity) {
                activity.onBackPressed();
            }
        } catch (ReflectiveOperationException e) {
            Log.w("lab", "the back key does nothing", e);
        }
    }
}
