package com.example.parley;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.pm.PackageManager;
import android.database.Cursor;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.provider.ContactsContract.Contacts;
import android.telephony.TelephonyManager;
import android.util.Log;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;
import org.json.JSONException;
import org.json.JSONObject;

/** The conversations: registers by number after consent; the address book only shows whom to call. */
public final class MainActivity extends Activity {
    private static final String READ_CONTACTS = "android.permission.READ_CONTACTS";
    private static final int ASK_CONTACTS = 3;
    private static final long PAUSE_MS = 200;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private TextView mPeople;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        mPeople = new TextView(this);
        mPeople.setText("Parley");
        setContentView(mPeople);
        new AlertDialog.Builder(this)
                .setTitle("Terms and privacy")
                .setMessage("Parley needs your phone number as the address of your messages. "
                        + "Do you agree to our privacy policy?")
                .setPositiveButton("Agree and continue", (dialog, which) -> register())
                .setNegativeButton("Decline", (dialog, which) -> { })
                .setCancelable(false)
                .show();
    }

    private void register() {
        mMain.postDelayed(() -> {
            String number = getSystemService(TelephonyManager.class).getLine1Number();
            mMain.postDelayed(() -> new Thread(() -> register(number), "register").start(), PAUSE_MS);
        }, PAUSE_MS);
    }

    private void register(String number) {
        try {
            String body = new JSONObject().put("phone", number).toString();
            HurlStack.send("Parley/6.3", "https://api.parley.test/accounts", body);
        } catch (JSONException e) {
            Log.w("Parley", "not registered", e);
        }
        mMain.postDelayed(this::explainContacts, PAUSE_MS);
    }

    private void explainContacts() {
        new AlertDialog.Builder(this)
                .setTitle("Your contacts")
                .setMessage("Parley can show whom of your contacts to write to. They stay on this device.")
                .setPositiveButton("Show them", (dialog, which) -> askContacts())
                .setNegativeButton("Not now", (dialog, which) -> { })
                .show();
    }

    private void askContacts() {
        if (checkSelfPermission(READ_CONTACTS) == PackageManager.PERMISSION_GRANTED) {
            showPeople();
        } else {
            mMain.postDelayed(() -> requestPermissions(new String[] {READ_CONTACTS}, ASK_CONTACTS), PAUSE_MS);
        }
    }

    @Override
    public void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults) {
        if (grantResults.length > 0 && grantResults[0] == PackageManager.PERMISSION_GRANTED) {
            mMain.postDelayed(this::showPeople, PAUSE_MS);
        }
    }

    private void showPeople() {
        StringBuilder people = new StringBuilder();
        String[] projection = {Contacts.DISPLAY_NAME};
        try (Cursor cursor = getContentResolver().query(Contacts.CONTENT_URI, projection, null, null, null)) {
            while (cursor != null && cursor.moveToNext()) {
                people.append(cursor.getString(0)).append('\n');
            }
        }
        mPeople.setText(people);
    }
}
