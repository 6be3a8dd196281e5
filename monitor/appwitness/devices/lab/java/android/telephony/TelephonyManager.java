package android.telephony;

import android.content.Context;
import com.android.lab.Device;

/** Information about the telephony services on the device. */
public class TelephonyManager {
    public static final int SIM_STATE_READY = 5;
    private final int mSubId;

    public TelephonyManager(Context context) {
        this(context, SubscriptionManager.DEFAULT);
    }

    public TelephonyManager(Context context, int subId) {
        mSubId = subId;
    }

    public static TelephonyManager from(Context context) {
        return (TelephonyManager) context.getSystemService(Context.TELEPHONY_SERVICE);
    }

    public String getLine1Number() {
        return getLine1Number(mSubId);
    }

    public String getLine1Number(int subId) {
        NumberAccess.enforce("getLine1NumberForDisplay");
        return SubscriptionManager.isOurs(subId) ? Device.fact("line1") : null;
    }

    public String getVoiceMailNumber() {
        NumberAccess.enforcePhoneState("getVoiceMailNumber");
        return "";
    }

    public String getMsisdn() {
        NumberAccess.enforce("getMsisdn");
        return Device.fact("line1");
    }

    public String getImei() {
        return getImei(0);
    }

    public String getImei(int slotIndex) {
        throw NumberAccess.identifiers("getImeiForSlot");
    }

    public String getDeviceId() {
        throw NumberAccess.identifiers("getDeviceId");
    }

    public String getSubscriberId() {
        throw NumberAccess.identifiers("getSubscriberId");
    }

    public String getSimSerialNumber() {
        throw NumberAccess.identifiers("getIccSerialNumber");
    }

    public String getNetworkOperator() {
        return "46000";
    }

    public String getNetworkOperatorName() {
        return "China Mobile";
    }

    public String getNetworkCountryIso() {
        return "cn";
    }

    public String getSimOperator() {
        return "46000";
    }

    public String getSimOperatorName() {
        return "China Mobile";
    }

    public String getSimCountryIso() {
        return "cn";
    }

    public int getSimState() {
        return SIM_STATE_READY;
    }

    public int getPhoneCount() {
        return 1;
    }
}
