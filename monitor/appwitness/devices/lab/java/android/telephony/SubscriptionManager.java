package android.telephony;

import android.content.Context;
import com.android.lab.Device;
import java.util.List;

/** Information about the SIMs of the device; there is one, with id 1. */
public class SubscriptionManager {
    public static final int DEFAULT_SUBSCRIPTION_ID = Integer.MAX_VALUE;
    public static final int PHONE_NUMBER_SOURCE_IMS = 3;
    static final int DEFAULT = DEFAULT_SUBSCRIPTION_ID;
    private static final int SIM = 1;

    public SubscriptionManager(Context context) {
    }

    @Deprecated
    public static SubscriptionManager from(Context context) {
        return (SubscriptionManager) context.getSystemService(Context.TELEPHONY_SUBSCRIPTION_SERVICE);
    }

    static boolean isOurs(int subId) {
        return subId == SIM || subId == DEFAULT_SUBSCRIPTION_ID;
    }

    public static int getDefaultSubscriptionId() {
        return SIM;
    }

    public List<SubscriptionInfo> getActiveSubscriptionInfoList() {
        NumberAccess.enforcePhoneState("getActiveSubscriptionInfoList");
        return List.of(info());
    }

    public SubscriptionInfo getActiveSubscriptionInfo(int subId) {
        NumberAccess.enforcePhoneState("getActiveSubscriptionInfo");
        return isOurs(subId) ? info() : null;
    }

    public SubscriptionInfo getActiveSubscriptionInfoForSimSlotIndex(int slotIndex) {
        NumberAccess.enforcePhoneState("getActiveSubscriptionInfoForSimSlotIndex");
        return slotIndex == 0 ? info() : null;
    }

    public int getActiveSubscriptionInfoCount() {
        NumberAccess.enforcePhoneState("getActiveSubscriptionInfoCount");
        return 1;
    }

    /** The SIM's record; without READ_PHONE_NUMBERS it lacks the number. */
    private static SubscriptionInfo info() {
        boolean shown = Device.isGranted("android.permission.READ_PHONE_NUMBERS");
        return new SubscriptionInfo(SIM, shown ? Device.fact("line1") : "");
    }

    public String getPhoneNumber(int subscriptionId, int source) {
        NumberAccess.enforce("getPhoneNumber");
        return isOurs(subscriptionId) && source != PHONE_NUMBER_SOURCE_IMS ? Device.fact("line1") : "";
    }

    public String getPhoneNumber(int subscriptionId) {
        NumberAccess.enforce("getPhoneNumber");
        return isOurs(subscriptionId) ? Device.fact("line1") : "";
    }
}
