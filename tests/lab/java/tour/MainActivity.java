package tour;

import android.app.Activity;
import android.app.PendingIntent;
import android.content.BroadcastReceiver;
import android.content.ContentProviderClient;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.database.CharArrayBuffer;
import android.database.CrossProcessCursor;
import android.database.Cursor;
import android.database.CursorWindow;
import android.database.CursorWrapper;
import android.database.DatabaseUtils;
import android.location.Criteria;
import android.location.Location;
import android.location.LocationListener;
import android.location.LocationManager;
import android.location.LocationRequest;
import android.net.Uri;
import android.os.Binder;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.os.Parcel;
import android.os.RemoteException;
import android.os.ServiceManager;
import android.os.SystemClock;
import android.provider.ContactsContract;
import android.telecom.TelecomManager;
import android.telephony.SubscriptionInfo;
import android.telephony.SubscriptionManager;
import android.telephony.TelephonyManager;
import android.view.MotionEvent;
import android.view.View;
import android.view.WindowManagerGlobal;
import android.widget.Button;
import android.widget.FrameLayout;
import android.widget.LinearLayout;
import android.widget.TextView;
import com.google.android.gms.location.FusedLocationProviderClient;
import com.google.android.gms.location.LocationCallback;
import com.google.android.gms.location.LocationResult;
import com.google.android.gms.location.LocationServices;
import com.google.android.gms.location.Priority;
import com.google.android.gms.tasks.Tasks;
import com.android.internal.telephony.IPhoneSubInfo;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/** Goes through every way in which contacts, location and phone number are really read. */
public class MainActivity extends Activity {
    private static final Uri PHONES = ContactsContract.CommonDataKinds.Phone.CONTENT_URI;
    private static final long PAUSE_MS = 20;
    private final Handler handler = new Handler(Looper.getMainLooper());
    private final Queue<String> steps = new ArrayDeque<>(List.of(System.getProperty("tour.steps").split(",")));
    private final boolean together = steps.size() > 1;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        next(0);
    }

    private void next(long afterMs) {
        handler.postDelayed(() -> {
            if (steps.isEmpty()) {
                System.out.println("done");
                Runtime.getRuntime().halt(0);
            }
            String step = steps.remove();
            System.out.println("step " + step);
            try {
                if (together) {
                    mark(step);
                }
                go(step);
            } catch (Exception e) {
                System.out.println("threw " + e.getClass().getName());
                next(PAUSE_MS);
            }
        }, afterMs);
    }

    private TextView text(String text) {
        TextView view = new TextView(this);
        view.setText(text);
        return view;
    }

    /** Reads nothing, in a way that tells of the step: what is read from now on is of it. */
    private void mark(String step) {
        getContentResolver().query(PHONES, null, "display_name = ?", new String[] {"step " + step}, null).close();
    }

    /** A button that is clicked by its own handling of touches, as custom views are. */
    private static final class Eager extends Button {
        Eager(Context context) {
            super(context);
        }

        @Override
        public boolean onTouchEvent(MotionEvent event) {
            return event.getAction() != MotionEvent.ACTION_UP || performClick();
        }
    }

    /** The device's part of a touch. */
    private static void finger(View view) {
        int[] at = new int[2];
        view.getLocationInWindow(at);
        for (int action : new int[] {MotionEvent.ACTION_DOWN, MotionEvent.ACTION_UP}) {
            long now = SystemClock.uptimeMillis();
            float x = at[0] + view.getWidth() / 2f;
            float y = at[1] + view.getHeight() / 2f;
            WindowManagerGlobal.getInstance().top().enqueueInputEvent(MotionEvent.obtain(now, now, action, x, y, 0));
        }
    }

    private void go(String step) throws Exception {
        switch (step) {
            case "phones" -> {
                try (Cursor cursor = getContentResolver().query(PHONES, new String[] {"display_name", "data1"}, null, null, null)) {
                    while (cursor.moveToNext()) {
                        cursor.getString(0);
                        cursor.getString(1);
                    }
                }
                next(PAUSE_MS);
            }
            case "presses" -> {
                LinearLayout page = new LinearLayout(this);
                page.setOrientation(LinearLayout.VERTICAL);
                Button[] buttons = {new Eager(this), new Button(this), new Button(this)};
                String[] labels = {"Its own touch", "Its listener", "Nobody"};
                for (int i = 0; i < buttons.length; i++) {
                    buttons[i].setText(labels[i]);
                    buttons[i].setOnClickListener(view -> System.out.println("clicked " + ((Button) view).getText()));
                    page.addView(buttons[i]);
                }
                buttons[1].setOnTouchListener((view, event) -> event.getAction() == MotionEvent.ACTION_UP && view.performClick());
                setContentView(page);
                handler.postDelayed(() -> finger(buttons[0]), 300);
                handler.postDelayed(() -> finger(buttons[1]), 600);
                handler.postDelayed(() -> buttons[2].performClick(), 900);
                next(1200);
            }
            case "crowded" -> {
                LinearLayout under = new LinearLayout(this);
                for (int i = 0; i < 500; i++) {
                    under.addView(text("Row " + i));
                }
                LinearLayout banner = new LinearLayout(this);
                banner.addView(text("We value your privacy"));
                Button agree = new Button(this);
                agree.setText("Agree");
                banner.addView(agree);
                FrameLayout page = new FrameLayout(this);
                page.addView(under);
                page.addView(banner);
                setContentView(page);
                handler.postDelayed(() -> agree.performClick(), 300);
                next(600);
            }
            case "stores" -> {
                StringBuilder providers = new StringBuilder("2~1");
                for (int i = 2; i <= 1000; i++) {
                    providers.append('.').append(i);
                }
                getSharedPreferences("consent", MODE_PRIVATE).edit()
                        .putString("IABTCF_AddtlConsent", providers + "~dv.")
                        .putString("IABTCF_VendorConsents", "1".repeat(100_000)).apply();
                next(PAUSE_MS);
            }
            case "bundle" -> {
                Bundle arguments = new Bundle();
                try (Cursor cursor = getContentResolver().query(PHONES, new String[] {"data1"}, arguments, null)) {
                    cursor.moveToFirst();
                    cursor.getString(0);
                }
                next(PAUSE_MS);
            }
            case "unread" -> {
                try (Cursor cursor = getContentResolver().query(PHONES, null, null, null, null)) {
                    cursor.getCount();
                }
                next(PAUSE_MS);
            }
            case "nobody" -> {
                try (Cursor cursor = getContentResolver()
                        .query(PHONES, new String[] {"data1"}, "display_name = ?", new String[] {"nobody"}, null, null)) {
                    System.out.println("rows " + cursor.getCount());
                }
                next(PAUSE_MS);
            }
            case "client" -> {
                ContentProviderClient client =
                        getContentResolver().acquireContentProviderClient(ContactsContract.AUTHORITY_URI);
                try (Cursor cursor = client.query(PHONES, new String[] {"data1"}, null, null, null)) {
                    cursor.moveToPosition(2);
                    cursor.getString(0);
                }
                next(PAUSE_MS);
            }
            case "wrapper" -> {
                try (Cursor cursor = new Mine(getContentResolver().query(PHONES, new String[] {"data1"}, null, null, null))) {
                    cursor.moveToFirst();
                    System.out.println(cursor.getString(0));
                }
                next(PAUSE_MS);
            }
            case "buffer" -> {
                try (Cursor cursor = getContentResolver().query(PHONES, new String[] {"data1"}, null, null, null)) {
                    CharArrayBuffer buffer = new CharArrayBuffer(128);
                    cursor.moveToFirst();
                    cursor.copyStringToBuffer(0, buffer);
                    System.out.println(new String(buffer.data, 0, buffer.sizeCopied));
                }
                next(PAUSE_MS);
            }
            case "window" -> {
                try (Cursor cursor = getContentResolver().query(PHONES, new String[] {"data1"}, null, null, null)) {
                    CursorWindow window = new CursorWindow("mine");
                    ((CrossProcessCursor) cursor).fillWindow(0, window);
                    for (int row = 0; row < 3; row++) {
                        System.out.println(window.getString(row, 0));
                    }
                }
                next(PAUSE_MS);
            }
            case "open" -> {
                Cursor cursor = getContentResolver().query(PHONES, new String[] {"data1"}, null, null, null);
                cursor.moveToFirst();
                cursor.getString(0);
                handler.postDelayed(() -> later(cursor), 600);
            }
            case "killed" -> {
                Cursor cursor = getContentResolver().query(PHONES, new String[] {"data1"}, null, null, null);
                cursor.moveToFirst();
                cursor.getString(0);
                Runtime.getRuntime().halt(0);
            }
            case "last" -> {
                System.out.println(locations().getLastKnownLocation("gps").getLatitude());
                next(PAUSE_MS);
            }
            case "updates" -> {
                LocationListener listener = location -> System.out.println("got " + location.getLatitude());
                locations().requestLocationUpdates("gps", 50, 0, listener);
                handler.postDelayed(() -> locations().removeUpdates(listener), 400);
                next(500);
            }
            case "passive" -> {
                locations().requestLocationUpdates(0, 0, new Criteria(), new Old(), Looper.getMainLooper());
                next(500);
            }
            case "single" -> {
                locations().requestSingleUpdate("network", new Old(), Looper.getMainLooper());
                next(500);
            }
            case "current" -> {
                locations().getCurrentLocation("gps", null, Runnable::run, location -> System.out.println("got " + location));
                next(500);
            }
            case "pending" -> {
                registerReceiver(new Receiver(), new IntentFilter("tour.HERE"));
                PendingIntent pending = PendingIntent.getBroadcast(this, 0, new Intent("tour.HERE"), 0x2000000);
                locations().requestLocationUpdates("gps", new LocationRequest.Builder(50).setMaxUpdates(1).build(), pending);
                next(700);
            }
            case "fused-last" -> {
                fused().getLastLocation().addOnSuccessListener(location -> System.out.println("got " + location));
                next(500);
            }
            case "fused-complete" -> {
                fused().getLastLocation().addOnCompleteListener(task -> System.out.println("got " + task.getResult()));
                next(500);
            }
            case "fused-await" -> new Thread(() -> {
                try {
                    System.out.println("got " + Tasks.await(fused().getCurrentLocation(Priority.PRIORITY_HIGH_ACCURACY, null)));
                } catch (Exception e) {
                    System.out.println("threw " + e);
                }
                next(PAUSE_MS);
            }).start();
            case "fused-updates" -> {
                fused().requestLocationUpdates(
                        new com.google.android.gms.location.LocationRequest.Builder(50).setMaxUpdates(1).build(),
                        new LocationCallback() {
                            @Override
                            public void onLocationResult(LocationResult result) {
                                System.out.println("got " + result.getLastLocation());
                            }
                        },
                        Looper.getMainLooper());
                next(500);
            }
            case "numbers" -> {
                TelephonyManager telephony = getSystemService(TelephonyManager.class);
                SubscriptionManager subscriptions = getSystemService(SubscriptionManager.class);
                System.out.println(telephony.getLine1Number());
                System.out.println(telephony.getMsisdn());
                telephony.getVoiceMailNumber();
                for (SubscriptionInfo info : subscriptions.getActiveSubscriptionInfoList()) {
                    System.out.println(info.getNumber());
                    System.out.println(subscriptions.getPhoneNumber(info.getSubscriptionId()));
                }
                System.out.println(getSystemService(TelecomManager.class).getLine1Number(null));
                next(PAUSE_MS);
            }
            case "nobodys" -> {
                for (int i = 0; i < 3; i++) {
                    System.out.println("got " + transact("power", "android.os.IPowerManager", 1));
                    System.out.println("got " + transact("iphonesubinfo", IPhoneSubInfo.DESCRIPTOR, 11));
                }
                next(PAUSE_MS);
            }
            case "incoming" -> {
                Parcel data = Parcel.obtain();
                data.writeInterfaceToken("android.content.IClipboard");
                data.writeStrongBinder(new Binder() {
                    @Override
                    protected boolean onTransact(int code, Parcel data, Parcel reply, int flags) {
                        System.out.println("got " + getSystemService(TelephonyManager.class).getLine1Number());
                        return true;
                    }
                });
                ServiceManager.getService("clipboard").transact(7, data, Parcel.obtain(), 0);
                next(PAUSE_MS);
            }
            case "binder" -> {
                System.out.println("got " + transact("iphonesubinfo", IPhoneSubInfo.DESCRIPTOR, 11));
                System.out.println("got " + transact("iphonesubinfo", IPhoneSubInfo.DESCRIPTOR, 16));
                System.out.println("got " + transact("clipboard", "android.content.IClipboard", 4));
                try {
                    transact("iphonesubinfo", IPhoneSubInfo.DESCRIPTOR, 1);
                } catch (SecurityException e) {
                    System.out.println("threw " + e);
                }
                next(PAUSE_MS);
            }
            case "share" -> {
                sendBroadcast(new Intent("com.other.SYNC").setPackage("com.other").putExtra("phone", "+8613800138000")
                        .putExtra("all", new String[] {"a", "b"}));
                sendBroadcast(new Intent("tour.OWN").setPackage("tour").putExtra("phone", "+8613800138000"));
                sendBroadcast(new Intent("com.other.EMPTY"));
                next(PAUSE_MS);
            }
            case "proxy" -> {
                IPhoneSubInfo service = IPhoneSubInfo.Stub.asInterface(ServiceManager.getService("iphonesubinfo"));
                Method method = IPhoneSubInfo.class.getMethod("getLine1Number", String.class, String.class);
                System.out.println("got " + method.invoke(service, "tour", null));
                next(PAUSE_MS);
            }
            case "denied" -> {
                getSystemService(TelephonyManager.class).getLine1Number();
            }
            default -> throw new IllegalArgumentException(step);
        }
    }

    /** Other code than the one that queried reads on. */
    private void later(Cursor cursor) {
        cursor.moveToNext();
        cursor.getString(0);
        next(400);
    }

    /** Past the manager: the code of the call and its answer, by hand. */
    private static String transact(String service, String descriptor, int code) throws RemoteException {
        Parcel data = Parcel.obtain();
        Parcel reply = Parcel.obtain();
        data.writeInterfaceToken(descriptor);
        data.writeString("tour");
        ServiceManager.getService(service).transact(code, data, reply, 0);
        reply.readException();
        return reply.dataPosition() < reply.dataSize() ? reply.readString() : null;
    }

    private LocationManager locations() {
        return getSystemService(LocationManager.class);
    }

    private FusedLocationProviderClient fused() {
        return LocationServices.getFusedLocationProviderClient(this);
    }

    private static final class Mine extends CursorWrapper {
        Mine(Cursor cursor) {
            super(cursor);
        }

        @Override
        public String getString(int columnIndex) {
            return "mine " + super.getString(columnIndex);
        }
    }

    /** A listener as they were before lambdas. */
    private static final class Old implements LocationListener {
        @Override
        public void onLocationChanged(Location location) {
            System.out.println("got " + location.getLatitude());
        }
    }

    private static final class Receiver extends BroadcastReceiver {
        @Override
        public void onReceive(Context context, Intent intent) {
            Location location = intent.getParcelableExtra(LocationManager.KEY_LOCATION_CHANGED);
            System.out.println("got " + location.getLatitude());
        }
    }
}
