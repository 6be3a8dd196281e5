package com.adnet.sdk;

import android.content.Context;
import android.content.pm.PackageManager;
import android.location.Location;
import android.location.LocationListener;
import android.location.LocationManager;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import android.provider.Settings;
import android.util.Log;
import com.android.volley.toolbox.HurlStack;
import com.google.android.gms.ads.identifier.AdvertisingIdClient;
import java.util.Locale;
import org.json.JSONException;
import org.json.JSONObject;

/** An ad network: requests bids near the user, with a rough location at first, an exact one once targeting is on. */
public final class AdNet {
    private static final String TAG = "AdNet";
    private static final long BID_MS = 300;

    private final Context mContext;
    private final Handler mMain = new Handler(Looper.getMainLooper());

    private AdNet(Context context) {
        mContext = context;
    }

    public static AdNet initialize(Context context) {
        return new AdNet(context.getApplicationContext());
    }

    private LocationManager locations() {
        return mContext.getSystemService(LocationManager.class);
    }

    private boolean mayLocate() {
        return mContext.checkSelfPermission("android.permission.ACCESS_FINE_LOCATION")
                == PackageManager.PERMISSION_GRANTED;
    }

    /** Fills a banner: requests a bid with the last known position, rounded, in cleartext. */
    public void loadBanner(String slot) {
        Location last = mayLocate() ? locations().getLastKnownLocation(LocationManager.NETWORK_PROVIDER) : null;
        Uri.Builder bid = Uri.parse("http://ads.adnet.test/bid").buildUpon()
                .appendQueryParameter("app", mContext.getPackageName())
                .appendQueryParameter("slot", slot);
        if (last != null) {
            bid.appendQueryParameter("lat", String.format(Locale.US, "%.3f", last.getLatitude()));
            bid.appendQueryParameter("lon", String.format(Locale.US, "%.3f", last.getLongitude()));
        }
        mMain.postDelayed(() -> new Thread(() -> send(bid.build().toString(), null), "adnet-bid").start(), BID_MS);
    }

    /** Switches targeting on: sends a fresh position with all its digits. */
    @SuppressWarnings("deprecation")
    public void enableTargeting() {
        if (!mayLocate()) {
            return;
        }
        locations().requestSingleUpdate(LocationManager.GPS_PROVIDER, new LocationListener() {
            @Override
            public void onLocationChanged(Location location) {
                mMain.postDelayed(() -> new Thread(() -> target(location), "adnet-bid").start(), BID_MS);
            }
        }, Looper.getMainLooper());
    }

    /** Requests an advertisement for this particular user, who consented as `tcString` says. */
    public void loadTargeted(String slot, String tcString) {
        mMain.postDelayed(() -> {
            AdvertisingIdClient.Info info = AdvertisingIdClient.getAdvertisingIdInfo(mContext);
            Uri.Builder bid = Uri.parse("https://ads.adnet.test/v2/bid").buildUpon()
                    .appendQueryParameter("app", mContext.getPackageName())
                    .appendQueryParameter("slot", slot)
                    .appendQueryParameter("gdpr", "1")
                    .appendQueryParameter("gdpr_consent", tcString)
                    .appendQueryParameter("ifa", info.getId());
            mMain.postDelayed(() -> new Thread(() -> send(bid.build().toString(), null), "adnet-bid").start(), BID_MS);
        }, BID_MS);
    }

    /** Sends the network both the fixed and the resettable identifier of the device. */
    public void identify() {
        mMain.postDelayed(() -> {
            String fixed = Settings.Secure.getString(mContext.getContentResolver(), Settings.Secure.ANDROID_ID);
            String resettable = AdvertisingIdClient.getAdvertisingIdInfo(mContext).getId();
            mMain.postDelayed(() -> new Thread(() -> identify(fixed, resettable), "adnet-id").start(), BID_MS);
        }, BID_MS);
    }

    private void identify(String fixed, String resettable) {
        try {
            JSONObject ids = new JSONObject().put("android_id", fixed).put("ifa", resettable);
            JSONObject body = new JSONObject().put("app", mContext.getPackageName()).put("ids", ids);
            send("https://ads.adnet.test/v2/identify", body);
        } catch (JSONException e) {
            Log.w(TAG, "not identified", e);
        }
    }

    private void target(Location location) {
        try {
            JSONObject geo = new JSONObject()
                    .put("lat", location.getLatitude())
                    .put("lon", location.getLongitude())
                    .put("accuracy", location.getAccuracy());
            JSONObject body = new JSONObject().put("app", mContext.getPackageName()).put("geo", geo);
            send("https://ads.adnet.test/v2/bid", body);
        } catch (JSONException e) {
            Log.w(TAG, "no bid", e);
        }
    }

    private static void send(String url, JSONObject body) {
        HurlStack.send("AdNet/7.0", url, body == null ? null : body.toString());
    }
}
