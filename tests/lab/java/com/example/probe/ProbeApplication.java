package com.example.probe;

import android.app.Activity;
import android.app.Application;
import android.content.ContentResolver;
import android.content.Context;
import android.content.Intent;
import android.database.CrossProcessCursor;
import android.database.Cursor;
import android.database.CursorWindow;
import android.database.CursorWrapper;
import android.location.LocationManager;
import android.net.Uri;
import android.os.Bundle;
import android.os.CancellationSignal;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import android.os.Message;
import android.provider.ContactsContract;
import android.provider.ContactsContract.CommonDataKinds.Email;
import android.provider.ContactsContract.CommonDataKinds.Phone;
import android.provider.Settings;
import android.telephony.SubscriptionManager;
import android.telephony.TelephonyManager;
import com.google.android.gms.location.LocationServices;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Asks the lab device many things and prints each answer as `name=answer`. */
public final class ProbeApplication extends Application {
    interface Question {
        Object ask() throws Exception;
    }

    static void say(String name, Question question) {
        String answer;
        try {
            answer = String.valueOf(question.ask());
        } catch (Exception e) {
            answer = "! " + e.getClass().getName();
        }
        synchronized (System.out) {
            System.out.println(name + "=" + answer);
        }
    }

    @Override
    public void onCreate() {
        super.onCreate();
        say("process", Application::getProcessName);
        say("thread", () -> Thread.currentThread().getName() + " " + (Looper.myLooper() == Looper.getMainLooper()));
        contacts(getContentResolver());
        telephony();
        location();
        uris();
        loopers();
        registerActivityLifecycleCallbacks(new Watcher());
    }

    private static String column(Cursor cursor, String name) {
        List<String> values = new ArrayList<>();
        try (cursor) {
            int at = cursor.getColumnIndexOrThrow(name);
            while (cursor.moveToNext()) {
                values.add(cursor.getString(at));
            }
        }
        return String.join("|", values);
    }

    private static void contacts(ContentResolver resolver) {
        Uri people = ContactsContract.Contacts.CONTENT_URI;
        Uri data = ContactsContract.Data.CONTENT_URI;
        say("cursor", () -> {
            Cursor cursor = resolver.query(people, null, null, null, null);
            Cursor inner = ((CursorWrapper) cursor).getWrappedCursor();
            return cursor.getClass().getName() + " " + inner.getClass().getName() + " "
                    + (cursor instanceof CrossProcessCursor);
        });
        say("people", () -> column(resolver.query(people, null, null, null, "_id"), "display_name"));
        say("numbers", () -> column(resolver.query(Phone.CONTENT_URI, null, null, null, null), Phone.NUMBER));
        say("mails", () -> column(resolver.query(Email.CONTENT_URI, null, null, null, null, null), Email.ADDRESS));
        say("rows", () -> resolver.query(data, null, null, null, null).getCount());
        say("projection", () -> String.join(",", resolver.query(
                data, new String[] {"mimetype", "data1"}, null, null, null).getColumnNames()));
        say("selection", () -> column(resolver.query(
                data, null, "contact_id=? AND (mimetype = ? OR data1 LIKE 'x%')",
                new String[] {"10", Email.CONTENT_ITEM_TYPE}, "data1 DESC"), "data1"));
        say("in", () -> column(resolver.query(
                data, null, "mimetype IN (?,'vnd.android.cursor.item/name') AND NOT contact_id > 2",
                new String[] {Phone.CONTENT_ITEM_TYPE}, "contact_id DESC, _id"), "data1"));
        say("null", () -> resolver.query(data, null, "data4 IS NOT NULL", null, null).getCount());
        say("bundle", () -> {
            Bundle args = new Bundle();
            args.putString(ContentResolver.QUERY_ARG_SQL_SELECTION, "_id <= ?");
            args.putStringArray(ContentResolver.QUERY_ARG_SQL_SELECTION_ARGS, new String[] {"9"});
            args.putStringArray(ContentResolver.QUERY_ARG_SORT_COLUMNS, new String[] {"_id"});
            args.putInt(ContentResolver.QUERY_ARG_SORT_DIRECTION, ContentResolver.QUERY_SORT_DIRECTION_DESCENDING);
            args.putInt(ContentResolver.QUERY_ARG_LIMIT, 2);
            return column(resolver.query(people, new String[] {"_id"}, args, null), "_id");
        });
        say("limit", () -> column(resolver.query(people, null, null, null, "_id DESC LIMIT 3"), "_id"));
        say("one", () -> column(resolver.query(Uri.withAppendedPath(people, "3"), null, null, null, null), "display_name"));
        say("lookup", () -> column(resolver.query(Uri.withAppendedPath(
                ContactsContract.PhoneLookup.CONTENT_FILTER_URI, "02-555-0147"), null, null, null, null), "display_name"));
        say("filter", () -> column(resolver.query(
                Uri.withAppendedPath(Phone.CONTENT_FILTER_URI, "hughes"), null, null, null, null), Phone.NUMBER));
        say("none", () -> resolver.query(people, null, "_id=?", new String[] {"99"}, null).moveToFirst());
        say("client", () -> column(resolver.acquireContentProviderClient(people)
                .query(people, null, "_id=1", null, null), "display_name"));
        say("window", () -> {
            CursorWindow window = new CursorWindow("mine");
            ((CrossProcessCursor) resolver.query(Phone.CONTENT_URI, new String[] {"data1"}, null, null, null))
                    .fillWindow(2, window);
            return window.getStartPosition() + " " + window.getNumRows() + " " + window.getString(2, 0);
        });
        say("types", () -> {
            Cursor cursor = resolver.query(data, new String[] {"contact_id", "data1", "data3"}, null, null, null);
            cursor.moveToFirst();
            return cursor.getType(0) + " " + cursor.getType(1) + " " + cursor.getType(2) + " " + cursor.getInt(0)
                    + " " + cursor.getLong(0) + " " + cursor.isNull(2);
        });
        say("before", () -> resolver.query(people, null, null, null, null).getString(0));
        say("canceled", () -> {
            CancellationSignal signal = new CancellationSignal();
            signal.cancel();
            return resolver.query(people, null, null, null, null, signal);
        });
        say("column", () -> resolver.query(people, new String[] {"shoe_size"}, null, null, null));
        say("syntax", () -> resolver.query(people, null, "_id = = 3", null, null));
        say("path", () -> resolver.query(Uri.parse("content://com.android.contacts/nothing"), null, null, null, null));
        say("authority", () -> resolver.query(Uri.parse("content://nobody/x"), null, null, null, null));
        say("android_id", () -> Settings.Secure.getString(resolver, Settings.Secure.ANDROID_ID));
    }

    private void telephony() {
        TelephonyManager telephony = getSystemService(TelephonyManager.class);
        SubscriptionManager subscriptions =
                (SubscriptionManager) getSystemService(Context.TELEPHONY_SUBSCRIPTION_SERVICE);
        say("line1", telephony::getLine1Number);
        say("phone", () -> subscriptions.getPhoneNumber(SubscriptionManager.getDefaultSubscriptionId()));
        say("sims", () -> subscriptions.getActiveSubscriptionInfoList().get(0).getNumber());
        say("imei", telephony::getImei);
        say("operator", telephony::getNetworkOperatorName);
    }

    private void location() {
        LocationManager locations = getSystemService(LocationManager.class);
        say("last", () -> {
            var last = locations.getLastKnownLocation(LocationManager.GPS_PROVIDER);
            return last.getLatitude() + "," + last.getLongitude();
        });
        List<String> fixes = new ArrayList<>();
        say("updates", () -> {
            locations.requestLocationUpdates(LocationManager.GPS_PROVIDER, 1000, 0, here -> {
                fixes.add(here.getProvider());
                if (fixes.size() == 3) {
                    say("fixes", () -> String.join(" ", fixes) + " " + Thread.currentThread().getName());
                }
            });
            return "asked";
        });
        say("fused", () -> {
            LocationServices.getFusedLocationProviderClient(this).getLastLocation()
                    .addOnSuccessListener(here -> say("fused.success", here::getLatitude))
                    .addOnFailureListener(e -> say("fused.failure", e.getClass()::getName));
            return "asked";
        });
    }

    private static void uris() {
        Uri uri = Uri.parse("https://user@host.example:8443/a%20b/c?x=1&y=%2B8&x=2#part");
        say("uri", () -> uri.getScheme() + " " + uri.getHost() + " " + uri.getPort() + " " + uri.getPathSegments() + " "
                + uri.getQueryParameters("x") + " " + uri.getQueryParameter("y") + " " + uri.getFragment());
        say("uri.built", () -> Uri.parse("http://h.example/p").buildUpon().appendPath("q r")
                .appendQueryParameter("n", "+1 2").build());
    }

    private static void loopers() {
        say("handler", () -> {
            HandlerThread thread = new HandlerThread("probe-worker");
            thread.start();
            List<String> order = new ArrayList<>();
            CountDownLatch done = new CountDownLatch(4);
            Handler handler = new Handler(thread.getLooper()) {
                @Override
                public void handleMessage(Message msg) {
                    order.add("m" + msg.what);
                    done.countDown();
                }
            };
            Runnable never = () -> order.add("never");
            CountDownLatch begun = new CountDownLatch(1);
            handler.post(() -> {
                try {
                    begun.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            handler.sendEmptyMessageDelayed(3, 60);
            handler.sendEmptyMessageDelayed(2, 30);
            handler.postDelayed(never, 40);
            handler.sendEmptyMessage(1);
            handler.postAtFrontOfQueue(() -> {
                order.add("first");
                done.countDown();
            });
            handler.removeCallbacks(never);
            begun.countDown();
            done.await();
            return String.join(" ", order);
        });
        say("no looper", () -> {
            String[] thrown = new String[1];
            Thread thread = new Thread(() -> say("handler without looper", Handler::new));
            thread.start();
            thread.join();
            return thrown[0];
        });
    }

    /** Prints the life of the activity. */
    private static final class Watcher implements ActivityLifecycleCallbacks {
        private void print(String what) {
            say("life", () -> what);
        }

        @Override
        public void onActivityCreated(Activity activity, Bundle savedInstanceState) {
            print("created " + Intent.ACTION_MAIN.equals(activity.getIntent().getAction()));
        }

        @Override
        public void onActivityStarted(Activity activity) {
            print("started");
        }

        @Override
        public void onActivityResumed(Activity activity) {
            print("resumed");
        }

        @Override
        public void onActivityPaused(Activity activity) {
            print("paused");
        }

        @Override
        public void onActivityStopped(Activity activity) {
            print("stopped");
        }

        @Override
        public void onActivitySaveInstanceState(Activity activity, Bundle outState) {
        }

        @Override
        public void onActivityDestroyed(Activity activity) {
            print("destroyed");
        }
    }
}
